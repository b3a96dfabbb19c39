import pandas as pd
import pytest

from stylerec.data.importing import import_tables
from stylerec.data.readers.mango import read
from stylerec.data.tables import read_tables
from stylerec.errors import DataError

TOPS, EXTRAS = "Tops", "Accesories, Swim and Intimate"


def _product(code, group, *, kind="Blouse", sex="Female", age="Adult"):
    return {
        "cod_modelo_color": code,
        "cod_color_code": "01",
        "des_color_specification_esp": "AZUL MARINO",
        "des_agrup_color_eng": "BLUE",
        "des_sex": sex,
        "des_age": age,
        "des_line": "SHE",
        "des_fabric": "P-PLANA",
        "des_product_category": group,
        "des_product_aggregated_family": "Shirts",
        "des_product_family": "Shirt",
        "des_product_type": kind,
        "des_filename": f"datathon/images/2019_{code}.jpg",
    }


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "mango"
    (folder / "img128").mkdir(parents=True)
    products = [
        _product("bag", EXTRAS, kind="Bag"),
        _product("shirt", TOPS),
        _product("boy", TOPS, sex="Male", age="Kids"),
        _product("lamp", "Home", sex="Unisex"),
    ]
    pd.DataFrame(products).to_csv(folder / "product_data.csv", index=False)
    for code in ("bag", "shirt"):
        (folder / "img128" / f"2019_{code}.jpg").write_bytes(code.encode())
    (folder / "outfit_data.csv").write_text(
        '"cod_outfit","cod_modelo_color"\n1,"bag"\n1,"shirt"\n1,"boy"\n2,"lamp"\n2,"bag"\n'
    )
    return folder


def _read(source):
    output = source.parent / "out"
    output.mkdir()
    return read(source, output), read_tables(output), output


class TestRead:
    def test_there_are_no_interactions(self, source):
        _, tables, output = _read(source)
        assert tables.interactions is None
        assert sorted(path.name for path in output.iterdir()) == [
            "images",
            "items.parquet",
            "outfits.parquet",
        ]

    def test_items(self, source):
        _, tables, _ = _read(source)
        bag = tables.items.set_index("item_id").loc["bag"]
        assert bag["title"] == "Blue bag"
        assert bag["category"] == "Shirt"
        assert bag["product_type"] == "Bag"
        assert bag["colour"] == "Blue"
        assert list(bag["attributes"]) == [
            "fabric:P-PLANA",
            "shade:AZUL MARINO",
            "line:SHE",
            "sex:Female",
            "age:Adult",
            f"group:{EXTRAS}",
            "family_group:Shirts",
            "era:2019",
        ]
        assert tables.items["department"].tolist() == ["Women", "Women", "Kids", "Unisex"]

    def test_copies_the_pictures(self, source):
        result, tables, output = _read(source)
        paths = tables.items.set_index("item_id")["image_path"]
        assert (output / paths["bag"]).read_bytes() == b"bag"
        assert paths["boy"] is None
        assert result.notes == ("2 products have no picture",)

    def test_hero_is_the_first_garment_or_else_the_first_item(self, source):
        _, tables, _ = _read(source)
        assert tables.outfits is not None
        assert tables.outfits["item_id"].tolist() == ["bag", "shirt", "boy", "lamp", "bag"]
        assert tables.outfits["is_hero"].tolist() == [False, True, False, True, False]

    def test_refuses_a_missing_column(self, source):
        (source / "outfit_data.csv").write_text("cod_outfit\n1\n")
        with pytest.raises(DataError, match=r"outfit_data\.csv, column cod_modelo_color"):
            _read(source)

    def test_refuses_a_file_without_rows(self, source):
        (source / "outfit_data.csv").write_text("cod_outfit,cod_modelo_color\n")
        with pytest.raises(DataError, match="not one such row"):
            _read(source)


class TestRealData:
    def test_counts(self, real_data, tmp_path):
        report = import_tables("mango", real_data("mango"), tmp_path / "out")
        assert report.rows == {"items": 9_222, "outfits": 43_582}
        assert "interactions" in report.lacks
        assert "pictures" not in report.lacks
        tables = read_tables(tmp_path / "out")
        outfits = tables.outfits
        assert outfits is not None
        assert outfits["outfit_id"].nunique() == 7_842
        assert outfits.groupby("outfit_id")["is_hero"].sum().eq(1).all()
        assert tables.items["product_type"].nunique() == 123
        assert tables.items["category"].nunique() == 39
        assert all((tmp_path / "out" / path).is_file() for path in tables.items["image_path"])
