import numpy as np

from stylerec.evaluation.baselines.choice import Choice, choose_on_validation
from stylerec.evaluation.baselines.known import Known


def favour(known, item):
    """Scores one item above all others."""
    scores = np.zeros(known.num_items, np.float32)
    scores[item] = 1.0
    return lambda part: np.broadcast_to(scores, (len(part.lengths), len(scores)))


class TestChooseOnValidation:
    def test_takes_what_ranks_validation_targets_best(self, prepared):
        # Item 3 is the validation target, item 4 the test target.
        data = prepared(*[[2, 3, 4]] * 5, num_items=30)
        choice = choose_on_validation(favour, (4, 3, 5), Known(data, "validation"))
        assert choice.setting == 3
        # Ties count against the target: every other unseen item is ahead.
        assert choice.ndcg_at_10 == ((4, 0.0), (3, 1.0), (5, 0.0))

    def test_takes_the_first_of_those_that_tie(self, prepared):
        data = prepared([2, 3, 4], num_items=30)
        assert choose_on_validation(favour, (6, 5), Known(data, "validation")).setting == 6

    def test_takes_the_first_where_there_is_nothing_to_choose_by(self, prepared):
        known = Known(prepared([2, 3], num_items=5), "validation")
        assert choose_on_validation(favour, (4, 3), known) == Choice(4)

    def test_does_not_try_a_single_setting(self, prepared):
        known = Known(prepared([2, 3, 4], num_items=5), "validation")
        assert choose_on_validation(lambda *_: None, (9,), known) == Choice(9)
