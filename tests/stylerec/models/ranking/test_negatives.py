import numpy as np
import pytest

from stylerec.models.ranking.batches import Batch
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.negatives import (
    NO_COMPETITOR,
    FullSoftmaxItems,
    SampledItems,
    StepItems,
    choose_step_items,
)

COUNTS = np.array([0, 0, 16, 1, 0, 1, 7])
HAS_ID = np.array([False, False, True, True, False, True, False])


@pytest.fixture
def batch() -> Batch:
    history = {"history_item_index": np.array([[0, 5], [1, 2]], np.int64)}
    return Batch(history, np.array([3, 2], np.int64), np.ones(2, np.float32))


def sample(
    kind: str, batch: Batch, *, num_negatives: int = 1000, seed: int = 0, step: int = 0
) -> StepItems:
    sampler = SampledItems(
        COUNTS, candidates=HAS_ID, kind=kind, num_negatives=num_negatives, seed=seed
    )
    return sampler(batch, step=step)


def history_items(items: StepItems) -> np.ndarray:
    """The items that history rows stand for, 0 where they stand for none."""
    return np.where(items.history_row < 0, 0, items.item_index[items.history_row])


class TestFullSoftmaxItems:
    def test_rows_find_their_items(self, batch: Batch) -> None:
        items = FullSoftmaxItems(HAS_ID)(batch, step=0)
        np.testing.assert_array_equal(items.item_index, [2, 3, 5])
        np.testing.assert_array_equal(items.item_index[items.target_row], batch.target)
        np.testing.assert_array_equal(history_items(items), [[0, 5], [0, 2]])
        assert len(items.draws) == len(items.correction) == 3


class TestSampledItems:
    @pytest.mark.parametrize("kind", ["uniform", "popularity", "in_batch"])
    def test_rows_find_their_items(self, kind: str, batch: Batch) -> None:
        items = sample(kind, batch)
        np.testing.assert_array_equal(items.item_index[items.target_row], batch.target)
        np.testing.assert_array_equal(history_items(items), [[0, 5], [0, 2]])

    def test_competitors_come_first_then_what_is_only_read(self, batch: Batch) -> None:
        items = sample("in_batch", batch)
        np.testing.assert_array_equal(items.item_index, [2, 3, 5])
        assert len(items.draws) == len(items.correction) == 2

    @pytest.mark.parametrize("kind", ["uniform", "popularity"])
    def test_negatives_come_as_often_as_expected(self, kind: str, batch: Batch) -> None:
        items = sample(kind, batch, num_negatives=50_000)
        np.testing.assert_array_equal(items.item_index, [2, 3, 5])
        assert items.draws.sum() == 50_000
        expected = items.draws * np.exp(items.correction)
        np.testing.assert_allclose(items.draws, expected, rtol=0.05)

    def test_popularity_is_damped(self, batch: Batch) -> None:
        items = sample("popularity", batch, num_negatives=100)
        # 16 ** 0.75 = 8 against 1 and 1.
        expected = np.array([8, 1, 1]) * 100 / (8 + 1 + 1)
        np.testing.assert_allclose(items.draws * np.exp(items.correction), expected, rtol=1e-5)

    def test_targets_that_were_not_drawn_are_no_competitors(self, batch: Batch) -> None:
        drawn = {
            (tuple(items.draws > 0), tuple(items.correction == NO_COMPETITOR))
            for items in (sample("uniform", batch, num_negatives=1, step=s) for s in range(20))
        }
        # One draw of items 2, 3 or 5; the targets 2 and 3 are there whatever was drawn.
        assert drawn == {
            ((True, False), (False, True)),
            ((False, True), (True, False)),
            ((False, False, True), (True, True, False)),
        }

    def test_in_batch_takes_the_targets(self, batch: Batch) -> None:
        items = sample("in_batch", batch)
        np.testing.assert_array_equal(items.item_index[:2], [2, 3])
        np.testing.assert_array_equal(items.draws, [1, 1])
        expected = np.log([2 * 16 / (16 + 1 + 1), 2 * 1 / (16 + 1 + 1)])
        np.testing.assert_allclose(items.correction, expected, rtol=1e-6)

    def test_draws_depend_on_seed_and_step_alone(self, batch: Batch) -> None:
        first, same = sample("uniform", batch, step=3), sample("uniform", batch, step=3)
        np.testing.assert_array_equal(first.draws, same.draws)
        for other in (sample("uniform", batch, step=4), sample("uniform", batch, seed=1, step=3)):
            assert (first.draws != other.draws).any()

    def test_sampling_rate_is_draws_over_items_that_could_be_drawn(self) -> None:
        sampler = SampledItems(COUNTS, candidates=HAS_ID, kind="uniform", num_negatives=2, seed=0)
        assert sampler.sampling_rate == 2 / 3


class TestChooseStepItems:
    def test_takes_the_full_softmax_up_to_the_configured_size(self) -> None:
        config = RankingConfig(max_full_softmax_items=3)
        assert isinstance(choose_step_items(config, COUNTS, has_id=HAS_ID), FullSoftmaxItems)

    def test_samples_beyond_it(self) -> None:
        config = RankingConfig(max_full_softmax_items=2)
        assert isinstance(choose_step_items(config, COUNTS, has_id=HAS_ID), SampledItems)

    def test_samples_for_gbce_whatever_the_size(self) -> None:
        config = RankingConfig(loss="gbce", negatives="uniform")
        assert isinstance(choose_step_items(config, COUNTS, has_id=HAS_ID), SampledItems)
