import numpy as np
import pytest

from benchmarks.outfits.generated import generated_and_control, preferred_share

TYPES = [None, None, "dress", "shoes", "shoes", "bag", "bag", "bag", None]


@pytest.fixture
def style() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)


class TestGeneratedAndControl:
    def test_keep_hero_and_product_types(self, style) -> None:
        outfits = [np.array([2, 3, 5]), np.array([3, 5, 6, 2]), np.array([2, 8])]
        generated, control = generated_and_control(style, TYPES, outfits, beam_width=20)
        # The third outfit's other item has no type, so there is nothing to fill.
        for found in (generated, control):
            assert found[:, 0].tolist() == [2, 3]
            named = [[TYPES[item] for item in row[1:] if item] for row in found]
            assert named == [["shoes", "bag"], ["bag", "bag", "dress"]]
            assert all(len(set(row[row > 0])) == (row > 0).sum() for row in found)

    def test_generated_is_the_best_of_all(self, style) -> None:
        generated, _ = generated_and_control(style, TYPES, [np.array([2, 3, 5])], beam_width=20)
        total = {
            (shoes, bag): style[2] @ style[shoes] + (style[2] + style[shoes]) @ style[bag]
            for shoes in (3, 4)
            for bag in (5, 6, 7)
        }
        assert tuple(generated[0, 1:]) == max(total, key=lambda pair: total[pair])

    def test_a_type_with_too_few_items_stands_less_often(self, style) -> None:
        generated, _ = generated_and_control(style, TYPES, [np.array([3, 4, 4, 2])])
        assert (generated[0] > 0).sum() == 3

    def test_the_control_differs_by_seed_alone(self, style) -> None:
        outfits = [np.array([2, 5, 6])] * 20
        one, other = (generated_and_control(style, TYPES, outfits, seed=s)[1] for s in (0, 0))
        assert one.tolist() == other.tolist()
        assert len({tuple(row) for row in one}) > 1


class TestPreferredShare:
    def test_counts_ties_half(self) -> None:
        ours, theirs = np.array([[3], [1], [2], [2]]), np.array([[1], [2], [2], [2]])
        assert preferred_share(lambda rows: rows[:, 0].astype(float), ours, theirs) == (1 + 1) / 4
