from xml.etree import ElementTree

from stylerec.evaluation.bootstrap import Interval
from stylerec.evaluation.plot_style import MODEL_COLOURS
from stylerec.evaluation.plots import comparison_chart, training_chart

EPOCHS = [
    {"epoch": n, "loss": 3.0 / n, "validation_ndcg_at_10": 0.01 * n, "seconds": 1.0}
    for n in range(1, 5)
]


class TestComparisonChart:
    def test_is_svg_with_every_name_and_figure(self, metrics):
        svg = comparison_chart({"Ranking": metrics(0.0521)}, {"AMF": metrics(0.0421)})
        ElementTree.fromstring(svg)
        for text in ("Ranking", "AMF", "0.0521", "0.0421"):
            assert text in svg

    def test_draws_the_intervals_that_there_are(self, metrics):
        plain = metrics(0.05)
        wide = {name: Interval(low=0.01, high=0.2) for name in ("ndcg_at_10", "hit_rate_at_10")}
        both = plain.model_copy(update={"intervals": wide})
        assert comparison_chart({"Ranking": both}, {}) != comparison_chart({"Ranking": plain}, {})

    def test_each_model_has_its_colour(self, metrics):
        svg = comparison_chart({"A": metrics(0.05), "B": metrics(0.06)}, {"AMF": metrics(0.04)})
        assert all(colour in svg for colour in MODEL_COLOURS[:2])

    def test_is_the_same_every_time(self, metrics):
        models = {"Ranking": metrics(0.05)}
        assert comparison_chart(models, {}) == comparison_chart(models, {})

    def test_draws_figures_of_zero(self, metrics):
        ElementTree.fromstring(comparison_chart({"Ranking": metrics(0.0)}, {}))


class TestTrainingChart:
    def test_is_svg_that_marks_the_best_epoch(self):
        svg = training_chart(EPOCHS, metric="validation_ndcg_at_10", best_epoch=3)
        ElementTree.fromstring(svg)
        assert "0.0300, epoch 3" in svg
        assert "Training loss" in svg

    def test_draws_a_single_epoch(self):
        training_chart(EPOCHS[:1], metric="validation_ndcg_at_10", best_epoch=1)
