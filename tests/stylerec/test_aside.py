import errno
from pathlib import Path

import pytest

from stylerec.aside import flush_to_disk, written_aside, written_file_aside
from stylerec.errors import DataError, ReleaseError

FULL = OSError(errno.ENOSPC, "No space left on device")


class LibraryError(Exception):
    """What a library raises for a failed write."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    output = tmp_path / "model"
    output.mkdir()
    (output / "old").write_text("old")
    return output


def fail_half_way(aside: Path, failure: BaseException | type[BaseException]) -> None:
    half = aside / "new" if aside.is_dir() else aside
    half.write_text("half")
    raise failure


def is_unchanged(output: Path) -> bool:
    return (
        names(output) == ["old"]
        and (output / "old").read_text() == "old"
        and names(output.parent) == ["model"]
    )


class TestWrittenAside:
    def test_replaces_the_folder_as_a_whole(self, earlier: Path) -> None:
        with written_aside(earlier, error=ReleaseError) as folder:
            assert names(folder) == []
            (folder / "new").touch()
            assert names(earlier) == ["old"]
        assert names(earlier) == ["new"]
        assert names(earlier.parent) == ["model"]

    def test_writes_beside_the_output_under_a_hidden_name(self, earlier: Path) -> None:
        with written_aside(earlier, error=ReleaseError) as folder:
            assert folder.parent == earlier.parent
            assert folder.name.startswith(".model-")

    def test_makes_missing_parents(self, tmp_path: Path) -> None:
        with written_aside(tmp_path / "run" / "model", error=ReleaseError) as folder:
            (folder / "new").touch()
        assert names(tmp_path / "run" / "model") == ["new"]
        assert names(tmp_path / "run") == ["model"]

    def test_follows_a_link(self, earlier: Path) -> None:
        link = earlier.with_name("link")
        link.symlink_to(earlier)
        with written_aside(link, error=ReleaseError) as folder:
            (folder / "new").touch()
        assert link.is_symlink()
        assert names(earlier) == ["new"]

    @pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, LibraryError])
    def test_leaves_what_was_there_when_the_block_fails(
        self, earlier: Path, failure: type[BaseException]
    ) -> None:
        with pytest.raises(failure), written_aside(earlier, error=ReleaseError) as folder:
            fail_half_way(folder, failure)
        assert is_unchanged(earlier)

    @pytest.mark.parametrize("error", [DataError, ReleaseError])
    def test_a_full_disk_is_one_message(
        self, earlier: Path, error: type[DataError | ReleaseError]
    ) -> None:
        with (
            pytest.raises(error, match="got No space left on device; free some space") as caught,
            written_aside(earlier, error=error) as folder,
        ):
            fail_half_way(folder, FULL)
        assert caught.value.where == str(earlier)
        assert caught.value.__cause__ is FULL
        assert is_unchanged(earlier)

    def test_a_librarys_own_error_is_a_failed_write(self, earlier: Path) -> None:
        with (
            pytest.raises(ReleaseError, match="got file too large; ask for room"),
            written_aside(
                earlier, error=ReleaseError, write_errors=(LibraryError,), fix="ask for room"
            ),
        ):
            raise LibraryError("file too large")
        assert is_unchanged(earlier)

    def test_restores_the_old_folder_when_the_last_step_fails(self, earlier: Path) -> None:
        with (
            pytest.raises(ReleaseError, match="No such file"),
            written_aside(earlier, error=ReleaseError) as folder,
        ):
            folder.rmdir()
        assert is_unchanged(earlier)

    def test_refuses_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "model").write_text("mine")
        with (
            pytest.raises(ReleaseError, match="got a file of that name"),
            written_aside(tmp_path / "model", error=ReleaseError),
        ):
            pytest.fail("the block ran")
        assert (tmp_path / "model").read_text() == "mine"

    def test_raises_when_the_parent_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with (
            pytest.raises(ReleaseError, match="Not a directory"),
            written_aside(tmp_path / "file" / "model", error=ReleaseError),
        ):
            pytest.fail("the block ran")


class TestWrittenFileAside:
    def test_replaces_the_file(self, tmp_path: Path) -> None:
        output = tmp_path / "deep" / "pointer.json"
        for text in ("first", "second"):
            with written_file_aside(output, error=ReleaseError) as aside:
                aside.write_text(text)
                assert aside.suffix == ".json"
                assert not output.exists() or output.read_text() == "first"
        assert output.read_text() == "second"
        assert names(output.parent) == ["pointer.json"]

    @pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
    def test_leaves_what_was_there_when_the_block_fails(
        self, tmp_path: Path, failure: type[BaseException]
    ) -> None:
        output = tmp_path / "pointer.json"
        output.write_text("old")
        with pytest.raises(failure), written_file_aside(output, error=ReleaseError) as aside:
            fail_half_way(aside, failure)
        assert output.read_text() == "old"
        assert names(tmp_path) == ["pointer.json"]

    def test_a_full_disk_is_one_message(self, tmp_path: Path) -> None:
        output = tmp_path / "pointer.json"
        output.write_text("old")
        with (
            pytest.raises(DataError, match="got No space left on device; ask for room"),
            written_file_aside(output, error=DataError, fix="ask for room") as aside,
        ):
            fail_half_way(aside, FULL)
        assert output.read_text() == "old"
        assert names(tmp_path) == ["pointer.json"]

    def test_raises_when_the_parent_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with (
            pytest.raises(ReleaseError, match="room and permission to write the file"),
            written_file_aside(tmp_path / "file" / "pointer.json", error=ReleaseError),
        ):
            pytest.fail("the block ran")

    def test_raises_when_the_block_wrote_nothing(self, tmp_path: Path) -> None:
        output = tmp_path / "pointer.json"
        output.write_text("old")
        with (
            pytest.raises(ReleaseError, match="No such file"),
            written_file_aside(output, error=ReleaseError),
        ):
            pass
        assert output.read_text() == "old"


class TestFlushToDisk:
    def test_takes_files_and_folders(self, earlier: Path) -> None:
        flush_to_disk(earlier / "old")
        flush_to_disk(earlier)
        assert is_unchanged(earlier)

    def test_raises_when_there_is_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            flush_to_disk(tmp_path / "absent")
