import shutil

import pytest
import torch

from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError
from stylerec.models.outfit.artifacts import load_trained


class TestLoadTrained:
    def test_gives_equal_outputs_each_time(self, trained, prepared):
        folder, _, _ = trained
        outfits = torch.tensor([[5, 9, 30], [2, 7, 0]])
        first, config = load_trained(folder, PreparedData(prepared))
        second, _ = load_trained(folder, PreparedData(prepared))
        torch.testing.assert_close(first(outfits), second(outfits), rtol=0, atol=0)
        assert not first.training
        assert config.embedding_dim == 16

    def test_has_the_picture_network(self, trained, prepared):
        model, _ = load_trained(trained[0], PreparedData(prepared))
        assert model.pictures is not None
        assert not (model.pictures.feature_mean == 0).all()

    def test_refuses_a_folder_without_weights(self, trained, prepared, tmp_path):
        broken = shutil.copytree(trained[0], tmp_path / "broken")
        (broken / "weights.safetensors").unlink()
        with pytest.raises(ReleaseError, match="train the outfit model again"):
            load_trained(broken, PreparedData(prepared))

    def test_refuses_a_truncated_file(self, trained, prepared, tmp_path):
        broken = shutil.copytree(trained[0], tmp_path / "broken")
        weights = broken / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:100])
        with pytest.raises(ReleaseError, match=r"weights\.safetensors"):
            load_trained(broken, PreparedData(prepared))

    def test_refuses_data_without_the_pictures(self, trained, retailer, tmp_path):
        other = retailer(tmp_path / "prepared", has_images=False)
        with pytest.raises(ReleaseError, match="expected pictures"):
            load_trained(trained[0], PreparedData(other))

    def test_refuses_data_with_other_categories(self, trained, retailer, tmp_path):
        other = retailer(tmp_path / "prepared", colours=("red", "green"))
        with pytest.raises(ReleaseError, match="the same categories"):
            load_trained(trained[0], PreparedData(other))
