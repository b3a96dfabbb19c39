import numpy as np
import pytest

from stylerec.data.histories import Histories
from stylerec.data.splits import leave_one_out
from stylerec.models.ranking import validation
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel, ScoringGraph
from stylerec.models.ranking.validation import (
    choose_targets,
    validation_ndcg_at_10,
)

BIAS = -1


@pytest.fixture
def model(features) -> RankingModel:
    """Scores every item by its bias alone: the higher its index, the better."""
    config = RankingConfig.amf(embedding_dim=2)
    num_items = len(features.numeric)
    model = RankingModel(config, features, has_id=np.arange(num_items) >= 2)
    table = np.zeros((num_items, 3), np.float32)
    table[:, BIAS] = np.arange(num_items)
    model.parameters.variables["item.id"].assign(table)
    return model


def one_customer(*items: int) -> Histories:
    return Histories(
        np.array(items, np.int32),
        np.ones(len(items), np.int8),
        np.zeros(len(items), np.int64),
        np.array([0, len(items)], np.int64),
    )


def ndcg(model: RankingModel, histories: Histories) -> float:
    targets = leave_one_out(histories).validation
    return validation_ndcg_at_10(ScoringGraph(model), histories, targets, max_len=2)


class TestValidationNdcgAt10:
    def test_target_is_the_last_but_one_interaction(self, model: RankingModel) -> None:
        assert ndcg(model, one_customer(2, 3, 41, 5)) == pytest.approx(1.0)

    def test_counts_items_ahead_of_the_target(self, model: RankingModel) -> None:
        # Items 39, 40 and 41 are ahead: rank 4.
        assert ndcg(model, one_customer(2, 3, 38, 5)) == pytest.approx(1 / np.log2(1 + 4))

    def test_seen_items_do_not_compete_however_long_ago(self, model: RankingModel) -> None:
        # Item 41 left the history of 2 that the model reads, yet was seen: rank 2.
        assert ndcg(model, one_customer(41, 2, 3, 39, 5)) == pytest.approx(1 / np.log2(1 + 2))

    def test_is_zero_beyond_rank_ten(self, model: RankingModel) -> None:
        assert ndcg(model, one_customer(2, 3, 31, 5)) == 0.0

    def test_ties_count_against_the_target(self, model: RankingModel) -> None:
        model.parameters.variables["item.id"].assign(np.zeros((42, 3), np.float32))
        # 40 items less 2 seen ones score the same.
        assert ndcg(model, one_customer(2, 3, 38, 5)) == 0.0

    def test_is_the_mean_over_customers_of_any_length(self, model: RankingModel) -> None:
        # Ranks 1, 4 (39, 40 and 41 ahead) and, with 40 and 41 seen, 2 (39 ahead).
        items = [[2, 3, 41, 5], [2, 3, 38, 5], [40, 41, 2, 3, 4, 6, 38, 5]]
        together = Histories(
            np.concatenate(items).astype(np.int32),
            np.ones(16, np.int8),
            np.zeros(16, np.int64),
            np.array([0, 4, 8, 16], np.int64),
        )
        expected = (1 / np.log2(1 + 1) + 1 / np.log2(1 + 4) + 1 / np.log2(1 + 2)) / 3
        assert ndcg(model, together) == pytest.approx(expected)

    def test_the_same_customers_in_other_blocks_give_the_same(
        self, model: RankingModel, histories: Histories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = ndcg(model, histories)
        monkeypatch.setattr(validation, "_BLOCK", 7)
        assert ndcg(model, histories) == pytest.approx(whole)


class TestChooseTargets:
    def test_leaves_out_targets_that_the_customer_has_seen(self) -> None:
        histories = Histories(
            np.array([2, 3, 4, 5, 6, 7, 6, 8, 9, 10], np.int32),
            np.ones(10, np.int8),
            np.zeros(10, np.int64),
            np.array([0, 4, 8, 10], np.int64),
        )
        split = leave_one_out(histories)
        np.testing.assert_array_equal(split.validation.customer, [0, 1])
        found = choose_targets(histories, split.validation, 10, seed=0)
        np.testing.assert_array_equal(found.customer, [0])
        np.testing.assert_array_equal(found.place, [2])

    def test_takes_at_most_as_many_as_asked_and_the_same_for_a_seed(
        self, histories: Histories
    ) -> None:
        targets = leave_one_out(histories).validation
        first, same, other = (
            choose_targets(histories, targets, 20, seed=seed).customer for seed in (1, 1, 2)
        )
        assert len(first) == len(set(first)) == 20
        assert (np.diff(first) > 0).all()
        np.testing.assert_array_equal(first, same)
        assert (first != other).any()

    def test_looks_further_until_there_are_enough(
        self, histories: Histories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        targets = leave_one_out(histories).validation
        whole = choose_targets(histories, targets, 20, seed=1)
        monkeypatch.setattr(validation, "_LOOKED_AT_PER_BLOCK", 3)
        blocks = choose_targets(histories, targets, 20, seed=1)
        np.testing.assert_array_equal(blocks.customer, whole.customer)

    def test_is_empty_without_targets(self) -> None:
        histories = one_customer(2, 3)
        assert not len(choose_targets(histories, leave_one_out(histories).validation, 5, seed=0))
