import json

import pytest
from safetensors.numpy import load_file

from stylerec.errors import ConfigError, DataError
from stylerec.models.outfit.config import OutfitConfig
from stylerec.models.outfit.train import TrainingResult, train_outfit


def quietly(prepared, output, config):
    return train_outfit(prepared, output, config, progress=lambda _: None)


class TestTrainOutfit:
    def test_learns_what_goes_together(self, trained):
        _, result, _ = trained
        assert result.validation_auc > 0.98
        assert result.epochs[-1].loss < 0.7 * result.epochs[0].loss

    def test_keeps_the_best_epoch(self, trained):
        _, result, _ = trained
        assert result.validation_auc == max(e.validation_auc for e in result.epochs)
        assert result.epochs[result.best_epoch - 1].validation_auc == result.validation_auc

    def test_writes_its_folder(self, trained, config):
        folder, result, _ = trained
        assert {path.name for path in folder.iterdir()} == {
            "config.json",
            "weights.safetensors",
            "training.json",
            "set_scorer.safetensors",
            "style_space.html",
            "style_space.png",
        }
        assert OutfitConfig.model_validate_json((folder / "config.json").read_text()) == config
        record = (folder / "training.json").read_text()
        assert TrainingResult.model_validate_json(record) == result
        assert json.loads(record)["epochs"][0].keys() >= {"loss", "validation_auc", "seconds"}

    def test_reports_each_epoch(self, trained):
        _, result, lines = trained
        epochs = [line for line in lines if line.startswith("outfit epoch")]
        assert len(epochs) == len(result.epochs)
        assert "validation AUC" in epochs[0]
        assert "s left" in epochs[0]

    def test_counts_outfits(self, trained):
        _, result, _ = trained
        assert result.num_train_outfits > 100
        assert result.num_validation_outfits > 3
        assert result.has_pictures

    def test_has_figures_of_both_scorers(self, trained):
        _, result, lines = trained
        assert result.scorer == "set"
        assert set(result.validation) == {"pairwise", "set"}
        assert all(own.auc > 0.9 for own in result.validation.values())
        assert any(line.startswith("outfit scorer set: validation AUC") for line in lines)

    def test_the_sum_of_pairs_is_a_choice(self, prepared, config, tmp_path):
        short = {"max_epochs": 1, "patience": 1, "use_pictures": False, "scorer": "pairwise"}
        result = quietly(prepared, tmp_path / "trained", config.model_copy(update=short))
        assert result.scorer == "pairwise"
        assert not (tmp_path / "trained" / "set_scorer.safetensors").exists()

    def test_is_the_same_for_the_same_seed(self, prepared, config, tmp_path):
        short = config.model_copy(update={"max_epochs": 2, "patience": 2, "picture_max_steps": 3})
        for name in ("one", "two"):
            quietly(prepared, tmp_path / name, short)
        quietly(prepared, tmp_path / "other", short.model_copy(update={"seed": 8}))
        one, two, other = (
            load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two", "other")
        )
        assert all((one[name] == two[name]).all() for name in one)
        assert any((one[name] != other[name]).any() for name in one)

    @pytest.mark.parametrize(("has_images", "has_text"), [(False, True), (True, False)])
    def test_works_without_pictures_or_words(
        self, retailer, config, tmp_path, has_images, has_text
    ):
        prepared = retailer(tmp_path / "prepared", has_images=has_images, has_text=has_text)
        short = config.model_copy(update={"max_epochs": 8, "patience": 8})
        result = quietly(prepared, tmp_path / "trained", short)
        assert result.has_pictures == has_images
        # Colour alone is left without words; colour and mood without pictures.
        assert result.validation_auc > 0.65

    @pytest.mark.parametrize(
        "choices",
        [
            {"negative_rule": "type", "has_fixed_negatives": True, "num_single_negatives": 0},
            {"hard_negative_draws": 3, "single_loss": "softmax"},
        ],
    )
    def test_trains_on_other_counter_examples(self, prepared, config, tmp_path, choices):
        short = config.model_copy(
            update={"max_epochs": 4, "patience": 4, "use_pictures": False, **choices}
        )
        result = quietly(prepared, tmp_path / "trained", short)
        assert result.validation_auc > 0.65
        assert result.epochs[-1].loss < result.epochs[0].loss

    def test_can_leave_pictures_out(self, prepared, config, tmp_path):
        short = config.model_copy(update={"max_epochs": 1, "patience": 1, "use_pictures": False})
        assert not quietly(prepared, tmp_path / "trained", short).has_pictures

    def test_stops_when_validation_stalls(self, prepared, config, tmp_path):
        stuck = config.model_copy(
            update={"learning_rate": 1e-12, "patience": 2, "use_pictures": False}
        )
        result = quietly(prepared, tmp_path / "trained", stuck)
        assert len(result.epochs) == result.best_epoch + 2 < config.max_epochs

    def test_refuses_data_without_outfits(self, retailer, config, tmp_path):
        prepared = retailer(tmp_path / "prepared", num_outfits=0)
        with pytest.raises(DataError, match="outfits: expected outfits to train"):
            quietly(prepared, tmp_path / "trained", config)
        assert not (tmp_path / "trained").exists()

    def test_refuses_a_loss_that_is_not_a_number(self, prepared, config, tmp_path, monkeypatch):
        monkeypatch.setattr(
            "stylerec.models.outfit.train.outfit_loss",
            lambda true, whole, single, **_: (
                (true.sum() + whole.sum() + single.sum()) * float("nan")
            ),
        )
        broken = config.model_copy(update={"use_pictures": False})
        with pytest.raises(ConfigError, match=r"outfit\.learning_rate"):
            quietly(prepared, tmp_path / "trained", broken)
