import math

import numpy as np
import pytest

from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import (
    SECONDS_PER_DAY,
    SplitConfig,
    Targets,
    is_within,
    leave_one_out,
)
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.generate import generate
from stylerec.errors import ReleaseError
from stylerec.evaluation.context import EvaluationContext, evaluation_context
from stylerec.evaluation.ranking import (
    evaluate_ranking,
    evaluate_scorer,
    inverse_propensity,
    rank_exported,
    ranking_metrics,
)

TEMPORAL = SplitConfig(kind="temporal", validation_days=10, test_days=20)


def _context(num_customers, counts):
    return EvaluationContext(
        train_counts=np.array(counts),
        train_lengths=np.ones(num_customers, int),
        department=np.full(len(counts), -1),
        departments=(),
        market=np.full(num_customers, -1),
        markets=(),
    )


@pytest.fixture
def evaluated(histories):
    """Evaluates a scorer on the leave-one-out targets of some customers."""

    def run(scorer, *customers, split="test", times=None, **options):
        data = histories(*customers, times=times)
        return evaluate_scorer(scorer, data, leave_one_out(data).targets(split), **options)

    return run


class TestEvaluateScorer:
    def test_metrics_are_those_of_the_ranks(self, evaluated, constant):
        # Test targets 4 and 5; 2 and 3 are seen, so they rank 1 and 2.
        metrics = evaluated(constant([9, 9, 9, 9, 2, 1]), [2, 3, 4], [2, 3, 5])
        assert metrics.hit_rate_at_10 == 1.0
        assert metrics.mrr_at_10 == pytest.approx((1 / 1 + 1 / 2) / 2)
        gains = [1 / math.log2(2), 1 / math.log2(3)]
        assert metrics.ndcg_at_10 == pytest.approx(sum(gains) / 2)
        # Two values a and b: standard error |a - b| / 2.
        assert metrics.ndcg_at_10_standard_error == pytest.approx((gains[0] - gains[1]) / 2)
        assert (metrics.num_customers, metrics.candidate_set) == (2, "full")

    def test_every_cutoff_has_every_metric(self, evaluated, constant):
        metrics = evaluated(constant([9, 9, 9, 9, 2, 1]), [2, 3, 4], [2, 3, 5])
        assert list(metrics.at) == [1, 5, 10, 20]
        assert metrics.at[1].hit_rate == metrics.at[1].ndcg == metrics.at[1].mrr == 1 / 2
        assert metrics.at[10].hit_rate == metrics.hit_rate_at_10
        assert metrics.at[10].ndcg == metrics.ndcg_at_10
        # Item 4 of the four items is shown first to both, then 5.
        assert (metrics.at[1].coverage, metrics.coverage_at_10) == (1 / 4, 2 / 4)

    def test_intervals_hold_the_figure(self, evaluated, constant):
        customers = [[2, 3, target] for target in (4, 5) * 40]
        metrics = evaluated(constant([9, 9, 9, 9, 2, 1]), *customers)
        interval = metrics.intervals["ndcg_at_10"]
        assert interval.low < metrics.ndcg_at_10 < interval.high

    def test_context_adds_novelty_popularity_and_slices(self, evaluated, constant):
        counts = [0, 0, 4, 2, 6, 1]
        metrics = evaluated(
            constant([9, 9, 9, 9, 2, 1]), [2, 3, 4], [2, 3, 5], context=_context(2, counts)
        )
        # Both lists are 4, 5; both histories 2, 3. 13 interactions, and one for each of 4 items.
        information = (-math.log2((6 + 1) / 17) - math.log2((1 + 1) / 17)) / 2
        assert metrics.novelty_at_10 == pytest.approx(information)
        assert metrics.popularity_bias_at_10 == pytest.approx(((6 + 1) / 2) / ((4 + 2) / 2))
        assert metrics.at[1].popularity_bias == pytest.approx(6 / ((4 + 2) / 2))
        assert metrics.slices["history_short"].num_customers == 2
        # From most to least popular: 4, 2, 3, 5, each a fourth of the catalogue.
        assert metrics.popularity.recommended == (1 / 2, 0, 0, 0, 0, 0, 0, 1 / 2, 0, 0)
        assert metrics.popularity.chosen == (0, 0, 1 / 2, 0, 0, 1 / 2, 0, 0, 0, 0)

    def test_without_context_there_is_none_of_these(self, evaluated, constant):
        metrics = evaluated(constant([9, 9, 9, 9, 2, 1]), [2, 3, 4])
        assert metrics.novelty_at_10 is None
        assert metrics.popularity_bias_at_10 is None
        assert (metrics.slices, metrics.popularity, metrics.calibration) == ({}, None, None)

    def test_weights_count_targets_more_or_less(self, evaluated, constant):
        scorer = constant([9, 9, 9, 9, 2, 1])
        weights = np.array([1.0, 3.0])
        metrics = evaluated(scorer, [2, 3, 4], [2, 3, 5], weights=weights)
        assert metrics.is_weighted
        assert metrics.mrr_at_10 == pytest.approx((1 * 1 / 1 + 3 * 1 / 2) / (1 + 3))
        assert metrics.at[1].hit_rate == 1 / (1 + 3)

    def test_the_splits_predict_their_own_target_from_what_is_before(self, evaluated):
        asked = []

        def scorer(block):
            asked.append((block.item_index.tolist(), block.targets.tolist()))
            return np.zeros((len(block.lengths), 10))

        evaluated(scorer, [2, 3, 4, 5], split="validation")
        evaluated(scorer, [2, 3, 4, 5], split="test")
        assert asked == [([2, 3], [4]), ([2, 3, 4], [5])]

    def test_the_model_is_asked_at_the_time_of_the_target(self, evaluated):
        asked = []

        def scorer(block):
            asked.extend(block.as_of_s.tolist())
            return np.zeros((len(block.lengths), 10))

        evaluated(scorer, [2, 3, 4], times=[100, 200, 300])
        assert asked == [300]

    def test_customers_with_a_seen_target_are_counted_apart(self, evaluated, constant):
        metrics = evaluated(constant([0, 0, 9, 9, 9]), [2, 3, 2], [2, 3, 4])
        assert (metrics.num_customers, metrics.num_repeat_targets) == (1, 1)
        assert metrics.hit_rate_at_10 == 1.0

    def test_short_histories_are_not_evaluated(self, evaluated, constant):
        metrics = evaluated(constant([0] * 5), [2, 3], [4], context=_context(2, [0] * 5))
        assert metrics.num_customers == 0
        assert metrics.ndcg_at_10 == metrics.coverage_at_10 == 0.0
        assert (metrics.intervals, metrics.slices) == ({}, {})

    @pytest.mark.parametrize("block", [1, 3, 100])
    def test_the_block_size_changes_nothing(self, evaluated, block):
        generator = np.random.default_rng(0)
        customers = [generator.permutation(np.arange(2, 40))[: 3 + n % 5] for n in range(20)]
        table = generator.random((40, 40))

        def scorer(part):
            return table[part.item_index[np.cumsum(part.lengths) - 1]]

        assert evaluated(scorer, *customers, block=block) == evaluated(scorer, *customers)

    def test_evaluates_a_subset_when_asked(self, evaluated, constant):
        customers = [[n + 2, n + 3, n + 4] for n in range(50)]
        metrics = evaluated(constant([0.0] * 60), *customers, max_customers=7)
        assert metrics.num_customers == 7


