import pytest

from stylerec.data.synthetic.assortment import TYPE_NAMES
from stylerec.data.synthetic.silhouettes import CLOTHES, LINES, disc, mirrored, soft
from stylerec.data.synthetic.silhouettes_accessories import ACCESSORIES


class TestOutlines:
    def test_every_product_type_has_one(self):
        assert set(CLOTHES) | set(ACCESSORIES) == set(TYPE_NAMES)

    @pytest.mark.parametrize("name", TYPE_NAMES)
    def test_stays_inside_the_picture(self, name):
        outline = (CLOTHES | ACCESSORIES)[name]
        for wide in (-0.5, 0.0, 0.5):
            for long in (-0.5, 0.0, 0.5):
                for part in outline(wide, long):
                    assert len(part.points) >= (2 if part.paint in LINES else 3)
                    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in part.points)


class TestSoft:
    def test_cuts_corners_at_a_quarter(self):
        square = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]
        cut = soft(square, rounds=1)
        assert cut[:2] == ((1.0, 0.0), (3.0, 0.0))
        assert len(cut) == 2 * len(square)

    def test_open_line_keeps_its_ends(self):
        line = soft([(0.0, 0.0), (1.0, 1.0), (2.0, 0.0)], is_closed=False)
        assert (line[0], line[-1]) == ((0.0, 0.0), (2.0, 0.0))


class TestMirrored:
    def test_is_symmetric_about_the_middle(self):
        assert mirrored([(0.25, 0.0), (0.5, 1.0)]) == [
            (0.25, 0.0), (0.5, 1.0), (0.5, 1.0), (0.75, 0.0),
        ]  # fmt: skip


class TestDisc:
    def test_has_about_its_radius(self):
        distance = [((x - 0.5) ** 2 + (y - 0.5) ** 2) ** 0.5 for x, y in disc(0.5, 0.5, 0.1)]
        assert max(distance) == pytest.approx(0.1, rel=0.15)
