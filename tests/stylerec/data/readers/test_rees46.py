from datetime import UTC, datetime

import pytest

from stylerec.data.importing import import_tables
from stylerec.data.readers.rees46 import read
from stylerec.data.tables import read_tables
from stylerec.errors import DataError

HEADER = (
    "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
)


def _read(tmp_path, *rows):
    (tmp_path / "2019-Oct.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    output = tmp_path / "out"
    output.mkdir()
    return read(tmp_path, output), read_tables(output)


class TestRead:
    def test_maps_events(self, tmp_path):
        result, tables = _read(
            tmp_path,
            "2019-10-01 00:00:00 UTC,view,001,9,a.b.c,aqua,33.20,u1,s1",
            "2019-10-01 00:00:02 UTC,cart,001,9,a.b.c,aqua,33.20,u1,s1",
            "2019-10-01 00:00:04 UTC,purchase,001,9,a.b.c,aqua,30,u1,",
        )
        assert result.skipped == {}
        assert result.notes == ()
        log = tables.interactions
        assert log is not None
        assert log["event_type"].tolist() == ["view", "add_to_bag", "purchase"]
        assert log["timestamp"][0] == datetime(2019, 10, 1, tzinfo=UTC)
        assert log["session_id"].tolist() == ["s1", "s1", None]
        assert log["price"].tolist() == [33.2, 33.2, 30.0]

    def test_items_have_the_attributes_seen_last(self, tmp_path):
        _, tables = _read(
            tmp_path,
            "2019-10-01 00:00:00 UTC,view,1,9,a.b.c,aqua,33.20,u1,s1",
            "2019-10-01 00:00:01 UTC,view,2,8,,,5,u1,s1",
            "2019-10-01 00:00:02 UTC,view,1,9,a.b.c,aqua,30,u1,s1",
        )
        items = tables.items.set_index("item_id")
        assert items.loc["1"].to_dict() == {
            "brand": "aqua",
            "category": "a.b.c",
            "product_type": "c",
            "department": "a",
            "price": 30.0,
        }
        assert items.loc["2", "category"] == "8"
        assert items.loc["2", "product_type"] is None

    def test_counts_what_it_skips(self, tmp_path):
        result, tables = _read(
            tmp_path,
            "2019-10-01 00:00:00 UTC,view,1,9,a,b,-79.37,u1,s1",
            "2019-10-01 00:00:00 UTC,remove_from_cart,1,9,a,b,5,u1,s1",
            "yesterday,view,1,9,a,b,5,u1,s1",
            "2019-10-01 00:00:00 UTC,view,1,9,a,b,5,,s1",
            "2019-10-01 00:00:00 UTC,view,1,9",
        )
        assert tables.interactions is not None
        assert len(tables.interactions) == 1
        assert tables.interactions["price"].isna().all()
        assert result.skipped == {
            "event that is no view, cart or purchase": 1,
            "unreadable time": 1,
            "no customer or item": 1,
            "row with missing or extra cells": 1,
        }
        assert result.notes[0].startswith("1 events have no price")

    def test_refuses_another_file(self, tmp_path):
        (tmp_path / "x.csv").write_text("event_time,event_type\n1,2\n")
        with pytest.raises(DataError, match="got no product_id, category_id"):
            read(tmp_path / "x.csv", tmp_path)

    def test_refuses_a_log_without_a_usable_row(self, tmp_path):
        with pytest.raises(DataError, match="not one such row"):
            _read(tmp_path, "soon,view,1,9,a,b,5,u1,s1")

    def test_asks_which_of_several_files(self, tmp_path):
        (tmp_path / "2019-Nov.csv").touch()
        with pytest.raises(DataError, match="name the file itself"):
            _read(tmp_path)


class TestRealData:
    def test_counts(self, real_data, tmp_path):
        report = import_tables("rees46", real_data("rees46_17k"), tmp_path / "out")
        # 17,435 events, the last one cut off inside its customer.
        assert report.rows == {"interactions": 17_435 - 1, "items": 6_493}
        assert report.skipped == {"row with missing or extra cells": 1}
        tables = read_tables(tmp_path / "out")
        assert tables.interactions is not None
        assert tables.interactions["event_type"].value_counts().to_dict() == {
            "view": 17_056 - 1,
            "purchase": 214,
            "add_to_bag": 165,
        }
