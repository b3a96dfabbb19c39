import pytest

from stylerec.evaluation.plot_style import colours_of, readable_name


class TestReadableName:
    @pytest.mark.parametrize(
        ("key", "name"),
        [
            ("validation_ndcg_at_10", "Validation NDCG@10"),
            ("item_knn_last", "Item KNN last"),
            ("num_outfits", "Number of outfits"),
            ("outfit vs chance, auc", "Outfit vs chance, AUC"),
            ("ease", "EASE"),
            ("ials", "iALS"),
        ],
    )
    def test_reads_as_words(self, key, name):
        assert readable_name(key) == name


class TestColoursOf:
    def test_are_distinct_and_stay_with_their_place(self):
        colours = colours_of(["a", "b"])
        assert colours["a"] != colours["b"]
        assert colours_of(["a"])["a"] == colours["a"]

    def test_any_number_of_models_has_colours(self):
        assert len(colours_of(map(str, range(20)))) == 20
