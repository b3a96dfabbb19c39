from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from stylerec.data.tables import Tables, read_table, read_tables, table_path, write_tables
from stylerec.errors import DataError
from stylerec.schema.columns import INTERACTIONS, ITEMS


class TestTablePath:
    def test_prefers_parquet(self, frames, save):
        folder = save(frames)
        assert table_path(folder, "items") == folder / "items.parquet"
        (folder / "items.csv").write_text("")
        assert table_path(folder, "items") == folder / "items.parquet"

    def test_finds_csv(self, frames, save):
        folder = save(frames, ".csv")
        assert table_path(folder, "items") == folder / "items.csv"

    def test_is_none_without_the_table(self, tmp_path):
        assert table_path(tmp_path, "items") is None


class TestReadTables:
    @pytest.mark.parametrize("suffix", [".parquet", ".csv"])
    def test_types_are_the_same_from_both_formats(self, frames, save, suffix):
        tables = read_tables(save(frames, suffix))
        assert tables.interactions is not None
        assert tables.interactions["customer_id"].tolist() == ["007", "007", "c2", "c2"]
        assert tables.interactions["timestamp"].dtype == "datetime64[us, UTC]"
        assert tables.interactions["price"].tolist()[:1] == [10.0]
        assert np.isnan(tables.interactions["price"][1])
        assert tables.interactions["event_id"].tolist() == ["e1", "e2", None, "e4"]
        assert tables.items["title"].tolist() == [
            "Red dress, long",
            'Boots "Ada"',
            "Hat\nand scarf",
        ]
        assert tables.items["in_stock"].dtype == "boolean"
        assert tables.items["in_stock"].tolist() == [True, False, pd.NA]
        assert [None if m is None else list(m) for m in tables.items["markets"]] == [
            ["GB", "US"],
            ["GB"],
            None,
        ]
        assert tables.outfits is not None
        assert tables.outfits["is_hero"].dtype == bool
        assert tables.impressions is not None
        assert tables.impressions["position"].dtype == np.int64

    def test_keeps_the_order_of_the_rows(self, save):
        count = 200_000
        order = [f"i{number}" for number in range(count)]
        folder = save(
            {
                "interactions": pd.DataFrame({"customer_id": "c", "item_id": order}),
                "items": pd.DataFrame({"item_id": order}),
            }
        )
        tables = read_tables(folder)
        assert tables.interactions is not None
        assert tables.interactions["item_id"].tolist() == order

    def test_leaves_out_unknown_columns(self, frames, save):
        frames["items"]["supplier"] = "x"
        assert "supplier" not in read_tables(save(frames)).items

    def test_optional_tables_are_none(self, frames, save):
        tables = read_tables(save({name: frames[name] for name in ("items", "outfits")}))
        assert tables.interactions is None
        assert tables.impressions is None

    def test_raises_when_the_items_are_missing(self, frames, save):
        del frames["items"]
        with pytest.raises(DataError, match=r"expected items\.parquet or items\.csv"):
            read_tables(save(frames))


class TestReadCsv:
    def _read(self, tmp_path, content: bytes, table=ITEMS) -> pd.DataFrame:
        (tmp_path / f"{table.name}.csv").write_bytes(content)
        frame = read_table(tmp_path, table)
        assert frame is not None
        return frame

    def test_byte_order_mark_and_windows_line_endings(self, tmp_path):
        content = b'\xef\xbb\xbfitem_id,title\r\n"01","a, b"\r\n02,c\r\n'
        frame = self._read(tmp_path, content)
        assert frame["item_id"].tolist() == ["01", "02"]
        assert frame["title"].tolist() == ["a, b", "c"]

    def test_words_for_missing_values_are_texts(self, tmp_path):
        frame = self._read(tmp_path, b'item_id,brand\nNA,None\nnull,nan\n1,\n2,""\n')
        assert frame["item_id"].tolist() == ["NA", "null", "1", "2"]
        assert frame["brand"].tolist() == ["None", "nan", None, None]

    def test_booleans_in_mixed_case(self, tmp_path):
        content = b"item_id,in_stock\n1,TRUE\n2,false\n3,Yes\n4,0\n"
        assert self._read(tmp_path, content)["in_stock"].tolist() == [True, False, True, False]

    def test_times_with_and_without_a_zone(self, tmp_path):
        content = (
            b"customer_id,item_id,timestamp\n"
            b"c,1,2026-01-02T03:00:00+01:00\n"
            b"c,1,2026-01-02 02:00:00.500\n"
            b"c,1,2026-01-02 02:00:00 UTC\n"
            b"c,1,2026-01-02\n"
        )
        times = self._read(tmp_path, content, INTERACTIONS)["timestamp"]
        assert times.tolist() == [
            datetime(2026, 1, 2, 2, tzinfo=UTC),
            datetime(2026, 1, 2, 2, 0, 0, 500_000, tzinfo=UTC),
            datetime(2026, 1, 2, 2, tzinfo=UTC),
            datetime(2026, 1, 2, tzinfo=UTC),
        ]

    def test_lists(self, tmp_path):
        frame = self._read(tmp_path, b"item_id,markets\n1,GB|US\n2, GB | DE |\n3,\n")
        assert [None if m is None else list(m) for m in frame["markets"]] == [
            ["GB", "US"],
            ["GB", "DE"],
            None,
        ]

    def test_a_header_alone_is_an_empty_table(self, tmp_path):
        frame = self._read(tmp_path, b"item_id,price\n")
        assert list(frame) == ["item_id", "price"]
        assert len(frame) == 0


class TestWriteTables:
    def test_reads_back_equal(self, frames, save, tmp_path):
        tables = read_tables(save(frames))
        write_tables(tmp_path / "copy", tables)
        again = read_tables(tmp_path / "copy")
        for name in ("interactions", "items", "outfits", "impressions"):
            pd.testing.assert_frame_equal(getattr(again, name), getattr(tables, name))

    def test_same_tables_same_bytes(self, frames, save, tmp_path):
        tables = read_tables(save(frames))
        for name in ("a", "b"):
            write_tables(tmp_path / name, tables)
        assert [p.read_bytes() for p in sorted((tmp_path / "a").iterdir())] == [
            p.read_bytes() for p in sorted((tmp_path / "b").iterdir())
        ]

    def test_replaces_every_table(self, frames, save):
        folder = save(frames)
        write_tables(folder, Tables(items=frames["items"].iloc[:1], outfits=frames["outfits"]))
        assert sorted(path.name for path in folder.iterdir()) == [
            "items.parquet",
            "outfits.parquet",
        ]

    def test_keeps_what_was_there_when_it_fails(self, frames, save):
        folder = save(frames)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        wrong = frames["items"].assign(price="dear")
        with pytest.raises(Exception, match="dear"):
            write_tables(folder, Tables(items=wrong))
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]
