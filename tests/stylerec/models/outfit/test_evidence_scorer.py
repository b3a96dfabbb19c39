from functools import partial

import numpy as np
import pandas as pd
import pytest

from stylerec.data.outfit_comparison import compare, draw_comparison
from stylerec.data.outfit_negatives import Negatives
from stylerec.models.outfit.evidence import pair_evidence
from stylerec.models.outfit.evidence_scorer import fit_evidence_scorer, pooled_channels

COLOURS = 4
NUM_ITEMS = 2 + 96
ITEMS = pd.DataFrame(
    {
        "item_index": np.arange(2, NUM_ITEMS),
        "product_type": [("bag", "dress", "hat")[i % 3] for i in range(96)],
        "colour": [str(i // 3 % COLOURS) for i in range(96)],
    }
)


def outfits(count: int, seed: int) -> list[np.ndarray]:
    """A bag, a dress and a hat of one colour each."""
    generator = np.random.default_rng(seed)
    colours, copies = (
        generator.integers(COLOURS, size=count),
        generator.integers(8, size=(count, 3)),
    )
    return [
        2 + np.arange(3) + 3 * colour + 3 * COLOURS * copy
        for colour, copy in zip(colours, copies, strict=True)
    ]


@pytest.fixture(scope="module")
def scorer():
    train, validation = outfits(150, 1), outfits(60, 2)
    draws = [draw_comparison(validation, Negatives(ITEMS, train, num_items=NUM_ITEMS), seed=0)]
    count = partial(pair_evidence, items=ITEMS, num_items=NUM_ITEMS)
    return fit_evidence_scorer(count, train, draws, [*train, *validation])


class TestPooledChannels:
    def test_pools_the_mean_of_pairs_and_each_items_best(self):
        train = [np.array([2, 3]), np.array([2, 3]), np.array([2, 4])]
        evidence = pair_evidence(train, ITEMS, num_items=NUM_ITEMS, groups=("together",))
        pooled = pooled_channels(evidence, np.array([[2, 3, 4, 0]]), ("mean", "best"))
        # Of the pairs 2-3, 2-4, 3-4 two were worn together; every item has a partner it was.
        assert pooled[0, 0] == pytest.approx(2 / 3)
        assert pooled[0, 3] == pytest.approx(3 / 3)

    def test_an_outfit_without_a_pair_gives_zeros(self):
        evidence = pair_evidence([], ITEMS, num_items=NUM_ITEMS, groups=("together",))
        pooled = pooled_channels(evidence, np.array([[2, 0], [0, 0]]), ("mean", "best"))
        assert (pooled == 0).all()


class TestFitEvidenceScorer:
    def test_learns_what_goes_together(self, scorer):
        negatives = Negatives(ITEMS, outfits(150, 1), num_items=NUM_ITEMS)
        found = compare(scorer, draw_comparison(outfits(80, 3), negatives, seed=5))
        assert found.auc > 0.95
        # Each of the three others has the outfit's colour too with odds of 7 in 31: who knows all
        # about colours is right in 0.46 + 0.41 / 2 + 0.12 / 3 + 0.01 / 4 = 0.71 of the questions.
        assert found.fitb > 0.6

    def test_ignores_order_and_padding(self, scorer):
        found = scorer(np.array([[2, 3, 4, 0], [4, 0, 2, 3]]))
        assert found[0] == pytest.approx(found[1])

    def test_scores_items_it_never_saw(self, scorer):
        assert np.isfinite(scorer(np.array([[2, 0, 0], [0, 0, 0]]))).all()
