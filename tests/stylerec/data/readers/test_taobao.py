from datetime import UTC, datetime

import pytest

from stylerec.data.importing import import_tables
from stylerec.data.readers.taobao import read
from stylerec.data.tables import read_tables
from stylerec.errors import DataError

TIME_S = 1_511_544_070


def _read(tmp_path, content):
    (tmp_path / "UserBehavior.csv").write_text(content)
    output = tmp_path / "out"
    output.mkdir()
    return read(tmp_path, output), read_tables(output)


class TestRead:
    def test_maps_behaviours_and_times(self, tmp_path):
        lines = [f"01,i{b},c1,{b},{TIME_S}" for b in ("pv", "fav", "cart", "buy")]
        result, tables = _read(tmp_path, "\n".join(lines))
        assert result.skipped == {}
        log = tables.interactions
        assert log is not None
        assert log["event_type"].tolist() == ["view", "save", "add_to_bag", "purchase"]
        assert set(log["customer_id"]) == {"01"}
        assert log["timestamp"][0] == datetime.fromtimestamp(TIME_S, UTC)

    def test_items_have_the_category_seen_last(self, tmp_path):
        rows = f"u,i1,old,pv,{TIME_S}\nu,i2,c2,pv,{TIME_S}\nu,i1,new,pv,{TIME_S}\n"
        _, tables = _read(tmp_path, rows)
        assert tables.items.to_dict("list") == {
            "item_id": ["i1", "i2"],
            "category": ["new", "c2"],
        }

    def test_counts_what_it_skips(self, tmp_path):
        rows = [
            f"u,i,c,pv,{TIME_S}",
            f"u,i,c,pv,{TIME_S},more",
            f"u,i,c,look,{TIME_S}",
            f",i,c,pv,{TIME_S}",
            "u,i,c,pv,-5",
            "u,i,c,pv,2122867355",
            "u,i,c,pv,",
            "u,i,c,pv",
        ]
        result, tables = _read(tmp_path, "\n".join(rows))
        assert tables.interactions is not None
        assert len(tables.interactions) == 1
        assert result.skipped == {
            "row with missing or extra cells": 2,
            "unknown behaviour": 1,
            "no user or item": 1,
            "no time in 2017, the year of the log": 3,
        }

    def test_refuses_another_file(self, tmp_path):
        with pytest.raises(DataError, match="user,item,category,behaviour,unixtime"):
            _read(tmp_path, "hello\nworld\n")


class TestRealData:
    def test_counts(self, real_data, tmp_path):
        report = import_tables("taobao", real_data("taobao_815"), tmp_path / "out")
        # The file holds 84,476 rows, the last one cut off.
        assert report.rows == {"interactions": 84_476 - 1, "items": 55_368}
        assert report.skipped == {"row with missing or extra cells": 1}
        tables = read_tables(tmp_path / "out")
        assert tables.interactions is not None
        assert tables.interactions["customer_id"].nunique() == 815
        assert tables.items["category"].nunique() == 2_914
        assert tables.interactions["event_type"].value_counts().to_dict() == {
            "view": 75_873 - 1,
            "add_to_bag": 4_497,
            "save": 2_356,
            "purchase": 1_750,
        }
