import json

import pandas as pd
import pytest

from stylerec.data.readers.polyvore import read
from stylerec.errors import DataError


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "polyvore"
    folder.mkdir()
    held_out = {
        "valid": {
            "7": {"upper": {"index": 1, "name": "silk top"}, "shoe": {"index": 2, "name": ""}}
        },
        "test": {"8": {"shoe": {"index": 3, "name": "boots"}, "bag": {"index": 4, "name": "tote"}}},
    }
    for side, outfits in held_out.items():
        name = f"mcn_{side}_no_dup_with_category_3more_name.json"
        (folder / name).write_text(json.dumps(outfits))
    train = [
        {"set_id": "1", "items_index": [1, 2, 3], "items_category": [11, 41, 999]},
        {"set_id": "2", "items_index": [1, 2], "items_category": [11, 999]},
    ]
    (folder / "train_no_dup_new_100.json").write_text(json.dumps(train))
    items = [("7_1", "silk top", 11), ("7_2", None, 41), ("1_1", "tee", 11), ("8_3", "boots", 41)]
    lines = [json.dumps({"id": i, "name": n, "category_id": c}) for i, n, c in items]
    (folder / "merged_items.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "category_id.txt").write_text("11 Tops\n41 Shoes\n")
    prices = pd.DataFrame(
        {
            "set_id": ["1", "1", "8"],
            "clothingItemIndex": [1, 2, 3],
            "clothingItemPrice": [20.0, -1.0, 50.0],
        }
    )
    prices.to_parquet(folder / "polyvore_v1_text_6793.parquet")
    return folder


class TestRead:
    def test_writes_items_with_slot_and_category(self, source, tmp_path):
        read(source, tmp_path)
        items = pd.read_parquet(tmp_path / "items.parquet").set_index("item_id")
        assert items.loc["1_1", ["title", "category", "product_type"]].tolist() == [
            "tee",
            "Tops",
            "upper",
        ]
        assert items.loc["1_2", "title"] is None
        assert items.loc["8_4", "category"] is None
        assert items.loc["8_4", "product_type"] == "bag"

    def test_only_training_items_have_prices(self, source, tmp_path):
        read(source, tmp_path)
        price = pd.read_parquet(tmp_path / "items.parquet").set_index("item_id")["price"]
        assert price.dropna().to_dict() == {"1_1": 20.0}

    def test_an_outfit_id_says_its_side_and_the_first_item_is_the_hero(self, source, tmp_path):
        read(source, tmp_path)
        outfits = pd.read_parquet(tmp_path / "outfits.parquet")
        assert outfits["outfit_id"].tolist() == [
            *["train/1"] * 2,
            *["validation/7"] * 2,
            *["test/8"] * 2,
        ]
        assert outfits["is_hero"].tolist() == [True, False] * 3

    def test_counts_what_it_leaves_out(self, source, tmp_path):
        found = read(source, tmp_path)
        assert found.skipped == {
            "training item of a category without a slot": 2,
            "training set with fewer than two such items": 1,
        }
        assert found.notes == ("4 of 6 items have a name, 1 a price",)

    def test_refuses_a_folder_without_the_files(self, tmp_path):
        with pytest.raises(DataError, match=r"merged_items\.jsonl"):
            read(tmp_path, tmp_path)

    def test_refuses_prices_of_another_layout(self, source, tmp_path):
        pd.DataFrame({"set": ["1"]}).to_parquet(source / "polyvore_v1_text_6793.parquet")
        with pytest.raises(DataError, match="expected set_id, clothingItemIndex"):
            read(source, tmp_path)

    def test_refuses_another_layout(self, source, tmp_path):
        (source / "train_no_dup_new_100.json").write_text('[{"set": 1}]')
        with pytest.raises(DataError, match="expected set_id, items_index, items_category"):
            read(source, tmp_path)
