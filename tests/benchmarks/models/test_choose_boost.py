import numpy as np

from benchmarks.models.choose_boost import boost_rows, with_validation_as_test
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import Split, Targets


class TestWithValidationAsTest:
    def test_no_test_target_is_left(self, tmp_path):
        lengths = np.array([2, 3])
        validation = Targets(np.array([0, 1]), np.array([2, 7]))
        test = Targets(np.array([0, 1]), np.array([3, 8]))
        Split(lengths, validation, test).save(tmp_path / "prepared" / "split")
        output = with_validation_as_test(tmp_path / "prepared", tmp_path / "output")
        found = PreparedData(output).split
        assert found.train_lengths.tolist() == [2, 3]
        assert found.test.place.tolist() == found.validation.place.tolist() == [2, 7]
        assert PreparedData(tmp_path / "prepared").split.test.place.tolist() == [3, 8]


class TestBoostRows:
    def test_chooses_the_lowest_boost_that_is_enough_below_the_spread(self) -> None:
        def draw(*recalls: float, knn: float) -> dict[str, object]:
            boosts = [
                {"boost": float(place), "cold_recall_at_10": recall, "known_recall_at_10": 0.5}
                for place, recall in enumerate(recalls)
            ]
            knns = {"last": {"hit_rate_at_10": knn}, "history": {"hit_rate_at_10": knn / 2}}
            return {"boosts": {"ranking": boosts}, "content_knn": knns}

        # Ratios 1 and 2, then 1.6 twice, then 2 twice: the first mean is 1.5, but not two
        # deviations below; 1.6 is.
        draws = [draw(0.1, 0.16, 0.2, knn=0.1), draw(0.4, 0.32, 0.4, knn=0.2)]
        rows = boost_rows("ranking", draws)
        assert [row[1] for row in rows] == ["0", "1 (chosen)", "2"]
        assert rows[1][2:] == [".5000 ± .0000", ".2400 ± .1131", "1.60 ± .00 x"]
