import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stylerec.data.synthetic.row_groups import RowGroupWriter, write_table

TABLE = pa.table({"name": [f"n{number % 7}" for number in range(25)], "value": list(range(25))})


def written(path, portions):
    with RowGroupWriter(path, TABLE.schema, rows_per_group=10) as writer:
        start = 0
        for size in portions:
            writer.write(TABLE.slice(start, size))
            start += size
    return path.read_bytes()


class TestRowGroupWriter:
    def test_bytes_do_not_show_the_portions(self, tmp_path):
        whole = written(tmp_path / "a", [25])
        assert written(tmp_path / "b", [1, 9, 3, 12]) == whole
        assert written(tmp_path / "c", [5] * 5) == whole

    def test_row_groups_are_full_but_the_last(self, tmp_path):
        written(tmp_path / "a", [4, 21])
        metadata = pq.ParquetFile(tmp_path / "a").metadata
        sizes = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
        assert sizes == [10, 10, 5]

    def test_keeps_every_row_in_order(self, tmp_path):
        written(tmp_path / "a", [3, 22])
        assert pq.read_table(tmp_path / "a").equals(TABLE)

    def test_closes_the_file_when_the_block_fails(self, tmp_path):
        def fail_midway() -> None:
            with RowGroupWriter(tmp_path / "a", TABLE.schema, rows_per_group=10) as writer:
                writer.write(TABLE)
                raise RuntimeError("midway")

        with pytest.raises(RuntimeError, match="midway"):
            fail_midway()
        assert pq.read_table(tmp_path / "a").num_rows == 20


class TestWriteTable:
    def test_writes_an_empty_table(self, tmp_path):
        write_table(tmp_path / "a", TABLE.slice(0, 0))
        assert pq.read_table(tmp_path / "a").schema == TABLE.schema
