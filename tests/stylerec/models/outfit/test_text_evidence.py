import numpy as np
import pandas as pd

from stylerec.models.outfit.text_evidence import TextEvidence, text_evidence


class Constant:
    def __init__(self, *values):
        self.values = values

    def channels(self, left, right):
        return np.tile(np.array(self.values), (len(left), 1))


class TestTextEvidence:
    def test_puts_the_parts_side_by_side(self):
        found = TextEvidence((Constant(1.0, 2.0), Constant(3.0))).channels(
            np.array([2, 3]), np.array([4, 5])
        )
        assert found.tolist() == [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]

    def test_has_words_channels_and_one_of_style(self):
        items = pd.DataFrame(
            {
                "item_index": np.arange(2, 14),
                "title": ["leather boots", "leather bag"] * 6,
                "product_type": ["shoe", "bag"] * 6,
            }
        )
        train = [np.array([2 + i, 3 + i]) for i in range(0, 10, 2)]
        found = text_evidence(train, items, num_items=14)
        assert found.channels(np.array([12]), np.array([13])).shape == (1, 13 + 1)
