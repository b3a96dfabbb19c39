import errno

import pytest

from stylerec.data.staging import check_replaceable, replaced_folder
from stylerec.errors import DataError


class TestCheckReplaceable:
    def test_accepts_tables_pictures_and_nothing(self, tmp_path):
        check_replaceable(tmp_path / "absent")
        check_replaceable(tmp_path)
        (tmp_path / "items.csv").touch()
        (tmp_path / "images").mkdir()
        check_replaceable(tmp_path)

    def test_refuses_other_files(self, tmp_path):
        (tmp_path / "items.csv").touch()
        (tmp_path / "thesis.docx").touch()
        with pytest.raises(DataError, match=r"other entries: thesis\.docx"):
            check_replaceable(tmp_path)

    def test_refuses_pictures_without_a_table(self, tmp_path):
        (tmp_path / "images").mkdir()
        with pytest.raises(DataError, match="other entries: images"):
            check_replaceable(tmp_path)

    def test_refuses_a_file(self, tmp_path):
        (tmp_path / "tables").touch()
        with pytest.raises(DataError, match="got a file"):
            check_replaceable(tmp_path / "tables")


class TestReplacedFolder:
    def test_puts_the_new_folder_in_place(self, tmp_path):
        folder = tmp_path / "deep" / "tables"
        for text in ("first", "second"):
            with replaced_folder(folder) as staged:
                (staged / "items.csv").write_text(text)
        assert (folder / "items.csv").read_text() == "second"
        assert [path.name for path in folder.parent.iterdir()] == ["tables"]

    def test_follows_a_link(self, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        with replaced_folder(tmp_path / "link") as staged:
            (staged / "items.csv").touch()
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real" / "items.csv").exists()

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_leaves_what_was_there_when_the_block_fails(self, tmp_path, error):
        folder = tmp_path / "tables"
        folder.mkdir()
        (folder / "items.csv").write_text("old")

        def fail():
            with replaced_folder(folder) as staged:
                (staged / "items.csv").write_text("half")
                raise error

        with pytest.raises(error):
            fail()
        assert (folder / "items.csv").read_text() == "old"
        assert [path.name for path in tmp_path.iterdir()] == ["tables"]

    def test_a_full_disk_is_one_message(self, tmp_path):
        def fill():
            with replaced_folder(tmp_path / "tables"):
                raise OSError(errno.ENOSPC, "No space left on device")

        with pytest.raises(DataError, match=r"got No space left on device; free some space"):
            fill()
        assert list(tmp_path.iterdir()) == []

    def test_restores_the_old_folder_when_the_last_step_fails(self, tmp_path):
        folder = tmp_path / "tables"
        folder.mkdir()
        (folder / "items.csv").write_text("old")

        def lose():
            with replaced_folder(folder) as staged:
                staged.rmdir()

        with pytest.raises(DataError):
            lose()
        assert (folder / "items.csv").read_text() == "old"
        assert [path.name for path in tmp_path.iterdir()] == ["tables"]
