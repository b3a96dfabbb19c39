import pytest

from stylerec.evaluation.bootstrap import Interval, PairedDifference
from stylerec.evaluation.report_ranking import ranking_sections
from stylerec.evaluation.results import Evaluation


@pytest.fixture
def text(metrics):
    """Returns the sections of an evaluation with the given parts as one text."""

    def build(**parts):
        found = {"models": {"ranking": metrics(0.05)}, "baselines": {"amf": metrics(0.04)}}
        return "".join(ranking_sections(Evaluation(**{**found, **parts})))

    return build


class TestRankingSections:
    def test_are_none_without_figures(self):
        assert ranking_sections(Evaluation()) == []

    def test_an_older_evaluation_is_compared_alone(self, text):
        html = text()
        assert "0.0500" in html
        assert "<h2>Ranking" in html
        for title in ("Slices", "Coverage", "Calibration", "Differences", "Other cut-offs"):
            assert title not in html

    def test_a_full_evaluation_has_every_section(self, text, full_metrics):
        html = text(models={"ranking": full_metrics}, baselines={"amf": full_metrics})
        for title in ("Slices", "Coverage, novelty and popularity", "Calibration"):
            assert f"<h2>{title}" in html
        assert "Other cut-offs" in html

    def test_figures_have_their_intervals(self, text, full_metrics):
        interval = full_metrics.intervals["ndcg_at_10"]
        html = text(models={"ranking": full_metrics})
        assert f"({interval.low:.4f} to {interval.high:.4f})" in html

    def test_differences_are_signed(self, text):
        difference = PairedDifference(
            model="ranking",
            reference="amf",
            metric="ndcg_at_10",
            difference=0.01,
            interval=Interval(low=-0.002, high=0.022),
            uplift=0.25,
            uplift_interval=Interval(low=-0.05, high=0.55),
        )
        html = text(differences=(difference,))
        assert "Ranking against AMF" in html
        assert "+0.0100<small> (-0.0020 to +0.0220)" in html
        assert "+25.0%<small> (-5.0 to +55.0)" in html

    def test_position_corrected_figures_are_apart(self, text, metrics):
        html = text(position_corrected={"ranking": metrics(0.0321)})
        assert "Corrected for position" in html
        assert "0.0321" in html

    def test_settings_of_baselines_are_shown(self, text):
        assert '<td class="">EASE</td>' in text(baseline_settings={"ease": "reg"})

    def test_calibration_says_what_is_plotted(self, text, full_metrics):
        html = text(models={"ranking": full_metrics})
        error = full_metrics.calibration.expected_calibration_error
        assert f"{error:.5f}" in html
        assert "softmax" in html
