from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.models.ablations import (
    ablations_markdown,
    chosen_weights,
    targets_by_event,
    variant_figures,
)
from stylerec.data.histories import Histories
from stylerec.data.splits import leave_one_out
from stylerec.schema.events import EVENT_CODES

VIEW, PURCHASE = EVENT_CODES["view"], EVENT_CODES["purchase"]
VARIANTS = ("all", "purchase-heavy", "views half", "views only")


def result(validation, ndcg, hit_rate):
    return {
        "training": {"validation_ndcg_at_10": validation},
        "test": {"ndcg_at_10": ndcg, "hit_rate_at_10": hit_rate},
    }


class TestVariantFigures:
    def test_are_means_over_seeds(self):
        found = variant_figures([result(0.1, 0.2, 0.3), result(0.3, 0.4, 0.5)])
        assert found["validation_ndcg_at_10"]["mean"] == pytest.approx((0.1 + 0.3) / 2)
        assert found["ndcg_at_10"]["mean"] == pytest.approx((0.2 + 0.4) / 2)
        assert found["recall_at_10"]["mean"] == pytest.approx((0.3 + 0.5) / 2)


class TestChosenWeights:
    def test_validation_decides_and_not_test(self):
        figures = {name: variant_figures([result(0.1, 0.9, 0.9)]) for name in VARIANTS}
        figures["views half"] = variant_figures([result(0.2, 0.1, 0.1)])
        assert chosen_weights(figures) == "views half"


class TestTargetsByEvent:
    def test_counts_new_and_repeated_targets(self):
        # The first customer buys what is new, the second what was viewed before.
        histories = Histories(
            item_index=np.array([2, 3, 4, 2, 3, 2], np.int32),
            event_type=np.array([VIEW, VIEW, PURCHASE, VIEW, VIEW, PURCHASE], np.int8),
            timestamp_s=np.zeros(6, np.int64),
            offsets=np.array([0, 3, 6]),
        )
        data = SimpleNamespace(histories=histories, split=leave_one_out(histories))
        found = targets_by_event(data)
        assert found["purchase"] == {"ranked": 1, "repeats": 1}
        assert found["view"] == {"ranked": 0, "repeats": 0}


class TestAblationsMarkdown:
    def test_marks_what_validation_chose_and_what_is_not_there(self):
        figures = {name: variant_figures([result(0.1, 0.2, 0.3)]) for name in VARIANTS}
        text = ablations_markdown(
            {
                "datasets": {
                    "synthetic": {
                        "targets": {"view": {"ranked": 1_200, "repeats": 3}},
                        "models": {
                            "next_item": {"variants": figures, "chosen_weights": "views half"}
                        },
                    },
                    "taobao_815": None,
                }
            }
        )
        assert "ranked: view 1,200" in text
        assert "| views half (weights that validation chose) | .1000 | .2000 | .3000 |" in text
        assert "### taobao_815\n\nNot there, not measured." in text
