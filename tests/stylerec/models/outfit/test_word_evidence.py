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
WORDS_ATTRACTION, BOUND_ATTRACTION, CATEGORY_ATTRACTION = 0, 3, 6
SHARED_COSINE, RAREST_SHARED, TIER_DISTANCE, TIER_PRODUCT = 9, 10, 11, 12


@pytest.fixture(scope="module")
def evidence():
    return WordEvidence(TRAIN, ITEMS, num_items=NUM_ITEMS, dim=3)


def channels(items, left, right):
    found = WordEvidence(TRAIN, items, num_items=NUM_ITEMS, dim=3)
    return found.channels(np.array([left]), np.array([right]))[0]


class TestChannels:
    def test_new_items_attract_each_other_by_their_words(self, evidence):
        # Items 34 and 35 are leather, 36 and 37 are of the beach.
        matching, clashing = evidence.channels(np.array([34, 34]), np.array([35, 37]))
        for first in (WORDS_ATTRACTION, BOUND_ATTRACTION):
            assert (matching[first : first + 3] > clashing[first : first + 3]).all()

    def test_the_mean_attraction_is_the_log_of_meetings_over_chance(self, evidence):
        # 16 outfits of a tote and boots: each category meets 16 times, by chance 16 * 16 / 32.
        found = evidence.channels(np.array([34]), np.array([35]))[0, CATEGORY_ATTRACTION]
        assert found == pytest.approx(np.log((16 + 1) / (8 + 1)))

    def test_the_order_of_a_pair_does_not_matter(self, evidence):
        one = evidence.channels(np.array([34, 2]), np.array([37, 9]))
        assert one == pytest.approx(
            evidence.channels(np.array([37, 9]), np.array([34, 2])), abs=1e-6
        )

    def test_items_without_words_give_zeros(self):
        assert (channels(ITEMS.assign(title=None, category=None), 34, 35) == 0).all()

    def test_columns_may_be_absent(self):
        assert (channels(ITEMS[["item_index"]], 34, 35) == 0).all()


class TestSharedWords:
    def test_a_plural_is_shared_with_its_singular(self):
        titles = ["thing"] * 40
        titles[32], titles[33] = "boots", "boot"
        # No training item has the word, and all 32 have another: log((32 + 1) / (0 + 1)).
        found = channels(ITEMS.assign(title=titles), 34, 35)
        assert found[SHARED_COSINE] == pytest.approx(1.0)
        assert found[RAREST_SHARED] == pytest.approx(np.log(33 / 1))

    def test_a_word_of_all_training_items_says_nothing(self):
        found = channels(ITEMS.assign(title="thing"), 34, 35)
        assert found[[SHARED_COSINE, RAREST_SHARED]].tolist() == [0.0, 0.0]


class TestPriceTier:
    def test_words_tell_the_tier_of_items_without_a_price(self):
        price = [(100.0, 10.0)[i // 2 % 2] if i < 32 else np.nan for i in range(40)]
        items = ITEMS.assign(price=price)
        same, other = channels(items, 34, 35), channels(items, 34, 37)
        assert same[TIER_DISTANCE] == pytest.approx(0.0, abs=1e-6)
        assert other[TIER_DISTANCE] > 0.5
        assert same[TIER_PRODUCT] > 0 > other[TIER_PRODUCT]

    def test_a_held_out_item_s_price_is_not_read(self):
        price = [20.0] * 32 + [1.0, 5_000.0] * 4
        found = channels(ITEMS.assign(price=price), 34, 35)
        assert found[TIER_DISTANCE] == pytest.approx(0.0, abs=1e-6)
