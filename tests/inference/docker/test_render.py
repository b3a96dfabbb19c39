import pytest
import yaml

from inference.docker.render import images_of, render
from manifests.checks.objects import Build

DIGEST = "sha256:" + "ab" * 32


class TestRender:
    def test_routers_and_loaders_are_by_digest(self, tmp_path):
        line = f"stylerec/routing-transformer=ghcr.io/shop/stylerec/routing-transformer@{DIGEST}\n"
        (tmp_path / "routing-transformer").write_text(line)
        rendered = yaml.safe_load_all(render("production", images_of(tmp_path)))
        build = Build("production", [document for document in rendered if document])
        images = {c["image"] for pod in build.pods for _, c in pod.containers()}
        assert f"ghcr.io/shop/stylerec/routing-transformer@{DIGEST}" in images
        assert not [image for image in images if image.startswith("stylerec/")]

    def test_refuses_a_tag(self, tmp_path):
        (tmp_path / "components").write_text("stylerec/components=ghcr.io/shop/components:latest")
        with pytest.raises(ValueError, match="sha256"):
            images_of(tmp_path)
