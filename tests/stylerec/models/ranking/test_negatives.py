import numpy as np
import pytest

from stylerec.models.ranking.batches import Batch
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.negatives import (
    FullSoftmaxItems,
    SampledItems,
    StepItems,
    choose_step_items,
)

COUNTS = np.array([0, 0, 16, 1, 0, 1])
HAS_ID = np.array([False, False, True, True, False, True])


@pytest.fixture
def batch() -> Batch:
    history = {"history_item_index": np.array([[0, 5], [1, 2]], np.int64)}
    return Batch(history, np.array([3, 2], np.int64))


def sample(kind: str, batch: Batch, num_negatives: int = 1000) -> StepItems:
    sampler = SampledItems(
        COUNTS,
        candidates=HAS_ID,
        kind=kind,
        num_negatives=num_negatives,
        rng=np.random.default_rng(0),
    )
    return sampler(batch)


class TestFullSoftmaxItems:
    def test_rows_find_their_items(self, batch: Batch) -> None:
        items = FullSoftmaxItems(HAS_ID)(batch)
        np.testing.assert_array_equal(items.item_index, [0, 2, 3, 5])
        np.testing.assert_array_equal(items.item_index[items.target_row], batch.target)
        np.testing.assert_array_equal(items.item_index[items.history_row], [[0, 5], [0, 2]])
        assert len(items.negative_row) == 0


class TestSampledItems:
    @pytest.mark.parametrize("kind", ["uniform", "popularity", "in_batch"])
    def test_rows_find_their_items(self, kind: str, batch: Batch) -> None:
        items = sample(kind, batch)
        np.testing.assert_array_equal(items.item_index[items.target_row], batch.target)
        np.testing.assert_array_equal(items.item_index[items.history_row], [[0, 5], [0, 2]])
        assert items.item_index[0] == 0

    @pytest.mark.parametrize("kind", ["uniform", "popularity"])
    def test_negatives_come_as_often_as_expected(self, kind: str, batch: Batch) -> None:
        items = sample(kind, batch, num_negatives=50_000)
        negatives = items.item_index[items.negative_row]
        assert set(negatives) == {2, 3, 5}
        for item in (2, 3, 5):
            drawn = negatives == item
            expected = np.exp(items.log_expected_count[drawn][0])
            assert drawn.sum() == pytest.approx(expected, rel=0.05)

    def test_popularity_is_damped(self, batch: Batch) -> None:
        items = sample("popularity", batch, num_negatives=100)
        negatives = items.item_index[items.negative_row]
        # 16 ** 0.75 = 8 against 1 and 1.
        expected = np.where(negatives == 2, 100 * 8 / (8 + 1 + 1), 100 / (8 + 1 + 1))
        np.testing.assert_allclose(items.log_expected_count, np.log(expected), rtol=1e-6)

    def test_in_batch_takes_the_targets(self, batch: Batch) -> None:
        items = sample("in_batch", batch)
        np.testing.assert_array_equal(items.item_index[items.negative_row], [3, 2])
        expected = np.log([2 * 1 / (16 + 1 + 1), 2 * 16 / (16 + 1 + 1)])
        np.testing.assert_allclose(items.log_expected_count, expected, rtol=1e-6)


class TestChooseStepItems:
    def test_takes_the_full_softmax_up_to_the_configured_size(self) -> None:
        config = RankingConfig(max_full_softmax_items=3)
        assert isinstance(choose_step_items(config, COUNTS, has_id=HAS_ID), FullSoftmaxItems)

    def test_samples_beyond_it(self) -> None:
        config = RankingConfig(max_full_softmax_items=2)
        assert isinstance(choose_step_items(config, COUNTS, has_id=HAS_ID), SampledItems)
