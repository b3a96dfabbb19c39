import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stylerec.evaluation.baselines.choice import choose_on_validation
from stylerec.evaluation.baselines.item_knn import item_knn_scorer
from stylerec.evaluation.baselines.known import Known
from stylerec.evaluation.ranking import evaluate_scorer

REPOSITORY = Path(__file__).parents[4]


class TestItemKnnScorer:
    @pytest.mark.parametrize("exponent", [0.0, 0.25, 0.5])
    def test_scores_by_damped_co_occurrence_with_the_last_item(self, prepared, block, exponent):
        # n_2 = 3, n_3 = 2, n_4 = 1; items 2 and 3 share two customers, 2 and 4 one.
        known = Known(prepared([2, 3], [2, 3], [4, 2], num_items=6), "test")
        scorer = item_knn_scorer(known, exponent=exponent, only_last=True)
        (scores,) = scorer(block([4, 2]))
        assert scores[3] == pytest.approx(2 / (3 * 2) ** exponent)
        assert scores[4] == pytest.approx(1 / (3 * 1) ** exponent)
        assert scores[5] == 0

    @settings(deadline=None)
    @given(st.lists(st.lists(st.integers(2, 9), min_size=1, max_size=6), min_size=1, max_size=6))
    def test_the_whole_history_is_the_sum_over_its_items(self, prepared, block, customers):
        known = Known(prepared([2, 3], [3, 4], [2, 9], [5, 6], num_items=10), "test")
        whole = item_knn_scorer(known, exponent=0.25, only_last=False)(block(*customers))
        last = item_knn_scorer(known, exponent=0.25, only_last=True)
        for row, items in enumerate(customers):
            single = last(block(*([item] for item in items)))
            np.testing.assert_allclose(whole[row], single.sum(axis=0), rtol=1e-5)

    def test_beauty_reaches_the_known_figure(self, prepared):
        root = Path(os.environ.get("STYLEREC_DATA", "../shared/data"))
        path = (root if root.is_absolute() else REPOSITORY / root) / "beauty" / "Beauty.txt"
        if not path.is_file():
            pytest.skip("no beauty in the real data; set STYLEREC_DATA to it")
        lines = path.read_text().splitlines()
        customers = [[int(item) + 1 for item in line.split()[1:]] for line in lines]
        data = prepared(*customers, num_items=12_101 + 2)
        known = Known(data, "test")

        def fit(some, exponent):
            return item_knn_scorer(some, exponent=exponent, only_last=True)

        # Measured elsewhere on the same file, probably with this exponent: .0711 and .0453.
        metrics = evaluate_scorer(fit(known, 0.25), data.histories, known.targets)
        assert metrics.hit_rate_at_10 == pytest.approx(0.0711, abs=0.0005)
        assert metrics.ndcg_at_10 == pytest.approx(0.0453, abs=0.0005)
        choice = choose_on_validation(fit, (0.25, 0.125), Known(data, "validation"))
        assert choice.setting == 0.125