class TestEvaluateRanking:
    @pytest.fixture
    def circle(self):
        """On a circle the nearest items are the neighbours: after 4 comes 5 or 3."""
        angle = np.arange(12) / 12 * 2 * np.pi
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)

    def test_ranks_by_the_query_times_every_item(self, exported, prepared, circle):
        data = prepared([2, 3, 4, 5], [9, 8, 2, 5], num_items=12)
        metrics = evaluate_ranking(exported(circle), data, split="test")
        # First customer: 3 is seen, so 5 ranks 1. Second: around 2 are 3, then 4 (0 and 1 are no
        # items, 8 and 9 are seen), then 5 and 11 at equal distance, the tie against the target.
        assert metrics.mrr_at_10 == pytest.approx((1 / 1 + 1 / 4) / 2, abs=1e-6)

    def test_scores_are_read_as_logits(self, exported, prepared, circle):
        data = prepared([2, 3, 4, 5], num_items=12)
        found = evaluate_ranking(exported(circle), data, split="test").calibration
        left = np.exp(np.cos((np.arange(5, 12) - 4) / 12 * 2 * np.pi))
        # Seven items are left and all of them are recommended, the target as well.
        assert found.predicted_hit_rate == pytest.approx(1.0)
        assert found.observed_hit_rate == 1.0
        assert found.bins[-1].predicted == pytest.approx(left.max() / left.sum())

    def test_weighted_targets_have_no_calibration(self, exported, prepared, circle):
        data = prepared([2, 3, 4, 5], num_items=12)
        weights = np.ones(1)
        metrics = evaluate_ranking(exported(circle), data, split="test", weights=weights)
        assert metrics.is_weighted
        assert metrics.calibration is None

    def test_is_the_metrics_of_the_ranked_targets(self, exported, prepared, circle):
        folder, data = exported(circle), prepared([2, 3, 4, 5], [9, 8, 2, 5], num_items=12)
        ranked = rank_exported(folder, data, split="test")
        assert ranked.rank.tolist() == [1, 4]
        assert ranking_metrics(ranked, data.histories) == evaluate_ranking(
            folder, data, split="test"
        )

    def test_refuses_an_export_of_another_catalogue(self, exported, prepared):
        folder = exported(np.ones((12, 2), np.float32))
        with pytest.raises(ReleaseError, match="expected 20 rows, one per catalogue item, got 12"):
            evaluate_ranking(folder, prepared([2, 3, 4], num_items=20), split="test")


