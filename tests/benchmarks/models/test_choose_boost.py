import numpy as np

from benchmarks.models.choose_boost import with_validation_as_test
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
