from pathlib import Path

from stylerec.release.staging import KEPT_VERSIONS, stage_models
from stylerec.release.store import Release


class TestStageModels:
    def test_writes_the_python_variant_with_its_script(self, build, tmp_path: Path) -> None:
        folder, manifest = build()
        script = tmp_path / "model.py"
        script.write_text("x = 1")
        repository = tmp_path / "repository"
        versions = stage_models(Release(folder, manifest), repository, python_model=script)
        version = repository / "ranking" / str(versions["ranking"])
        assert (version / "model.onnx").read_bytes() == b"onnx"
        assert (version / "model.py").read_text() == "x = 1"
        assert 'backend: "python"' in (repository / "ranking/config.pbtxt").read_text()

    def test_writes_the_cluster_variant_without_script(self, build, tmp_path: Path) -> None:
        folder, manifest = build()
        repository = tmp_path / "repository"
        versions = stage_models(Release(folder, manifest), repository)
        version = repository / "ranking" / str(versions["ranking"])
        assert [p.name for p in version.iterdir()] == ["model.onnx"]
        assert 'backend: "onnxruntime"' in (repository / "ranking/config.pbtxt").read_text()

    def test_keeps_the_newest_versions_and_the_one_staged_again(
        self, build, tmp_path: Path
    ) -> None:
        repository = tmp_path / "repository"
        releases = [Release(*build(name=f"r{i}")) for i in range(KEPT_VERSIONS + 1)]
        for release in releases:
            stage_models(release, repository)
        stage_models(releases[0], repository)
        kept = {p.name for p in (repository / "ranking").iterdir() if p.is_dir()}
        expected = [releases[0], *releases[2:]]
        assert kept == {str(r.manifest.models["ranking"].version) for r in expected}
