import pytest

from stylerec.errors import ReleaseError
from stylerec.release.manifest import verify_folder


class TestVerifyFolder:
    def test_raises_when_a_file_was_changed(self, build) -> None:
        folder, _ = build()
        (folder / "models/ranking/model.onnx").write_bytes(b"onnX")
        with pytest.raises(ReleaseError, match=r"models/ranking/model\.onnx"):
            verify_folder(folder)

    def test_raises_when_a_file_is_missing(self, build) -> None:
        folder, _ = build()
        (folder / "vocabulary.json").unlink()
        with pytest.raises(ReleaseError, match="no such file"):
            verify_folder(folder)

    def test_raises_when_the_manifest_was_edited(self, build) -> None:
        folder, manifest = build()
        path = folder / "release.json"
        old = manifest.files["catalogue.parquet"].sha256
        path.write_text(path.read_text().replace(old, "0" * 64))
        with pytest.raises(ReleaseError, match="content's digest"):
            verify_folder(folder)

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"release_id": 3}', b"\xff\xfe"])
    def test_raises_when_the_manifest_is_no_manifest(self, build, content: bytes) -> None:
        folder, _ = build()
        (folder / "release.json").write_bytes(content)
        with pytest.raises(ReleaseError, match=r"release\.json"):
            verify_folder(folder)

    def test_raises_when_there_is_no_manifest(self, build) -> None:
        folder, _ = build()
        (folder / "release.json").unlink()
        with pytest.raises(ReleaseError, match="incomplete"):
            verify_folder(folder)
