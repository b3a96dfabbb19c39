import numpy as np
import pytest
from pydantic import ValidationError

from stylerec.models.records import EpochRecord, TrainingResult, peak_rss_mib

EPOCH = {
    "epoch": 1,
    "loss": 2.5,
    "validation_ndcg_at_10": 0.04,
    "examples_per_s": 900.0,
    "seconds": 3.0,
}


class TestTrainingResult:
    def test_survives_json(self) -> None:
        result = TrainingResult(
            model="next_item",
            num_weights=12,
            best_epoch=1,
            validation_ndcg_at_10=0.04,
            num_validation_customers=9,
            num_examples=100,
            seconds=3.5,
            epochs=(EpochRecord.model_validate(EPOCH),),
            peak_rss_mib=400.0,
        )
        assert TrainingResult.model_validate_json(result.model_dump_json()) == result

    def test_raises_on_other_keys(self) -> None:
        with pytest.raises(ValidationError, match="accuracy"):
            EpochRecord.model_validate({**EPOCH, "accuracy": 1.0})


class TestPeakRssMib:
    def test_rises_with_what_is_held_and_never_falls(self) -> None:
        held = np.ones(64 * 2**20 // 8)
        with_it = peak_rss_mib()
        assert with_it > held.nbytes / 2**20
        del held
        assert peak_rss_mib() >= with_it
