import math

import numpy as np
import pandas as pd
import pytest

from stylerec.data.outfit_evidence import worn_together
from stylerec.data.outfit_traits import company, trait_codes

ITEMS = pd.DataFrame(
    {
        "item_index": [2, 3, 4, 5],
        "product_type": ["bag", "bag", "shoes", None],
        "colour": ["red", "blue", "red", "red"],
        "attributes": [["fabric:silk", "soft"], ["fabric:wool"], None, ["fabric:wool"]],
    }
)


class TestTraitCodes:
    def test_values_of_two_types_are_two_values(self):
        codes = trait_codes(ITEMS, num_items=6, within_type=True)
        assert codes["colour"].tolist() == [0, 0, 1, 2, 3, 4]
        assert codes["fabric"].tolist() == [0, 0, 1, 2, 0, 3]

    def test_or_one_value(self):
        codes = trait_codes(ITEMS, num_items=6, within_type=False)
        assert codes["colour"].tolist() == [0, 0, 1, 2, 1, 1]

    def test_leaves_out_the_type_itself_and_traits_of_one_value(self):
        items = ITEMS.assign(department="Women")
        assert set(trait_codes(items, num_items=6, within_type=False)) == {"colour", "fabric"}

    def test_takes_items_without_any_trait(self):
        assert trait_codes(ITEMS[["item_index"]], num_items=6, within_type=True) == {}


class TestLift:
    def test_is_the_log_ratio_to_the_usual_share(self):
        # Dress 2 is worn with bags 3 (red) and 4 (red); dress 5 with bag 6 (blue).
        outfits = [np.array([2, 3]), np.array([2, 4]), np.array([5, 6])]
        together = worn_together(outfits, num_items=7)
        colour = np.array([0, 0, 0, 1, 1, 0, 2])
        types = np.array([0, 0, 1, 2, 2, 1, 2])
        found = company(together, colour, types).lift(np.array([2, 2, 5]), np.array([3, 6, 3]))
        # Usual shares among the 3 bags worn, one added per value: red 3 / 5, blue 2 / 5.
        red_of_two = (2 + 2 * 0.6) / (2 + 2)
        blue_of_none = (0 + 2 * 0.4) / (2 + 2)
        red_of_none = (0 + 2 * 0.6) / (1 + 2)
        expected = [red_of_two / 0.6, blue_of_none / 0.4, red_of_none / 0.6]
        assert found == pytest.approx([math.log(ratio) for ratio in expected])

    def test_is_0_without_company_or_without_the_trait(self):
        together = worn_together([np.array([2, 3])], num_items=5)
        own = company(together, np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 1, 1]))
        assert own.lift(np.array([4, 2]), np.array([3, 2])) == pytest.approx([0, 0])
