import numpy as np
import pytest

from stylerec.data.synthetic.assortment import COLOURS, PATTERNS, PRODUCT_TYPES, WOMENSWEAR
from stylerec.data.synthetic.pictures import PICTURE_SIZE, draw_picture


def picture(**changes):
    arguments = {
        "product_type": "dress",
        "department": WOMENSWEAR,
        "colour": 3,
        "pattern": "plain",
        "wide": 0.5,
        "long": 0.5,
    } | changes
    return np.asarray(draw_picture(**arguments), dtype=np.float64)


class TestDrawPicture:
    @pytest.mark.parametrize("kind", PRODUCT_TYPES, ids=lambda kind: kind.name)
    def test_every_type_covers_part_of_the_picture(self, kind):
        for department in kind.departments:
            pixels = picture(product_type=kind.name, department=department)
            share = (pixels.min(axis=2) < 240).mean()
            assert pixels.shape == (PICTURE_SIZE, PICTURE_SIZE, 3)
            assert 0.03 < share < 0.7

    def test_types_look_different(self):
        drawn = {picture(product_type=kind.name).tobytes() for kind in PRODUCT_TYPES}
        assert len(drawn) == len(PRODUCT_TYPES)

    def test_patterns_look_different(self):
        drawn = {picture(pattern=pattern).tobytes() for pattern in PATTERNS}
        assert len(drawn) == len(PATTERNS)

    def test_shows_the_colour_in_the_middle(self):
        for number, expected in enumerate(COLOURS.values()):
            middle = picture(colour=number, product_type="t-shirt")[40, 32]
            np.testing.assert_allclose(middle, expected, atol=12)

    def test_longer_cut_reaches_lower(self):
        def lowest(long):
            return np.flatnonzero((picture(long=long).min(axis=2) < 200).any(axis=1)).max()

        assert lowest(1.0) > lowest(0.5) > lowest(0.0)

    def test_wider_cut_covers_more(self):
        def area(wide):
            return (picture(wide=wide).min(axis=2) < 200).sum()

        assert area(1.0) > area(0.0)

    def test_swimwear_differs_by_department(self):
        assert (
            picture(product_type="swimwear")
            != picture(product_type="swimwear", department="menswear")
        ).any()
