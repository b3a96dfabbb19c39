import pytest

from stylerec.data.splits import SECONDS_PER_DAY
from stylerec.evaluation.baselines.known import Known
from stylerec.evaluation.baselines.popular import popular_scorer, recent_popular_scorer


class TestPopularScorer:
    def test_scores_by_the_number_of_customers(self, prepared, block):
        known = Known(prepared([2, 3], [2, 2], num_items=5), "test")
        assert popular_scorer(known)(block([3], [4])).tolist() == [[0, 0, 2, 1, 0]] * 2


class TestRecentPopularScorer:
    @pytest.fixture
    def known(self, prepared):
        # Item 2 is the most popular ever, met on days 10 and 11; 3 and 4 on days 13 and 14.
        data = prepared(
            [2, 3],
            [2, 3],
            [2, 4],
            num_items=6,
            times=[day * SECONDS_PER_DAY + 5 for day in (10, 13, 10, 14, 11, 14)],
        )
        return Known(data, "test")

    def score(self, known, block, *, days, day):
        part = block([5], as_of_s=day * SECONDS_PER_DAY + 9)
        return recent_popular_scorer(known, days=days)(part)[0].tolist()

    # All customers: item 2 three, 3 two, 4 one; divided by 3 + 1.
    TIE_BREAK = (0.0, 0.0, 0.75, 0.5, 0.25, 0.0)

    def expected(self, *counts):
        return [count + extra for count, extra in zip(counts, self.TIE_BREAK, strict=True)]

    def test_counts_the_days_before_the_targets_day(self, known, block):
        assert self.score(known, block, days=2, day=15) == self.expected(0, 0, 0, 2, 1, 0)
        assert self.score(known, block, days=1, day=15) == self.expected(0, 0, 0, 1, 1, 0)
        assert self.score(known, block, days=30, day=15) == self.expected(0, 0, 3, 2, 1, 0)

    def test_nothing_of_the_targets_own_day_or_later_counts(self, known, block):
        assert self.score(known, block, days=30, day=14) == self.expected(0, 0, 3, 1, 0, 0)
        assert self.score(known, block, days=30, day=10) == self.expected(0, 0, 0, 0, 0, 0)

    def test_targets_long_before_or_after_the_log_see_an_empty_window(self, known, block):
        for day in (0, 1_000):
            assert self.score(known, block, days=3, day=day) == self.expected(0, 0, 0, 0, 0, 0)

    def test_customers_of_a_block_each_have_their_own_window(self, known, block):
        as_of_s = [15 * SECONDS_PER_DAY, 12 * SECONDS_PER_DAY, 15 * SECONDS_PER_DAY]
        scores = recent_popular_scorer(known, days=2)(block([5], [5], [5], as_of_s=as_of_s))
        assert scores[0].tolist() == scores[2].tolist() == self.expected(0, 0, 0, 2, 1, 0)
        assert scores[1].tolist() == self.expected(0, 0, 3, 0, 0, 0)