class TestInversePropensity:
    def test_is_the_inverse_of_a_bounded_propensity(self):
        propensity = np.array([1.0, 0.5, 0.2, 0.01], np.float32)
        targets = Targets(np.array([0, 1, 2]), np.array([1, 3, 2]))
        weights = inverse_propensity(propensity, targets, min_propensity=0.1)
        np.testing.assert_allclose(weights, [1 / 0.5, 1 / 0.1, 1 / 0.2], rtol=1e-6)

    def test_recovers_the_mean_without_position_bias(self):
        # Half of the choices are hits. Where hits are examined at 0.2 and the others at 1, a log
        # holds one hit of five, and the weighted mean is again a half.
        generator = np.random.default_rng(0)
        is_hit = generator.random(200_000) < 0.5
        propensity = np.where(is_hit, 0.2, 1.0)
        is_logged = generator.random(200_000) < propensity
        place = np.flatnonzero(is_logged)
        weights = inverse_propensity(propensity, Targets(place, place))
        naive = is_hit[place].mean()
        corrected = np.average(is_hit[place], weights=weights)
        assert naive == pytest.approx(0.2 / (0.2 + 1.0), abs=0.005)
        assert corrected == pytest.approx(0.5, abs=0.01)


@pytest.fixture(scope="module")
def temporal_data(tmp_path_factory):
    tables = tmp_path_factory.mktemp("tables")
    config = SyntheticConfig(
        num_customers=300, num_items=250, num_outfits=0, impressions_share=0.0, has_pictures=False
    )
    generate(tables, config)
    output = tmp_path_factory.mktemp("prepared") / "prepared"
    prepare(tables, output, PrepareConfig(split=TEMPORAL), progress=lambda line: None)
    return PreparedData(output)


class TestOnATemporalSplit:
    """From the tables of the synthetic retailer to metrics."""

    def test_targets_are_within_their_windows_and_training_before(self, temporal_data):
        times, split = temporal_data.histories.timestamp_s, temporal_data.split
        test_from = times.max() - 20 * SECONDS_PER_DAY
        validation_from = test_from - 10 * SECONDS_PER_DAY
        trained = times[is_within(temporal_data.histories.lengths, split.train_lengths)]
        assert trained.max() < validation_from
        assert (times[split.validation.place] >= validation_from).all()
        assert (times[split.validation.place] < test_from).all()
        assert (times[split.test.place] >= test_from).all()
        assert min(len(split.validation), len(split.test)) > 30

    def test_metrics_and_slices_come_out(self, temporal_data):
        context = evaluation_context(temporal_data)

        def popular(block):
            scores = context.train_counts.astype(np.float32)
            return np.tile(scores, (len(block.lengths), 1))

        test = temporal_data.split.test
        metrics = evaluate_scorer(popular, temporal_data.histories, test, context=context)
        assert metrics.num_customers + metrics.num_repeat_targets == len(test)
        assert 0.0 < metrics.ndcg_at_10 < metrics.hit_rate_at_10 < 1.0
        # Unlike leave-one-out there are customers of whom nothing trained.
        num_new = int((context.train_lengths[test.customer] == 0).sum())
        assert 0 < metrics.slices["customers_new"].num_customers <= num_new
        markets = [name for name in metrics.slices if name.startswith("market=")]
        departments = [name for name in metrics.slices if name.startswith("department=")]
        assert len(markets) == 4
        assert len(departments) >= 2
        assert metrics.popularity_bias_at_10 > 1.0
