import json

import pytest

from stylerec.data.importing import import_tables
from stylerec.data.readers.s3rec import MIN_CATEGORY_ITEMS, read
from stylerec.data.tables import read_tables
from stylerec.errors import DataError


def _read(tmp_path, sequences: str, items: list[dict] | None = None):
    source = tmp_path / "shop"
    source.mkdir()
    (source / "Shop.txt").write_text(sequences)
    if items is not None:
        (source / "items.jsonl").write_text("\n".join(map(json.dumps, items)))
    output = tmp_path / "out"
    output.mkdir()
    return read(source, output), read_tables(output)


class TestSequences:
    def test_row_order_is_the_time_order(self, tmp_path):
        _, tables = _read(tmp_path, "2 30 10 20\n1 10 30\n")
        assert tables.interactions is not None
        assert tables.interactions.to_dict("list") == {
            "customer_id": ["2", "2", "2", "1", "1"],
            "item_id": ["30", "10", "20", "10", "30"],
        }

    def test_items_are_those_of_the_sequences(self, tmp_path):
        result, tables = _read(tmp_path, "1 007 8\n2 8 9\n")
        assert tables.items.to_dict("list") == {"item_id": ["007", "8", "9"]}
        assert result.notes == ()

    def test_counts_lines_without_items(self, tmp_path):
        result, tables = _read(tmp_path, "1 2 3\n\n5\n")
        assert result.skipped == {"line without an item": 2}
        assert tables.interactions is not None
        assert len(tables.interactions) == 2

    def test_refuses_a_customer_on_two_lines(self, tmp_path):
        with pytest.raises(DataError, match="line 3"):
            _read(tmp_path, "1 2 3\n2 3\n1 4\n")

    def test_refuses_an_empty_file(self, tmp_path):
        with pytest.raises(DataError, match=r"customer item item"):
            _read(tmp_path, "")

    def test_refuses_bytes(self, tmp_path):
        (tmp_path / "a.txt").write_bytes(b"1 caf\xe9\n")
        with pytest.raises(DataError, match="not UTF-8"):
            read(tmp_path / "a.txt", tmp_path)

    def test_takes_the_file_named_as_its_folder(self, tmp_path):
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "Shop_sample.txt").write_text("9 9\n")
        (tmp_path / "out").mkdir()
        (tmp_path / "shop" / "Shop.txt").write_text("1 2\n")
        read(tmp_path / "shop", tmp_path / "out")
        tables = read_tables(tmp_path / "out")
        assert tables.interactions is not None
        assert tables.interactions["item_id"].tolist() == ["2"]


class TestItems:
    def test_reads_texts_without_entities(self, tmp_path):
        items = [
            {"item_id": 1, "title": "L&#39;Oreal &amp;amp; Co", "brand": "L&#39;Oreal"},
            {"item_id": 2, "title": None, "brand": "Unknown", "price": 3},
        ]
        _, tables = _read(tmp_path, "1 1 2\n", items)
        assert tables.items["title"].tolist() == ["L'Oreal & Co", None]
        assert tables.items["brand"].tolist() == ["L'Oreal", None]
        assert tables.items["price"].tolist()[1] == 3.0
        assert "category" not in tables.items

    def test_category_is_the_deepest_level_with_enough_items(self, tmp_path):
        many = [
            {"item_id": f"m{i}", "categories": ["Skin", "Face", "Masks"]}
            for i in range(MIN_CATEGORY_ITEMS)
        ]
        few = {"item_id": "f", "categories": ["Skin", "Face", "Oils"]}
        lone = {"item_id": "l", "categories": ["Hair"]}
        _, tables = _read(tmp_path, "1 m0 f l\n", [*many, few, lone])
        items = tables.items.set_index("item_id")[["category", "product_type", "department"]]
        assert items.loc["m0"].tolist() == ["Skin > Face > Masks", "Skin > Face", "Skin"]
        assert items.loc["f"].tolist() == ["Skin > Face", "Skin > Face", "Skin"]
        assert items.loc["l"].tolist() == ["Hair", "Hair", "Hair"]

    def test_keeps_items_without_interactions_and_without_descriptions(self, tmp_path):
        result, tables = _read(tmp_path, "1 2 3\n", [{"item_id": 9, "title": "new"}])
        assert tables.items["item_id"].tolist() == ["9", "2", "3"]
        assert result.notes == ("2 items are not described by items.jsonl",)

    @pytest.mark.parametrize("line", ["{", "[]", "{}", '{"item_id": 1, "title": 5}'])
    def test_refuses_a_wrong_line(self, tmp_path, line):
        (tmp_path / "a.txt").write_text("1 2\n")
        (tmp_path / "items.jsonl").write_text('{"item_id": 2}\n' + line)
        with pytest.raises(DataError, match=r"items\.jsonl, line 2"):
            read(tmp_path / "a.txt", tmp_path)


class TestRealData:
    def test_beauty(self, real_data, tmp_path):
        report = import_tables("s3rec", real_data("beauty"), tmp_path / "out")
        assert report.rows == {"interactions": 198_502, "items": 12_101}
        assert {"timestamps", "event types", "outfits"} <= set(report.lacks)
        tables = read_tables(tmp_path / "out")
        assert tables.interactions is not None
        assert tables.interactions["customer_id"].nunique() == 22_363
        assert tables.items["title"].notna().sum() == 12_094
        assert tables.items["category"].notna().all()
        assert not tables.items["title"].str.contains("&#39;", na=False).any()
        first = (real_data("beauty") / "Beauty.txt").read_text().split("\n", 1)[0].split()
        assert tables.interactions["item_id"].tolist()[: len(first) - 1] == first[1:]

    def test_clothing(self, real_data, tmp_path):
        report = import_tables("s3rec", real_data("clothing"), tmp_path / "out")
        assert report.rows == {"interactions": 278_677, "items": 23_033}
        tables = read_tables(tmp_path / "out")
        assert tables.interactions is not None
        assert tables.interactions["customer_id"].nunique() == 39_387
