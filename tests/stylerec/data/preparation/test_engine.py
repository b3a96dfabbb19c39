from datetime import UTC, datetime

import pandas as pd
import pytest

from stylerec.data.preparation.engine import fetch
from stylerec.errors import DataError
from stylerec.schema.columns import INTERACTIONS, ITEMS


class TestRead:
    @pytest.mark.parametrize("suffix", [".parquet", ".csv"])
    def test_rows_are_numbered_in_file_order(self, engine, tables, suffix):
        count = 300_000
        frame = pd.DataFrame(
            {
                "customer_id": [f"{(n * 7_919) % 1_000}" for n in range(count)],
                "item_id": [f"{n:06d}" for n in range(count)],
            }
        )
        table, present = engine.read(tables({"interactions": frame}, suffix), INTERACTIONS)
        read = fetch(table.order_by("row"))
        assert read.item_id.tolist() == frame.item_id.tolist()
        assert read.row.tolist() == list(range(count))
        assert present == {"customer_id", "item_id"}

    @pytest.mark.parametrize("suffix", [".parquet", ".csv"])
    def test_columns_have_their_canonical_types(self, engine, tables, retailer, suffix):
        table, _ = engine.read(tables(retailer, suffix), ITEMS)
        types = {name: str(dtype) for name, dtype in table.schema().items()}
        assert types["title"] == "string"
        assert types["price"] == types["sale_price"] == "float64"
        assert types["in_stock"] == "boolean"
        assert types["first_seen"] == "timestamp('UTC')"
        assert types["markets"] == "array<string>"
        assert fetch(table.order_by("row")).markets[1] == ["DE", "GB"]

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    @pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
    def test_times_are_unix_seconds_in_every_unit_and_zone(self, engine, tables, unit, zone):
        moment = pd.Timestamp(datetime(2026, 3, 1, 12, tzinfo=UTC))
        times = pd.Series([moment.tz_convert(zone) if zone else moment.tz_localize(None)])
        frame = pd.DataFrame({"customer_id": ["c"], "item_id": ["i"]})
        frame["timestamp"] = times.dt.as_unit(unit)
        table, _ = engine.read(tables({"interactions": frame}), INTERACTIONS)
        seconds = fetch(table.select(s=table.timestamp.epoch_seconds())).s[0]
        assert seconds == int(moment.timestamp())

    def test_is_none_without_the_table(self, engine, tmp_path):
        assert engine.read(tmp_path, ITEMS) is None

    def test_refuses_what_is_not_parquet(self, engine, tmp_path):
        (tmp_path / "items.parquet").write_text("item_id\na\n")
        with pytest.raises(DataError, match=r"items\.parquet"):
            engine.read(tmp_path, ITEMS)
