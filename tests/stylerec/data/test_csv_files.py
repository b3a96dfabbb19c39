import pytest

from stylerec.data.csv_files import CsvFile
from stylerec.errors import DataError


def _read(tmp_path, content: bytes, **options) -> tuple[CsvFile, list[dict[str, str | None]]]:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    file = CsvFile(path, **options)
    return file, [row for batch in file.batches() for row in batch.to_pylist()]


class TestCsvFile:
    def test_reads_texts_and_empty_cells(self, tmp_path):
        file, rows = _read(tmp_path, b'a,b\n007,"x, ""y"""\n,z\n')
        assert file.columns == ("a", "b")
        assert rows == [{"a": "007", "b": 'x, "y"'}, {"a": None, "b": "z"}]

    def test_reads_a_file_without_a_header(self, tmp_path):
        file, rows = _read(tmp_path, b"1,2\n3", column_names=("a", "b"))
        assert rows == [{"a": "1", "b": "2"}]
        assert file.malformed_rows == [2]

    def test_numbers_malformed_rows_without_the_header(self, tmp_path):
        file, rows = _read(tmp_path, b"a,b\n1,2\n3\n4,5,6\n7,8\n")
        assert [row["a"] for row in rows] == ["1", "7"]
        assert file.malformed_rows == [2, 3]
        with pytest.raises(DataError, match=r"another number in 2 rows \(row 2, 3\)"):
            file.refuse_malformed_rows()

    def test_a_cell_may_end_the_file_with_a_line_break(self, tmp_path):
        _, rows = _read(tmp_path, b'a,b\n1,"two\nlines\n"\n')
        assert rows == [{"a": "1", "b": "two\nlines\n"}]

    def test_refuses_a_quote_that_is_never_closed(self, tmp_path):
        with pytest.raises(DataError, match="never closed"):
            _read(tmp_path, b'a,b\n1,"x\n2,y\n3,z\n')

    def test_refuses_a_missing_file(self, tmp_path):
        with pytest.raises(DataError, match="No such file"):
            CsvFile(tmp_path / "none.csv")

    def test_an_empty_file_needs_no_header(self, tmp_path):
        assert _read(tmp_path, b"", column_names=("a",))[1] == []

    def test_never_quotes_a_row_in_a_message(self, tmp_path):
        with pytest.raises(DataError) as caught:
            _read(tmp_path, b"a,b\nsecret,caf\xe9\n")
        assert "secret" not in str(caught.value)
