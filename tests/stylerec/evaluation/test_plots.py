from xml.etree import ElementTree

import pytest

from stylerec.evaluation.plots import comparison_chart, readable_name, training_chart

EPOCHS = [
    {"epoch": n, "loss": 3.0 / n, "validation_ndcg_at_10": 0.01 * n, "seconds": 1.0}
    for n in range(1, 5)
]


class TestReadableName:
    @pytest.mark.parametrize(
        ("key", "name"),
        [
            ("validation_ndcg_at_10", "Validation NDCG@10"),
            ("item_knn_last", "Item KNN last"),
            ("num_outfits", "Number of outfits"),
            ("outfit vs chance, auc", "Outfit vs chance, AUC"),
        ],
    )
    def test_reads_as_words(self, key, name):
        assert readable_name(key) == name


class TestComparisonChart:
    def test_is_svg_with_every_name_and_figure(self, metrics):
        svg = comparison_chart({"Ranking": metrics(0.0521)}, {"AMF": metrics(0.0421)})
        ElementTree.fromstring(svg)
        for text in ("Ranking", "AMF", "0.0521", "0.0421"):
            assert text in svg

    def test_is_the_same_every_time(self, metrics):
        models = {"Ranking": metrics(0.05)}
        assert comparison_chart(models, {}) == comparison_chart(models, {})

    def test_draws_figures_of_zero(self, metrics):
        ElementTree.fromstring(comparison_chart({"Ranking": metrics(0.0)}, {}))


class TestTrainingChart:
    def test_is_svg_that_marks_the_best_epoch(self):
        svg = training_chart(EPOCHS, metric="validation_ndcg_at_10", best_epoch=3)
        ElementTree.fromstring(svg)
        assert "0.0300" in svg
        assert "Training loss" in svg

    def test_draws_a_single_epoch(self):
        training_chart(EPOCHS[:1], metric="validation_ndcg_at_10", best_epoch=1)
