import numpy as np
import pandas as pd
import pytest

from stylerec.data.splits import SECONDS_PER_DAY
from stylerec.evaluation.baselines.known import Known
from stylerec.evaluation.baselines.run import (
    BASELINES,
    CHEAP,
    CONTENT_KNN_LAST,
    EASE,
    ITEM_KNN_LAST,
    POPULAR,
    RECENT_POPULAR,
    evaluate_baselines,
)
from stylerec.evaluation.context import EvaluationContext

PAIRS = [[2, 3, 4], [5, 6, 7]] * 5
# The last item is held out, so others must have shown what follows what.
OTHERS = ([4, 3], [7, 6]) * 5


class TestBaselines:
    @pytest.mark.parametrize("name", BASELINES)
    @pytest.mark.parametrize("split", ["validation", "test"])
    def test_held_out_items_change_no_score(self, prepared, block, name, split):
        generator = np.random.default_rng(0)
        num_items, num_held_out = 12, {"validation": 2, "test": 1}[split]
        customers = generator.integers(2, num_items, (30, 6)).tolist()
        others = [
            history[:-num_held_out] + generator.integers(2, num_items, num_held_out).tolist()
            for history in customers
        ]
        items = pd.DataFrame({"title": [f"word{n % 3} thing" for n in range(num_items - 2)]})
        day_s = [day * SECONDS_PER_DAY for _ in customers for day in range(10, 16)]
        part = block([3, 4], [5], as_of_s=14 * SECONDS_PER_DAY)
        scores = []
        for some in (customers, others):
            data = prepared(*some, num_items=num_items, times=day_s, items=items)
            baseline = BASELINES[name]
            scores.append(baseline.fit(Known(data, split), baseline.settings[0])(part))
        np.testing.assert_array_equal(*scores)
        assert scores[0].shape == (2, num_items)


class TestEvaluateBaselines:
    def test_finds_what_is_always_bought_next(self, prepared):
        found = evaluate_baselines(prepared(*PAIRS, *OTHERS, num_items=30), split="test")
        assert found.metrics[ITEM_KNN_LAST].hit_rate_at_10 == 1.0
        assert found.metrics[ITEM_KNN_LAST].num_customers == 10
        assert set(found.metrics) == set(CHEAP) - {RECENT_POPULAR}
        assert found.omitted == {RECENT_POPULAR: "the interactions have no times"}

    def test_says_which_settings_validation_chose(self, prepared):
        found = evaluate_baselines(prepared(*PAIRS, *OTHERS, num_items=30), split="test")
        choice = found.choices[EASE]
        assert [setting for setting, _ in choice.ndcg_at_10] == list(BASELINES[EASE].settings)
        assert dict(choice.ndcg_at_10)[choice.setting] == max(ndcg for _, ndcg in choice.ndcg_at_10)
        assert found.choices[POPULAR].ndcg_at_10 == ()

    def test_recent_popular_finds_this_weeks_item(self, prepared):
        # Whoever shops in a week buys that week's item; each item has its week and no other.
        weeks = range(2, 12)
        customers = [[week + 20, week + 20 + other % 2, week] for week in weeks for other in (0, 1)]
        times = [(7 * week + day) * SECONDS_PER_DAY for week in weeks for day in (1, 2, 3) * 2]
        shoppers = [[week, 40] for week in weeks]
        times += [(7 * week + day) * SECONDS_PER_DAY for week in weeks for day in (2, 3)]
        data = prepared(*customers, *shoppers, num_items=60, times=times)
        found = evaluate_baselines(data, split="test", names=(POPULAR, RECENT_POPULAR))
        recent, ever = found.metrics[RECENT_POPULAR], found.metrics[POPULAR]
        assert recent.mrr_at_10 > ever.mrr_at_10
        assert recent.hit_rate_at_10 == 1.0

    def test_leaves_out_ease_where_many_items_were_met(self, prepared):
        data = prepared(*PAIRS, *OTHERS, num_items=30)
        found = evaluate_baselines(data, split="test", names=(EASE,), max_ease_items=5)
        assert found.metrics == {}
        assert found.omitted[EASE] == "customers met 6 items, and above 5 it is slow"

    def test_leaves_out_content_where_items_have_no_words(self, prepared):
        data = prepared(*PAIRS, num_items=30)
        found = evaluate_baselines(data, split="test", names=(CONTENT_KNN_LAST,))
        assert found.omitted == {CONTENT_KNN_LAST: "no item has a title, brand or category"}

    def test_measures_nothing_without_targets(self, prepared):
        found = evaluate_baselines(prepared([2, 3], [3, 4], num_items=6), split="test")
        assert {metrics.num_customers for metrics in found.metrics.values()} == {0}

    def test_slices_come_from_the_context(self, prepared):
        data = prepared(*PAIRS, *OTHERS, num_items=30)
        context = EvaluationContext(
            train_counts=np.bincount(data.histories.item_index, minlength=30),
            train_lengths=np.asarray(data.split.train_lengths),
            department=np.full(30, -1),
            departments=(),
            market=np.full(20, -1),
            markets=(),
        )
        found = evaluate_baselines(data, split="test", names=(POPULAR,), context=context)
        assert found.metrics[POPULAR].slices
