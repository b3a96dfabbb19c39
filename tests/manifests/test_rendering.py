import pytest

from manifests.checks.dry_run import server_dry_run
from manifests.checks.objects import Build
from manifests.checks.rendering import (
    Combination,
    combinations,
    render,
    render_folder,
    representative,
)
from stylerec.errors import ConfigError


class TestCombinations:
    def test_every_overlay_stands_alone_too(self):
        alone = {each.overlay for each in combinations() if not each.components}
        assert alone == {"local", "staging", "production"}

    def test_alternatives_are_never_together(self):
        for each in combinations():
            assert not {"models-together", "gpu"} <= set(each.components), each

    def test_representatives_have_every_component_with_every_overlay_that_takes_it(self):
        chosen = list(combinations())
        pairs = {(each.overlay, name) for each in chosen for name in each.components}
        kept = {(each.overlay, name) for each in representative(chosen) for name in each.components}
        assert kept == pairs


class TestRender:
    def test_a_component_takes_part_in_what_the_overlay_does(self):
        build = render(Combination("staging", ("canary",)))
        canary = build.find("InferenceService", "recommender-canary")
        assert canary["metadata"]["namespace"] == "stylerec-staging"

    def test_a_kustomization_that_does_not_render_is_one_message(self, tmp_path):
        (tmp_path / "kustomization.yaml").write_text("resources: [none.yaml]")
        with pytest.raises(ConfigError, match=r"bad: expected .*none\.yaml"):
            render_folder(tmp_path, "bad")


class TestServerDryRun:
    def test_says_what_the_cluster_said(self, tmp_path, monkeypatch):
        config = tmp_path / "config"
        config.write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
            "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
            "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\n"
            "users: [{name: u}]\n"
        )
        monkeypatch.setenv("KUBECONFIG", str(config))
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
        findings = server_dry_run(Build("b", [document]))
        assert findings
        assert "127.0.0.1:9" in str(findings[0])
