from stylerec.models.content_match import MATCH_WEIGHTS, choose_match_weight


class TestChooseMatchWeight:
    def test_takes_the_best_weight_of_all(self):
        metrics = dict.fromkeys(MATCH_WEIGHTS, 0.1) | {1.5: 0.3}
        assert choose_match_weight(metrics.__getitem__, without=0.2) == (1.5, 0.3)

    def test_is_zero_where_content_only_hurts(self):
        assert choose_match_weight(lambda weight: 0.3 - weight, without=0.3) == (0.0, 0.3)

    def test_prefers_less_where_nothing_is_gained(self):
        assert choose_match_weight(lambda weight: 0.3, without=0.3) == (0.0, 0.3)
