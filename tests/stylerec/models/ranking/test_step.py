import numpy as np
import pytest

from stylerec.models.ranking.batches import Batch
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel
from stylerec.models.ranking.negatives import choose_step_items
from stylerec.models.ranking.step import TrainStep

BATCH = Batch(
    {
        "history_item_index": np.array([[0, 2, 3], [0, 0, 12], [0, 0, 1]], np.int64),
        "history_event_type": np.array([[0, 1, 4], [0, 0, 2], [0, 0, 1]], np.int64),
        "history_age_days": np.array([[0, 9, 2], [0, 0, 5], [0, 0, 0]], np.float32),
    },
    np.array([4, 13, 20], np.int64),
)


def losses(features, num_steps: int, **changes) -> tuple[list[float], RankingModel]:
    config = RankingConfig(embedding_dim=8, num_heads=2, learning_rate=0.02)
    config = RankingConfig(**{**config.model_dump(), **changes})
    has_id = np.arange(len(features.numeric)) >= 2
    model = RankingModel(config, features, has_id=has_id)
    choose = choose_step_items(config, np.where(has_id, 5, 0), has_id=has_id)
    step = TrainStep(model, is_sampled=choose.is_sampled, num_steps=num_steps)
    return [step(BATCH, choose(BATCH), step=number) for number in range(num_steps)], model


SAMPLED = {"max_full_softmax_items": 0, "num_negatives": 30}


class TestTrainStep:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {**SAMPLED, "negatives": "uniform"},
            {**SAMPLED, "negatives": "popularity"},
            {**SAMPLED, "negatives": "in_batch"},
            RankingConfig.amf().model_dump(include={"use_content", "id_dropout", "aggregation"}),
            {"use_input_embedding": True},
        ],
        ids=["full", "uniform", "popularity", "in_batch", "amf", "input_embedding"],
    )
    def test_fits_one_batch(self, features, changes: dict) -> None:
        found, _ = losses(features, 80, **changes)
        assert np.mean(found[-10:]) < 0.5 * np.mean(found[:3])

    def test_starts_at_the_log_of_the_number_of_items(self, features) -> None:
        found, _ = losses(features, 1)
        assert found[0] == pytest.approx(np.log(40), abs=0.05)

    def test_the_same_seed_gives_the_same_weights(self, features) -> None:
        (_, first), (_, second) = losses(features, 3), losses(features, 3)
        for name, weight in first.parameters.variables.items():
            np.testing.assert_array_equal(weight, second.parameters.variables[name], err_msg=name)

    def test_every_weight_but_the_mask_learns(self, features) -> None:
        _, model = losses(features, 3)
        untouched = RankingModel(
            model.config, features, has_id=np.arange(len(features.numeric)) >= 2
        ).parameters.variables
        unchanged = {
            name
            for name, weight in model.parameters.variables.items()
            if (weight.numpy() == untouched[name].numpy()).all()
        }
        assert unchanged == {"item.has_id"}
