import pytest
from safetensors import SafetensorError

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
    def test_replaces_tables(self, tmp_path):
        folder = tmp_path / "deep" / "tables"
        for text in ("first", "second"):
            with replaced_folder(folder) as staged:
                (staged / "items.csv").write_text(text)
        assert (folder / "items.csv").read_text() == "second"
        assert [path.name for path in folder.parent.iterdir()] == ["tables"]

    def test_refuses_what_is_not_replaceable_before_the_block_runs(self, tmp_path):
        (tmp_path / "thesis.docx").touch()
        with (
            pytest.raises(DataError, match=r"other entries: thesis\.docx"),
            replaced_folder(tmp_path),
        ):
            pytest.fail("the block ran")

    @pytest.mark.parametrize("failure", [OSError, SafetensorError])
    def test_a_failed_write_is_a_data_error(self, tmp_path, failure):
        with (
            pytest.raises(DataError, match="No space left"),
            replaced_folder(tmp_path / "tables"),
        ):
            raise failure("No space left on device")
        assert list(tmp_path.iterdir()) == []
