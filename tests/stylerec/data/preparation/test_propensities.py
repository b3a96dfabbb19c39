import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.generate import generate


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic") / "tables"
    config = SyntheticConfig(num_customers=300, num_items=300, num_outfits=0, has_pictures=False)
    generate(folder, config)
    return folder


def prepared(tables, output, **config):
    prepare(tables, output, PrepareConfig(**config), progress=lambda line: None)
    return PreparedData(output)


def changed(tables, folder, **changes):
    """Copies the tables into a sub-folder, some of them changed."""
    other = folder / "tables"
    other.mkdir()
    for name in ("interactions", "items", "impressions"):
        table = pq.read_table(tables / f"{name}.parquet")
        pq.write_table(changes.get(name, lambda same: same)(table), other / f"{name}.parquet")
    return other


@pytest.fixture(scope="module")
def result(tables, tmp_path_factory):
    return prepared(tables, tmp_path_factory.mktemp("prepared") / "data")


class TestPreparedPropensities:
    def test_each_interaction_has_that_of_its_touchpoint_and_position(self, tables, result):
        log = pd.read_parquet(tables / "interactions.parquet")
        log["seconds"] = log.timestamp.astype("int64") // 10**6
        log = log.sort_values(["customer_id", "seconds"], kind="stable")
        known = result.propensities.touchpoints
        expected = [
            1.0
            if pd.isna(position) or touchpoint not in known
            else known[touchpoint][min(int(position), len(known[touchpoint]) - 1)]
            for touchpoint, position in zip(log.touchpoint, log.position, strict=True)
        ]
        assert result.propensity.dtype == np.float32
        assert np.asarray(result.propensity) == pytest.approx(np.array(expected), abs=1e-6)
        assert result.histories.timestamp_s.tolist() == log.seconds.tolist()

    def test_the_branch_is_not_left_out(self, result):
        assert "position_bias" not in result.summary.omitted
        assert set(result.propensities.touchpoints) >= {"category-page"}

    def test_the_logged_truth_is_not_read(self, tables, result, tmp_path):
        other = changed(tables, tmp_path, impressions=lambda t: t.drop_columns("propensity"))
        assert prepared(other, tmp_path / "data").propensities == result.propensities

    def test_threads_do_not_change_a_byte(self, tables, result, tmp_path):
        again = prepared(tables, tmp_path / "data", num_threads=1)
        for name in ("propensity.npy", "propensities.json"):
            first, second = ((data.folder / name).read_bytes() for data in (result, again))
            assert first == second

    def test_too_few_impressions_leave_the_branch_out_with_the_reason(self, tables, tmp_path):
        few = changed(tables, tmp_path, impressions=lambda t: t.slice(0, 500))
        data = prepared(few, tmp_path / "data")
        assert data.propensity is None
        assert data.summary.omitted["position_bias"].startswith("impressions are too few (")

    def test_a_log_without_positions_leaves_the_branch_out(self, tables, tmp_path):
        unplaced = changed(
            tables, tmp_path, interactions=lambda t: t.drop_columns(["touchpoint", "position"])
        )
        data = prepared(unplaced, tmp_path / "data")
        assert data.propensity is None
        assert data.summary.omitted["position_bias"] == "no interaction has a position"
