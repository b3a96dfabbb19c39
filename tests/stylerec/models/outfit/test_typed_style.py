import numpy as np
import pandas as pd
import pytest

from stylerec.models.outfit.typed_style import TypedStyle

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


def fitted(items=ITEMS, train=TRAIN, **options):
    return TypedStyle(train, items, num_items=NUM_ITEMS, dim=8, num_epochs=60, **options)


@pytest.fixture(scope="module")
def style():
    return fitted()


class TestChannels:
    def test_new_items_go_together_by_their_words(self, style):
        # Items 34 and 35 are leather, 36 and 37 are of the beach.
        left, right = np.array([34, 34, 36, 36]), np.array([35, 37, 37, 35])
        leather, clash, beach, other_clash = style.channels(left, right)[:, 0]
        assert min(leather, beach) > max(clash, other_clash)

    def test_the_order_of_a_pair_does_not_matter(self, style):
        one = style.channels(np.array([34, 2]), np.array([37, 9]))
        assert one == pytest.approx(style.channels(np.array([37, 9]), np.array([34, 2])), abs=1e-6)

    def test_the_same_seed_gives_the_same_numbers(self, style):
        pairs = np.array([34, 2]), np.array([37, 9])
        assert (fitted().channels(*pairs) == style.channels(*pairs)).all()
        assert (fitted(seed=1).channels(*pairs) != style.channels(*pairs)).any()

    def test_columns_may_be_absent_and_outfits_too(self):
        found = fitted(items=ITEMS[["item_index"]], train=[])
        assert np.isfinite(found.channels(np.array([34]), np.array([35]))).all()
