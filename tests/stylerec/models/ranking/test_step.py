import numpy as np
import pytest

from stylerec.models.ranking.batches import Batch
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel
from stylerec.models.ranking.negatives import choose_step_items
from stylerec.models.ranking.step import TrainStep, step_inputs

BATCH = Batch(
    {
        "history_item_index": np.array([[0, 2, 3], [0, 0, 12], [0, 0, 1]], np.int64),
        "history_event_type": np.array([[0, 1, 4], [0, 0, 2], [0, 0, 1]], np.int64),
        "history_age_days": np.array([[0, 9, 2], [0, 0, 5], [0, 0, 0]], np.float32),
    },
    np.array([4, 13, 20], np.int64),
    np.ones(3, np.float32),
)


def losses(
    features, num_steps: int, *, weight: tuple[float, ...] = (1, 1, 1), **changes
) -> tuple[list[float], RankingModel]:
    fields = {"embedding_dim": 8, "num_heads": 2, "learning_rate": 0.02}
    config = RankingConfig(**fields | changes)
    has_id = np.arange(len(features.numeric)) >= 2
    model = RankingModel(config, features, has_id=has_id)
    choose = choose_step_items(config, np.where(has_id, 5, 0), has_id=has_id)
    step = TrainStep(model, choose, num_steps=num_steps)
    batch = Batch(BATCH.history, BATCH.target, np.array(weight, np.float32))
    found = [
        step(step_inputs(batch, choose(batch, step=number)), step=number)
        for number in range(num_steps)
    ]
    return found, model


SAMPLED = {"max_full_softmax_items": 0, "num_negatives": 30}
AMF = RankingConfig.amf().model_dump(
    include={"use_content", "id_dropout", "aggregation", "use_input_embedding"}
)


class TestStepInputs:
    def test_leaves_padding_and_unknown_items_out(self) -> None:
        choose = choose_step_items(RankingConfig(), np.full(42, 5), has_id=np.arange(42) >= 2)
        inputs = step_inputs(BATCH, choose(BATCH, step=0))
        np.testing.assert_array_equal(inputs.item_N[inputs.history_F], [2, 3, 12])
        np.testing.assert_array_equal(inputs.row_F, [0, 0, 1])
        np.testing.assert_array_equal(inputs.from_newest_F, [1, 0, 0])
        np.testing.assert_array_equal(inputs.event_type_F, [1, 4, 2])
        np.testing.assert_array_equal(inputs.age_days_F, [9, 2, 5])
        np.testing.assert_array_equal(inputs.item_N[inputs.target_B], [4, 13, 20])

    def test_shares_are_weights_that_sum_to_one(self) -> None:
        choose = choose_step_items(RankingConfig(), np.full(42, 5), has_id=np.arange(42) >= 2)
        weighted = Batch(BATCH.history, BATCH.target, np.array([3, 0, 1], np.float32))
        inputs = step_inputs(weighted, choose(weighted, step=0))
        np.testing.assert_array_equal(inputs.share_B, [3 / 4, 0, 1 / 4])


class TestTrainStep:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"precision": "bfloat16"},
            {**SAMPLED, "negatives": "uniform"},
            {**SAMPLED, "negatives": "popularity"},
            {**SAMPLED, "negatives": "in_batch"},
            {**SAMPLED, "negatives": "uniform", "loss": "gbce"},
            AMF,
            {**AMF, "history_exponent": 0.5, "use_item_bias": False},
            {"use_input_embedding": True},
            {"use_event_types": False, "use_time_gaps": False, "history_exponent": 0.5},
        ],
        ids=[
            *("full", "bfloat16", "uniform", "popularity", "in_batch", "gbce"),
            *("amf", "fism", "input_embedding", "order_only"),
        ],
    )
    def test_fits_one_batch(self, features, changes: dict) -> None:
        found, _ = losses(features, 80, **changes)
        assert np.mean(found[-10:]) < 0.5 * np.mean(found[:3])

    def test_starts_at_the_log_of_the_number_of_items(self, features) -> None:
        found, _ = losses(features, 1, initial_std=0.01)
        assert found[0] == pytest.approx(np.log(40), abs=0.05)

    def test_the_same_seed_gives_the_same_weights(self, features) -> None:
        (_, first), (_, second) = losses(features, 3), losses(features, 3)
        for name, weight in first.parameters.variables.items():
            np.testing.assert_array_equal(weight, second.parameters.variables[name], err_msg=name)

    def test_every_weight_learns_but_what_is_fixed(self, features) -> None:
        _, model = losses(features, 3)
        untouched = RankingModel(
            model.config, features, has_id=np.arange(len(features.numeric)) >= 2
        ).parameters.variables
        unchanged = {
            name
            for name, weight in model.parameters.variables.items()
            if (weight.numpy() == untouched[name].numpy()).all()
        }
        assert unchanged == {"item.has_id", "query.match_weight"}

    def test_an_example_without_weight_teaches_nothing(self, features) -> None:
        changes = {"weight_decay": 0.0, "dropout": 0.0, "id_dropout": 0.0, "use_content": False}
        _, model = losses(features, 3, weight=(1, 0, 0), **changes)
        start = RankingModel(model.config, features, has_id=model.has_id).parameters.variables
        ids, before = (v["item.id"].numpy() for v in (model.parameters.variables, start))
        moved = ids - before
        # Targets of weight 0 are pushed away like every other candidate, in one direction.
        others = [13, 20, 30]
        assert (moved[4] != 0).any()
        np.testing.assert_allclose(np.sign(moved[others]), np.sign(moved[[30] * 3]))
