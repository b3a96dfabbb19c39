import numpy as np
import pytest

from benchmarks.models import peer_protocol as protocol
from stylerec.data.histories import Histories
from stylerec.data.splits import leave_one_out
from stylerec.evaluation.ranking import evaluate_scorer

NUM_ITEMS = 60


@pytest.fixture
def histories():
    """Fifty customers who may meet an item twice."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(2, 9, 50)
    num_interactions = int(lengths.sum())
    return Histories(
        item_index=generator.integers(2, NUM_ITEMS, num_interactions).astype(np.int32),
        event_type=np.ones(num_interactions, np.int8),
        timestamp_s=np.zeros(num_interactions, np.int64),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
    )


@pytest.fixture
def data(histories, tmp_path):
    histories.save(tmp_path / "histories")
    leave_one_out(histories).save(tmp_path / "split")
    return protocol.load(tmp_path)


class TestData:
    def test_trains_on_the_leading_interactions(self, histories, data):
        customer, item, order = data.training()
        expected = [
            (c, int(histories.item_index[start + place]), place)
            for c, start in enumerate(histories.offsets[:-1])
            for place in range(data.train_lengths[c])
        ]
        assert list(zip(customer, item, order, strict=True)) == expected

    def test_blocks_hold_everything_before_the_targets(self, histories, data):
        found = list(protocol.blocks(data, data.test, 7))
        items = np.concatenate([targets for _, targets in found])
        lengths = [len(history) for some, _ in found for history in some]
        np.testing.assert_array_equal(items, histories.item_index[data.test.place])
        np.testing.assert_array_equal(lengths, histories.lengths[data.test.customer] - 1)


class TestRanks:
    def test_counts_unseen_items_that_are_not_below_the_target(self):
        #                   padding, unknown, then items 2 to 7
        scores = np.array([[9.0, 9.0, 5.0, 4.0, 3.0, 3.0, 2.0, np.nan]])
        # Item 2 is seen; 3 is above the target 4, 5 ties with it, and 7 is not a number.
        assert protocol.ranks(scores, [np.array([2])], np.array([4])).tolist() == [4]

    def test_leaves_out_who_has_seen_the_target(self):
        scores = np.zeros((2, 5))
        found = protocol.ranks(scores, [np.array([3]), np.array([2])], np.array([3, 3]))
        assert len(found) == 1


class TestMetrics:
    def test_is_the_arithmetic(self):
        found = protocol.metrics(np.array([1, 3, 10, 11]))
        assert found["hit_rate_at_10"] == 3 / 4
        assert found["ndcg_at_10"] == pytest.approx((1 + 1 / 2 + 1 / np.log2(11)) / 4)

    @pytest.mark.parametrize("split", ["validation", "test"])
    def test_agrees_with_the_librarys_harness(self, histories, data, split):
        # Few distinct scores, so that many tie; they depend on the newest item.
        table = np.random.default_rng(1).integers(0, 6, (NUM_ITEMS, NUM_ITEMS)).astype(np.float32)
        targets = getattr(leave_one_out(histories), split)
        expected = evaluate_scorer(
            lambda part: table[part.item_index[np.cumsum(part.lengths) - 1]], histories, targets
        )
        found = protocol.metrics(
            np.concatenate(
                [
                    protocol.ranks(table[[history[-1] for history in some]], some, items)
                    for some, items in protocol.blocks(data, getattr(data, split), 16)
                ]
            )
        )
        assert found["num_customers"] == expected.num_customers < len(targets)
        assert found["ndcg_at_10"] == pytest.approx(expected.ndcg_at_10)
        assert found["hit_rate_at_10"] == pytest.approx(expected.hit_rate_at_10)
