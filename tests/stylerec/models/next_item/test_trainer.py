import pytest
import torch

from stylerec.data.prepared import PreparedData
from stylerec.models.next_item import trainer
from stylerec.models.next_item.examples import read_examples
from stylerec.models.next_item.model import HistoryEncoder
from stylerec.models.next_item.throughput import training_flops
from stylerec.models.next_item.train import train_next_item

PEAK = 1e12


class TestTrainer:
    """What a whole run does is tried in `test_train.py`."""

    @pytest.mark.parametrize(
        ("loss", "num_competitors"), [("full_softmax", 40), ("sampled_softmax", 17)]
    )
    def test_records_the_share_of_a_known_peak(
        self, prepared, tmp_path, small_config, monkeypatch, loss, num_competitors
    ):
        monkeypatch.setattr(trainer, "peak_flops", lambda device, dtype: PEAK)
        config = small_config.model_copy(
            update={"max_epochs": 1, "loss": loss, "num_negatives": num_competitors}
        )
        result = train_next_item(prepared, tmp_path / "m", config, device="cpu", progress=len)
        (epoch,) = result.epochs
        examples = read_examples(PreparedData(prepared), config, num_items=43)
        flops = training_flops(
            config,
            HistoryEncoder(config),
            num_tokens=examples.num_tokens,
            num_pairs=examples.num_pairs,
            num_scores=examples.num_targets * num_competitors,
        )
        seconds = examples.num_targets / epoch.examples_per_s
        assert epoch.share_of_peak == pytest.approx(flops / seconds / PEAK)
        assert epoch.tokens_per_s == pytest.approx(examples.num_tokens / seconds)


class TestInitialise:
    def test_spectral_vectors_put_neighbours_together(self, prepared, features, small_config):
        data = PreparedData(prepared)
        similarity = {}
        for start in ("spectral", "random"):
            config = small_config.model_copy(update={"initialisation": start})
            model = trainer.NextItemModel(features, config)
            examples = read_examples(data, config, num_items=43)
            trainer.initialise(model, features, examples, config)
            # The ids start as what the content does not explain: together they are the vectors.
            table = model.eval().items.table().detach()
            vectors = torch.nn.functional.normalize(table[2:42], dim=1)
            similarity[start] = (vectors * vectors.roll(1, dims=0)).sum(dim=1).mean().item()
        # The walk visits neighbours one after another.
        assert similarity["spectral"] > 0.5
        assert abs(similarity["random"]) < 0.3
