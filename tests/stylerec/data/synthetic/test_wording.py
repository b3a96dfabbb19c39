from dataclasses import replace

from stylerec.data.synthetic.assortment import PRODUCT_TYPES
from stylerec.data.synthetic.wording import AESTHETIC_INDEX, ItemWords, describe

SHIRT = ItemWords(
    product_type="shirt",
    department="menswear",
    brand="Fennmoor",
    colour="navy",
    pattern="check",
    aesthetic=AESTHETIC_INDEX["classic"],
    occasion="office",
    fit="slim",
    length="long",
    noun=0,
    material=0,
    adjective=0,
)


class TestDescribe:
    def test_title_names_brand_colour_and_pattern(self):
        title, description, attributes = describe(SHIRT)
        assert title == "Fennmoor tailored cotton shirt in navy check"
        assert "Slim shirt in cotton, navy check." in description
        assert attributes == [
            "pattern: check", "material: cotton", "fit: slim", "occasion: office",
        ]  # fmt: skip

    def test_leaves_plain_out_of_the_title(self):
        assert describe(replace(SHIRT, pattern="plain"))[0].endswith("in navy")

    def test_names_the_length_where_it_varies(self):
        assert " long " in describe(replace(SHIRT, product_type="coat"))[0]
        assert " long " not in describe(SHIRT)[0]

    def test_swimwear_of_men_is_not_a_swimsuit(self):
        title = describe(replace(SHIRT, product_type="swimwear"))[0]
        assert "swim shorts" in title

    def test_describes_every_product_type(self):
        for kind in PRODUCT_TYPES:
            for department in kind.departments:
                words = replace(SHIRT, product_type=kind.name, department=department)
                assert all(describe(words))
