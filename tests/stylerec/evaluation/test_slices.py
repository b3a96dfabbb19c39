import math

import numpy as np
import pytest

from stylerec.evaluation.context import EvaluationContext
from stylerec.evaluation.slices import slice_metrics


def _context(num_customers, counts, *, trained=None, department=None, market=None):
    return EvaluationContext(
        train_counts=np.array(counts),
        train_lengths=np.ones(num_customers, int) if trained is None else np.array(trained),
        department=np.full(len(counts), -1) if department is None else np.array(department),
        departments=() if department is None else ("men", "women"),
        market=np.full(num_customers, -1) if market is None else np.array(market),
        markets=() if market is None else ("DE", "GB"),
    )


class TestSliceMetrics:
    def test_histories_are_short_medium_or_long(self, ranked, constant):
        lengths = (4, 5, 14, 15)
        customers = [[*range(2, 2 + length), 18] for length in lengths]
        found = slice_metrics(ranked(constant([0.0] * 20), *customers), _context(4, [1] * 20))
        assert {name: part.num_customers for name, part in found.items() if "history" in name} == {
            "history_short": 1,
            "history_medium": 2,
            "history_long": 1,
        }

    def test_figures_are_those_of_the_slice(self, ranked, constant):
        # Targets 4 to 7 score 4 to 1, what is seen does not compete: ranks 1 to 4.
        customers = [[2, 3, target] for target in (4, 5, 6, 7)]
        market = [1, 0, 1, -1]
        found = slice_metrics(
            ranked(constant([0, 0, 0, 0, 4, 3, 2, 1]), *customers),
            _context(4, [1] * 8, market=market),
        )
        gains = [1 / math.log2(1 + 1), 1 / math.log2(3 + 1)]
        assert found["market=GB"].num_customers == 2
        assert found["market=GB"].hit_rate_at_10 == 1.0
        assert found["market=GB"].hit_rate_at_10_standard_error == 0.0
        assert found["market=GB"].ndcg_at_10 == pytest.approx(sum(gains) / 2)
        # Two values a and b: standard error |a - b| / 2.
        assert found["market=GB"].ndcg_at_10_standard_error == pytest.approx(
            (gains[0] - gains[1]) / 2
        )
        assert found["market=DE"].ndcg_at_10 == pytest.approx(1 / math.log2(2 + 1))

    def test_customers_are_new_without_training(self, ranked, constant):
        customers = [[2, 3, 4], [2, 3, 5]]
        context = _context(2, [1] * 6, trained=[0, 1])
        found = slice_metrics(ranked(constant([0.0] * 6), *customers), context)
        assert found["customers_new"].num_customers == 1

    def test_items_are_head_tail_or_cold(self, ranked, constant):
        # Ten items; the fifth that trained most are 4 and 11. 5 and 6 never trained.
        counts = [0, 0, 3, 3, 9, 0, 0, 3, 3, 3, 3, 8]
        customers = [[2, 3, target] for target in (4, 11, 5, 6, 7)]
        found = slice_metrics(ranked(constant([0.0] * 12), *customers), _context(5, counts))
        sizes = {name: part.num_customers for name, part in found.items() if "items" in name}
        assert sizes == {"items_head": 2, "items_cold": 2, "items_tail": 1}

    def test_a_cold_item_is_no_head_in_a_catalogue_without_training(self, ranked, constant):
        found = slice_metrics(ranked(constant([0.0] * 8), [2, 3, 4]), _context(1, [0] * 8))
        assert found["items_cold"].num_customers == 1
        assert "items_head" not in found

    def test_departments_are_those_of_the_targets(self, ranked, constant):
        context = _context(2, [1] * 6, department=[-1, -1, 0, 0, 0, 1])
        found = slice_metrics(ranked(constant([0.0] * 6), [2, 3, 4], [2, 3, 5]), context)
        assert found["department=men"].num_customers == 1
        assert found["department=women"].num_customers == 1

    def test_empty_slices_are_left_out(self, ranked, constant):
        context = _context(1, [1] * 6, department=[-1, -1, 0, 0, 0, 1])
        found = slice_metrics(ranked(constant([0.0] * 6), [2, 3, 4]), context)
        assert set(found) == {"history_short", "items_tail", "department=men"}

    @pytest.mark.parametrize(("num_customers", "is_too_small"), [(29, True), (30, False)])
    def test_fewer_than_thirty_customers_are_too_few(
        self, ranked, constant, num_customers, is_too_small
    ):
        customers = [[2, 3, 4]] * num_customers
        context = _context(num_customers, [1] * 6)
        found = slice_metrics(ranked(constant([0.0] * 6), *customers), context)
        assert found["history_short"].is_too_small is is_too_small

    def test_weights_count_within_a_slice(self, ranked, constant):
        customers = [[2, 3, 4], [2, 3, 5]]
        weights = np.array([3.0, 1.0])
        found = slice_metrics(
            ranked(constant([0, 0, 0, 0, 2, 1]), *customers, weights=weights), _context(2, [1] * 6)
        )
        assert found["history_short"].ndcg_at_10 == pytest.approx(
            (3 * 1 + 1 / math.log2(3)) / (3 + 1)
        )
