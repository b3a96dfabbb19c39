import numpy as np
import pandas as pd
import torch

from stylerec.data.outfit_negatives import Negatives
from stylerec.models.outfit.batches import OutfitBatches, counter_examples, replaceable

ITEMS = pd.DataFrame(
    {"item_index": np.arange(2, 23), "product_type": ["bag", "dress"] * 10 + ["hat"]}
)
LONELY_HAT = 22


def negatives() -> Negatives:
    return Negatives(ITEMS, [], num_items=23)


def batches(outfits, *, seed: int = 3, **sizes: int) -> OutfitBatches:
    sizes = {"batch_size": 4, "num_negatives": 2, "num_single_negatives": 1, **sizes}
    return OutfitBatches(outfits, negatives(), seed=seed, device=torch.device("cpu"), **sizes)


OUTFITS = np.array([[2 + 2 * i, 3 + 2 * i, 0] for i in range(10)])


class TestReplaceable:
    def test_leaves_out_outfits_that_would_be_their_own_counter_example(self):
        found = replaceable([np.array([2, 3]), np.array([2, LONELY_HAT])], negatives())
        assert found.tolist() == [[2, 3]]


class TestCounterExamples:
    def test_draws_several_per_outfit(self):
        found = counter_examples(OUTFITS, negatives(), np.random.default_rng(0), num_whole=4)
        assert found.shape == (10, 4, 3)
        assert (found[:, :, 0] == OUTFITS[:, None, 0]).all()
        assert (found[:, :, 1] != OUTFITS[:, None, 1]).all()

    def test_single_ones_come_last_and_differ_in_one_item(self):
        outfits = np.array([[2, 3, 4, 0]] * 50)
        found = counter_examples(
            outfits, negatives(), np.random.default_rng(0), num_whole=1, num_single=2
        )
        num_changed = (found != outfits[:, None]).sum(axis=2)
        assert num_changed.tolist() == [[2, 1, 1]] * 50


class TestOutfitBatches:
    def test_an_epoch_holds_every_outfit_once(self):
        drawn = batches(OUTFITS)
        found = list(drawn.epoch())
        assert [len(batch.true_BN) for batch in found] == [4, 4, 2]
        assert len(drawn) == 3
        rows = torch.cat([batch.true_BN for batch in found]).tolist()
        assert sorted(rows) == OUTFITS.tolist()

    def test_counter_examples_belong_to_their_outfit(self):
        for batch in batches(OUTFITS).epoch():
            assert batch.false_BKN.shape == (len(batch.true_BN), 3, 3)
            assert (batch.false_BKN[:, :, 0] == batch.true_BN[:, None, 0]).all()

    def test_epochs_differ_and_the_seed_repeats_them(self):
        first, second, other = batches(OUTFITS), batches(OUTFITS), batches(OUTFITS, seed=4)
        epochs = [
            torch.cat([batch.false_BKN.flatten() for batch in drawn.epoch()]).tolist()
            for drawn in (first, first, second, other)
        ]
        assert epochs[0] == epochs[2]
        assert epochs[0] != epochs[1]
        assert epochs[0] != epochs[3]


class TestFixedCounterExamples:
    def test_are_the_same_in_every_epoch(self):
        own = OutfitBatches(
            OUTFITS,
            negatives(),
            batch_size=10,
            num_negatives=2,
            num_single_negatives=1,
            seed=3,
            device=torch.device("cpu"),
            is_fixed=True,
        )
        one, two = (next(iter(own.epoch())) for _ in range(2))
        of = [
            {tuple(t.tolist()): f.tolist() for t, f in zip(b.true_BN, b.false_BKN, strict=True)}
            for b in (one, two)
        ]
        assert of[0] == of[1]
