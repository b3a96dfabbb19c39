import pytest

from benchmarks.models.speed import seconds_to_reach

TRAINING = {
    "seconds": 100.0,
    "num_examples": 1_000,
    "epochs": [
        {"seconds": 30.0, "examples_per_s": 50.0, "validation_ndcg_at_10": 0.04},
        {"seconds": 40.0, "examples_per_s": 40.0, "validation_ndcg_at_10": 0.06},
    ],
}
SETUP_S = 100.0 - 30.0 - 40.0


class TestSecondsToReach:
    def test_counts_set_up_and_training_but_not_validation(self):
        assert seconds_to_reach(TRAINING, 0.04) == pytest.approx(SETUP_S + 1_000 / 50)

    def test_adds_up_the_epochs(self):
        expected = SETUP_S + 1_000 / 50 + 1_000 / 40
        assert seconds_to_reach(TRAINING, 0.05) == pytest.approx(expected)

    def test_is_none_if_it_never_gets_there(self):
        assert seconds_to_reach(TRAINING, 0.07) is None
