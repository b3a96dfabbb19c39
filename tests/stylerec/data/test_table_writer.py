import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stylerec.data.table_writer import TableWriter
from stylerec.schema.columns import INTERACTIONS, ITEMS


class TestTableWriter:
    def test_appends_parts_in_canonical_order_and_types(self, tmp_path):
        path = tmp_path / "items.parquet"
        with TableWriter(path, ITEMS, ["price", "item_id"]) as writer:
            writer.write({"item_id": ["1"], "price": [2]})
            writer.write(pd.DataFrame({"price": [None], "item_id": ["2"], "other": ["x"]}))
            assert writer.num_rows == 1 + 1
        table = pq.read_table(path)
        assert table.schema.names == ["item_id", "price"]
        assert table.to_pydict() == {"item_id": ["1", "2"], "price": [2.0, None]}
        assert table.schema.metadata is None

    def test_joins_small_parts_into_large_row_groups(self, tmp_path):
        path = tmp_path / "interactions.parquet"
        part = {"customer_id": ["c"] * 1_000, "item_id": ["i"] * 1_000}
        with TableWriter(path, INTERACTIONS, part) as writer:
            for _ in range(300):
                writer.write(part)
        groups = pq.ParquetFile(path).metadata
        assert groups.num_rows == 300 * 1_000
        assert groups.num_row_groups == 2

    def test_refuses_a_wrong_type(self, tmp_path):
        with (
            TableWriter(tmp_path / "items.parquet", ITEMS, ["item_id"]) as writer,
            pytest.raises(pa.ArrowException),
        ):
            writer.write({"item_id": [1]})

    def test_refuses_a_missing_column(self, tmp_path):
        with (
            TableWriter(tmp_path / "items.parquet", ITEMS, ["item_id", "price"]) as writer,
            pytest.raises(KeyError),
        ):
            writer.write({"item_id": ["1"]})
