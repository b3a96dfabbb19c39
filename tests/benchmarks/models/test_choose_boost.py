from pathlib import Path

import numpy as np

from benchmarks.models.choose_boost import boost_rows, one_step_earlier
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import Split, Targets


class TestOneStepEarlier:
    def test_validation_becomes_test_and_the_last_training_interaction_validation(
        self, tmp_path: Path
    ) -> None:
        # Customers of 4, 3 and 2 interactions before their test target; the last has one to train.
        lengths = np.array([3, 2, 1])
        validation = Targets(np.array([0, 1, 2]), np.array([3, 7, 10]))
        test = Targets(np.array([0, 1, 2]), np.array([4, 8, 11]))
        Split(lengths, validation, test).save(tmp_path / "prepared" / "split")
        found = PreparedData(one_step_earlier(tmp_path / "prepared", tmp_path / "output")).split
        assert found.train_lengths.tolist() == [2, 1, 1]
        assert found.validation.customer.tolist() == found.test.customer.tolist() == [0, 1]
        assert found.validation.place.tolist() == [2, 6]
        assert found.test.place.tolist() == [3, 7]
        assert PreparedData(tmp_path / "prepared").split.test.place.tolist() == [4, 8, 11]


class TestBoostRows:
    def test_chooses_the_lowest_boost_that_is_enough_on_average(self) -> None:
        def draw(*recalls: float, knn: float) -> dict[str, object]:
            boosts = [
                {"boost": float(place), "cold_recall_at_10": recall, "known_recall_at_10": 0.5}
                for place, recall in enumerate(recalls)
            ]
            knns = {"last": {"hit_rate_at_10": knn}, "history": {"hit_rate_at_10": knn / 2}}
            return {"boosts": {"ranking": boosts}, "content_knn": knns}

        # Ratios to the better KNN: 1 and 3, mean 2; 2 and 3, mean 2.5; 3 twice.
        draws = [draw(0.1, 0.2, 0.3, knn=0.1), draw(0.6, 0.6, 0.6, knn=0.2)]
        rows = boost_rows("ranking", draws)
        assert [row[1] for row in rows] == ["0", "1 (chosen)", "2"]
        # The standard deviation of .2 and .6 is .4 / sqrt(2), that of 2 and 3 is 1 / sqrt(2).
        assert rows[1][2:] == [".5000 ± .0000", ".4000 ± .2828", "2.50 ± .71 x"]
