import pytest
import torch
from torch.nn.functional import cosine_similarity

from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.layers import BLOCKS
from stylerec.models.next_item.model import NextItemModel

COLD_INDEX = 42
WARM_TWIN_INDEX = 7
ITEMS = [5, 6, 9, 30]
EVENTS = [1, 4, 2, 3]
AGES_DAYS = [30.0, 12.0, 1.5, 0.5]


def states(model, items=ITEMS, events=EVENTS, ages_days=AGES_DAYS):
    with torch.inference_mode():
        return model.encoder(
            model.items.table()[items].unsqueeze(0),
            torch.tensor([items]),
            torch.tensor([events]),
            torch.tensor([ages_days]),
        )[0]


def random_model_of(features, **changes):
    torch.manual_seed(0)
    config = NextItemConfig(max_len=12, embedding_dim=16, **changes)
    model = NextItemModel(features, config)
    model.initialise(torch.ones(43, dtype=torch.bool))
    for parameter in model.parameters():
        parameter.data.mul_(5)
    return model.eval()


@pytest.fixture(params=list(BLOCKS))
def random_model(request, features):
    return random_model_of(features, block=request.param)


class TestHistoryEncoder:
    def test_padding_never_changes_a_state(self, random_model):
        padded = states(random_model, [0, 0, 0, *ITEMS], [0, 0, 0, *EVENTS], [0, 0, 0, *AGES_DAYS])
        torch.testing.assert_close(padded[3:], states(random_model), atol=1e-4, rtol=0)

    def test_what_padding_holds_is_ignored(self, random_model):
        padded = states(random_model, [0, *ITEMS], [3, *EVENTS], [99.0, *AGES_DAYS])
        torch.testing.assert_close(padded[1:], states(random_model), atol=1e-4, rtol=0)

    def test_a_later_item_never_changes_an_earlier_state(self, random_model):
        later = states(random_model, [*ITEMS[:3], 11], [*EVENTS[:3], 1], [*AGES_DAYS[:3], 0.0])
        torch.testing.assert_close(later[:3], states(random_model)[:3], atol=0, rtol=0)
        assert (later[3] - states(random_model)[3]).abs().max() > 0.01

    def test_moment_of_asking_does_not_matter(self, random_model):
        shifted = states(random_model, ages_days=[age + 40.0 for age in AGES_DAYS])
        torch.testing.assert_close(shifted, states(random_model), atol=0, rtol=0)

    @pytest.mark.parametrize(
        "other",
        [
            {"items": [6, 5, 9, 30]},
            {"events": [1, 4, 2, 1]},
            {"ages_days": [30.0, 12.0, 11.0, 0.5]},
        ],
        ids=["order", "event type", "time gap"],
    )
    def test_order_event_type_and_gap_matter(self, random_model, other):
        assert (states(random_model, **other)[-1] - states(random_model)[-1]).abs().max() > 1e-3

    @pytest.mark.parametrize("kind", list(BLOCKS))
    def test_event_types_are_ignored_when_switched_off(self, features, kind):
        model = random_model_of(features, block=kind, use_event_types=False)
        assert torch.equal(states(model, events=[1, 1, 1, 1]), states(model))
        assert not torch.equal(states(model, ages_days=[30.0, 12.0, 11.0, 0.5]), states(model))

    @pytest.mark.parametrize("kind", list(BLOCKS))
    def test_time_gaps_are_ignored_when_switched_off(self, features, kind):
        model = random_model_of(features, block=kind, use_time_gaps=False)
        assert torch.equal(states(model, ages_days=[30.0, 12.0, 11.0, 0.5]), states(model))
        assert not torch.equal(states(model, events=[1, 1, 1, 1]), states(model))

    def test_empty_history_is_finite_whatever_its_length(self, random_model):
        short = states(random_model, [0], [0], [0.0])[-1]
        long = states(random_model, [0] * 12, [0] * 12, [0.0] * 12)[-1]
        assert torch.isfinite(short).all()
        torch.testing.assert_close(long, short, atol=1e-4, rtol=0)

    def test_gradient_of_padding_only_is_finite(self, random_model):
        table = random_model.items.table()
        zeros = torch.zeros(1, 4, dtype=torch.int64)
        random_model.encoder(table[zeros], zeros, zeros, torch.zeros(1, 4)).sum().backward()
        gradients = [p.grad for p in random_model.parameters() if p.grad is not None]
        assert all(torch.isfinite(gradient).all() for gradient in gradients)


class TestItemEmbedder:
    def test_padding_and_unknown_are_zero(self, model):
        with torch.inference_mode():
            table = model.items.table()
        assert torch.all(table[:2] == 0)
        assert torch.all(table[2:].norm(dim=1) > 0)

    def test_cold_item_resembles_the_warm_item_with_its_content(self, model):
        with torch.inference_mode():
            table = model.items.table()
        similarity = cosine_similarity(table[COLD_INDEX], table[2:COLD_INDEX])
        assert similarity.argmax() == WARM_TWIN_INDEX - 2
        assert similarity.max() > 0.7

    def test_ids_are_dropped_in_training_only(self, features):
        torch.manual_seed(0)
        model = NextItemModel(features, NextItemConfig(embedding_dim=16, id_dropout=0.5))
        model.initialise(torch.ones(43, dtype=torch.bool))
        twins = torch.tensor([WARM_TWIN_INDEX, COLD_INDEX]).repeat(200)
        cold_has_id = (model.train().items(twins)[0::2] != model.items(twins)[1::2]).any(dim=1)
        # Twins differ unless both lost their ids, with chance 1/2 * 1/2.
        assert cold_has_id.float().mean() == pytest.approx(3 / 4, abs=0.12)
        assert torch.equal(model.eval().items(twins), model.items(twins))

    def test_works_by_id_alone_without_content(self, features):
        model = NextItemModel(features, NextItemConfig(embedding_dim=16, use_content=False))
        assert {name for name, _ in model.items.named_parameters()} == {"item_id.weight"}


class TestSaveAndLoad:
    def test_gives_equal_outputs(self, model, features, tmp_path):
        model.save(tmp_path)
        again = NextItemModel.load(tmp_path, features)
        assert torch.equal(states(again), states(model))
        assert again.config == model.config
