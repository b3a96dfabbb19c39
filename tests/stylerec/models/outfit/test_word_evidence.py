import numpy as np
import pandas as pd
import pytest

from stylerec.models.outfit.word_evidence import WordEvidence

WORDS = ("leather", "beach")
NUM_ITEMS = 2 + 40
ITEMS = pd.DataFrame(
    {
        "item_index": np.arange(2, NUM_ITEMS),
        "title": [f"{WORDS[i // 2 % 2]} thing" for i in range(40)],
        "product_type": [("bag", "shoe")[i % 2] for i in range(40)],
        "category": [("Totes", "Boots")[i % 2] for i in range(40)],
    }
)
# A bag and a shoe of one word each; the last eight items are in no outfit.
TRAIN = [np.array([2 + i, 3 + i]) for i in range(0, 32, 2)]


@pytest.fixture(scope="module")
def evidence():
    return WordEvidence(TRAIN, ITEMS, num_items=NUM_ITEMS, dim=3)


class TestChannels:
    def test_new_items_attract_each_other_by_their_words(self, evidence):
        # Items 34 and 35 are leather, 36 and 37 are of the beach.
        matching, clashing = evidence.channels(np.array([34, 34]), np.array([35, 37]))
        assert matching[0] > clashing[0]
        assert matching[1] > clashing[1]
        assert matching[2] > clashing[2]

    def test_the_order_of_a_pair_does_not_matter(self, evidence):
        one = evidence.channels(np.array([34, 2]), np.array([37, 9]))
        assert one == pytest.approx(
            evidence.channels(np.array([37, 9]), np.array([34, 2])), abs=1e-6
        )

    def test_items_without_words_give_zeros(self):
        items = ITEMS.assign(title=None, category=None)
        found = WordEvidence(TRAIN, items, num_items=NUM_ITEMS, dim=3)
        assert (found.channels(np.array([34]), np.array([35])) == 0).all()
