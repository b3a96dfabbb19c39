import errno

import pytest

from stylerec.errors import ReleaseError
from stylerec.models.next_item.artifacts import written_aside


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def _fail_half_way(output):
    with written_aside(output) as folder:
        (folder / "new.txt").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")


class TestWrittenAside:
    def test_replaces_the_folder_as_a_whole(self, tmp_path):
        output = tmp_path / "model"
        output.mkdir()
        (output / "old.txt").write_text("old")
        with written_aside(output) as folder:
            (folder / "new.txt").write_text("new")
            assert names(output) == ["old.txt"]
        assert names(output) == ["new.txt"]
        assert names(tmp_path) == ["model"]

    def test_makes_missing_parents(self, tmp_path):
        with written_aside(tmp_path / "run" / "model") as folder:
            (folder / "new.txt").write_text("new")
        assert names(tmp_path / "run" / "model") == ["new.txt"]

    def test_keeps_what_was_there_when_the_disk_is_full(self, tmp_path):
        output = tmp_path / "model"
        output.mkdir()
        (output / "old.txt").write_text("old")
        with pytest.raises(ReleaseError, match="No space left"):
            _fail_half_way(output)
        assert names(output) == ["old.txt"]
        assert names(tmp_path) == ["model"]
