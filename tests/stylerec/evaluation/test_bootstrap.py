import math

import numpy as np
import pytest

from stylerec.evaluation import bootstrap
from stylerec.evaluation.bootstrap import metric_intervals, paired_differences, replicate_means


def _hits(num_hits, num_targets):
    """Ranks of which the given number are hits at 10."""
    return np.where(np.arange(num_targets) < num_hits, 3, 50).astype(np.int64)


class TestReplicateMeans:
    def test_spread_like_the_mean_of_a_sample(self):
        values = np.random.default_rng(0).normal(size=(400, 1))
        replicates = replicate_means(values, num_replicates=4_000)
        assert replicates.mean() == pytest.approx(values.mean(), abs=0.005)
        assert replicates.std() == pytest.approx(values.std() / math.sqrt(400), rel=0.05)

    def test_are_those_of_resampling_row_by_row(self):
        values = np.array([[0.0], [0.0], [1.0], [0.5]])
        generator = np.random.default_rng(1)
        direct = values[generator.integers(0, 4, (20_000, 4)), 0].mean(axis=1)
        grouped = replicate_means(values, num_replicates=20_000)[:, 0]
        for quantile in (0.025, 0.25, 0.5, 0.75, 0.975):
            assert np.quantile(grouped, quantile) == pytest.approx(
                np.quantile(direct, quantile), abs=0.13
            )
        assert grouped.std() == pytest.approx(direct.std(), rel=0.03)

    def test_columns_are_resampled_together(self):
        values = np.random.default_rng(0).normal(size=(50, 1))
        replicates = replicate_means(np.hstack([values, 2 * values]))
        np.testing.assert_allclose(replicates[:, 1], 2 * replicates[:, 0])

    def test_are_weighted(self):
        values = np.array([[0.0], [1.0]])
        replicates = replicate_means(values, np.array([1.0, 3.0]), num_replicates=4_000)
        # Drawing each target once gives 3 / 4, either one twice gives 0 or 1.
        assert set(replicates[:, 0].tolist()) == {0.0, 3 / 4, 1.0}

    def test_the_seed_decides(self):
        values = np.random.default_rng(0).random((30, 1))
        first, again = replicate_means(values, seed=1), replicate_means(values, seed=1)
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, replicate_means(values, seed=2))

    def test_blocks_keep_the_number_of_replicates(self, monkeypatch):
        monkeypatch.setattr(bootstrap, "_CELLS_PER_BLOCK", 60)
        values = np.random.default_rng(0).random((25, 1))
        assert replicate_means(values, num_replicates=11).shape == (11, 1)


class TestMetricIntervals:
    def test_is_near_the_normal_interval_of_a_share(self):
        interval = metric_intervals(_hits(300, 1_000))["hit_rate_at_10"]
        error = math.sqrt(0.3 * 0.7 / 1_000)
        assert interval.low == pytest.approx(0.3 - 1.96 * error, abs=0.004)
        assert interval.high == pytest.approx(0.3 + 1.96 * error, abs=0.004)

    def test_holds_every_metric(self):
        assert set(metric_intervals(_hits(1, 4))) == {"hit_rate_at_10", "ndcg_at_10", "mrr_at_10"}

    def test_is_a_point_where_all_targets_are_alike(self):
        interval = metric_intervals(np.ones(5, np.int64))["ndcg_at_10"]
        assert (interval.low, interval.high) == (1.0, 1.0)

    def test_is_empty_without_targets(self):
        assert metric_intervals(np.zeros(0, np.int64)) == {}


class TestPairedDifferences:
    def test_is_narrower_than_two_intervals_apart(self):
        # The better model hits the same customers and 20 more of 1,000.
        ranks = {"next_item": _hits(320, 1_000), "amf": _hits(300, 1_000)}
        _, hit = paired_differences(ranks, model="next_item", reference="amf")
        assert (hit.model, hit.reference, hit.metric) == ("next_item", "amf", "hit_rate_at_10")
        assert hit.difference == pytest.approx(0.02)
        error = math.sqrt(0.02 * 0.98 / 1_000)
        assert hit.interval.low == pytest.approx(0.02 - 1.96 * error, abs=0.002)
        assert hit.interval.low > 0
        assert hit.uplift == pytest.approx(20 / 300)
        assert hit.uplift_interval.low < 20 / 300 < hit.uplift_interval.high

    def test_of_a_model_with_itself_is_nothing(self):
        ranks = {"a": _hits(3, 9), "b": _hits(3, 9)}
        for found in paired_differences(ranks, model="a", reference="b"):
            assert (found.difference, found.interval.low, found.interval.high) == (0, 0, 0)

    def test_there_is_no_uplift_over_nothing(self):
        ranks = {"a": _hits(3, 9), "b": _hits(0, 9)}
        for found in paired_differences(ranks, model="a", reference="b"):
            assert found.uplift is None
            assert found.uplift_interval is None

    def test_is_empty_without_targets(self):
        ranks = {"a": _hits(0, 0), "b": _hits(0, 0)}
        assert paired_differences(ranks, model="a", reference="b") == []

    def test_raises_when_the_targets_differ(self):
        ranks = {"a": _hits(3, 9), "b": _hits(3, 8)}
        with pytest.raises(ValueError, match="same targets of a and b, got 9 and 8"):
            paired_differences(ranks, model="a", reference="b")
