from stylerec.models.content_match import MATCH_WEIGHTS, choose_match_weight


def choose(metric, *, without):
    asked = []

    def validate(weight):
        asked.append(weight)
        return metric(weight)

    return choose_match_weight(validate, without=without), asked


class TestChooseMatchWeight:
    def test_takes_the_top_of_the_metric(self):
        chosen, asked = choose(lambda weight: 1.0 - abs(weight - 1.5), without=-0.5)
        assert chosen == (1.5, 1.0)
        assert asked == [0.25, 0.5, 1.0, 1.5, 2.0]

    def test_is_zero_where_content_only_hurts(self):
        chosen, asked = choose(lambda weight: 0.3 - weight, without=0.3)
        assert chosen == (0.0, 0.3)
        assert asked == [0.25]

    def test_ends_with_the_largest_weight(self):
        chosen, asked = choose(lambda weight: weight, without=0.0)
        assert chosen == (MATCH_WEIGHTS[-1], MATCH_WEIGHTS[-1])
        assert asked == list(MATCH_WEIGHTS)
