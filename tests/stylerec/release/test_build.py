import json
from pathlib import Path

import pytest

from stylerec.errors import ReleaseError
from stylerec.release.build import build_release
from stylerec.release.manifest import verify_folder


class TestBuildRelease:
    def test_lists_every_file_with_its_hash(self, build) -> None:
        folder, manifest = build()
        on_disk = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {
            "release.json"
        }
        assert set(manifest.files) == on_disk
        assert verify_folder(folder) == manifest

    def test_carries_the_omitted_branches_and_markets(self, build) -> None:
        _, manifest = build()
        assert manifest.omitted == {"outfit": "no outfits table"}
        assert manifest.markets == ("GB",)
        assert manifest.models["ranking"].max_history_len == 20

    def test_versions_grow(self, build) -> None:
        _, first = build()
        _, second = build(name="second")
        assert second.models["ranking"].version > first.models["ranking"].version

    def test_raises_and_leaves_the_old_folder_when_a_file_is_missing(
        self, build, ingredients: dict[str, Path]
    ) -> None:
        folder, manifest = build()
        (ingredients["ranking"] / "model.onnx").unlink()
        with pytest.raises(ReleaseError, match=r"model\.onnx"):
            build()
        assert verify_folder(folder) == manifest
        assert [p.name for p in folder.parent.iterdir() if p.name.startswith(".")] == []

    def test_raises_when_the_dataset_record_is_missing(
        self, build, ingredients: dict[str, Path]
    ) -> None:
        (ingredients["prepared"] / "dataset.json").unlink()
        with pytest.raises(ReleaseError, match="expected the record of the prepared data"):
            build()

    def test_raises_when_an_export_is_another_models(
        self, build, ingredients: dict[str, Path]
    ) -> None:
        export = {"model": "next_item", "max_history_len": 20}
        (ingredients["ranking"] / "export.json").write_text(json.dumps(export))
        with pytest.raises(ReleaseError, match="expected model ranking, got next_item"):
            build()

    def test_raises_on_a_model_without_tensors(self, ingredients: dict[str, Path]) -> None:
        with pytest.raises(ReleaseError, match=r"models\.prices"):
            build_release(
                ingredients["prepared"].with_name("out"),
                prepared=ingredients["prepared"],
                models={"prices": ingredients["ranking"]},
                evaluation=ingredients["evaluation"],
                report=ingredients["report"],
                contract=ingredients["contract"],
            )
