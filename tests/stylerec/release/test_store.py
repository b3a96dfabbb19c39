import resource
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from stylerec.errors import ReleaseError
from stylerec.release.store import (
    list_releases,
    open_release,
    promote,
    publish,
    read_pointer,
    rollback,
)


class TestPublish:
    def test_points_at_the_published_release(self, build, tmp_path: Path) -> None:
        folder, manifest = build()
        root = str(tmp_path / "root")
        publish(folder, root)
        pointer = read_pointer(root)
        assert pointer is not None
        assert (pointer.release_id, pointer.previous) == (manifest.release_id, None)
        assert open_release(root, manifest.release_id, cache=tmp_path).manifest == manifest

    def test_keeps_the_old_release_and_pointer_when_the_new_one_is_corrupt(
        self, build, tmp_path: Path
    ) -> None:
        root = str(tmp_path / "root")
        first = publish(build()[0], root)
        folder, _ = build("[1]", "second")
        (folder / "catalogue.parquet").write_bytes(b"changed")
        with pytest.raises(ReleaseError):
            publish(folder, root)
        assert read_pointer(root).release_id == first.release_id
        assert list_releases(root) == [first.release_id]

    def test_leaves_nothing_behind_on_a_full_disk(self, build, tmp_path: Path) -> None:
        root = tmp_path / "root"
        first = publish(build()[0], str(root))
        folder, _ = build("9" * 5_000_000, "big")
        limit = 1_000_000
        # A file that may not grow fails the same write calls as a full disk does.
        script = (
            "import sys; from pathlib import Path; from stylerec.release.store import publish\n"
            "from stylerec.errors import ReleaseError\n"
            "try: publish(Path(sys.argv[1]), sys.argv[2])\n"
            "except ReleaseError as error: print(error); sys.exit(2)\n"
        )
        result = subprocess.run(
            [sys.executable, "-c", script, str(folder), str(root)],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 2, result.stderr
        assert "room" in result.stdout
        assert {p.name for p in root.iterdir()} == {"current.json", first.release_id}
        assert read_pointer(str(root)).release_id == first.release_id

    def test_is_repeatable(self, build, tmp_path: Path) -> None:
        root = str(tmp_path / "root")
        folder, manifest = build()
        publish(folder, root)
        publish(folder, root)
        assert list_releases(root) == [manifest.release_id]
        assert read_pointer(root).previous is None

    def test_works_on_an_object_store(self, build, tmp_path: Path) -> None:
        root = "memory://test-publish/releases"
        folder, manifest = build()
        publish(folder, root)
        second = publish(build("[2]", "second")[0], root)
        release = open_release(root, manifest.release_id, cache=tmp_path / "cache")
        assert release.manifest == manifest
        assert rollback(root).previous == second.release_id

    def test_refetches_nothing_corrupt_from_an_object_store(self, build, tmp_path: Path) -> None:
        root = "memory://test-corrupt/releases"
        folder, manifest = build()
        publish(folder, root)
        fs, path = fsspec.core.url_to_fs(f"{root}/{manifest.release_id}/catalogue.parquet")
        fs.pipe_file(path, b"other")
        with pytest.raises(ReleaseError):
            open_release(root, manifest.release_id, cache=tmp_path / "cache")
        fs.pipe_file(path, b"catalogue")
        assert open_release(root, manifest.release_id, cache=tmp_path / "cache")


class TestPointer:
    def test_is_none_where_nothing_was_published(self, tmp_path: Path) -> None:
        assert read_pointer(str(tmp_path / "nowhere")) is None

    @pytest.mark.parametrize("content", [b"", b"{}", b"\x00", b'{"release_id": []}'])
    def test_raises_when_unreadable(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "current.json").write_bytes(content)
        with pytest.raises(ReleaseError, match="release pointer"):
            read_pointer(str(tmp_path))

    def test_rollback_returns_to_the_release_before(self, build, tmp_path: Path) -> None:
        root = str(tmp_path / "root")
        first = publish(build()[0], root)
        publish(build("[1]", "second")[0], root)
        assert rollback(root).release_id == first.release_id

    def test_rollback_raises_without_an_earlier_release(self, build, tmp_path: Path) -> None:
        root = str(tmp_path / "root")
        publish(build()[0], root)
        with pytest.raises(ReleaseError, match="earlier release"):
            rollback(root)

    def test_promote_raises_on_an_unknown_release(self, build, tmp_path: Path) -> None:
        root = str(tmp_path / "root")
        first = publish(build()[0], root)
        with pytest.raises(ReleaseError, match=first.release_id):
            promote(root, "2020-01-01T000000-00000000")
