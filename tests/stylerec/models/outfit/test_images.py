import numpy as np
import pytest
import torch

from stylerec.models.outfit.images import (
    PictureNetwork,
    class_activation_weights,
    has_picture,
    localised_features,
)


@pytest.fixture
def network() -> PictureNetwork:
    torch.manual_seed(0)
    return PictureNetwork(num_types=6, channels=12).eval()


@pytest.fixture
def images() -> np.ndarray:
    pictures = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    pictures[3] = 0
    return pictures


TYPES = np.array([2, 3, 4, 2, 5])


class TestClassActivationWeights:
    def test_spreads_by_the_positive_evidence(self):
        # One channel with weight 2: maps 2 * (3, 1, 0, -5), of which -5 is cut off.
        features = torch.tensor([[[[3.0, 1.0], [0.0, -5.0]]]])
        weights = class_activation_weights(features, torch.tensor([[2.0]]))
        torch.testing.assert_close(weights, torch.tensor([[[6.0 / 8.0, 2.0 / 8.0], [0.0, 0.0]]]))

    def test_is_even_without_evidence(self):
        weights = class_activation_weights(torch.ones(1, 1, 2, 2), torch.tensor([[-1.0]]))
        assert weights.flatten().tolist() == [1 / 4] * 4


class TestPictureNetwork:
    def test_logits_are_the_mean_class_activation(self, network):
        pictures = torch.randn(2, 3, 64, 64)
        features = network.feature_map(pictures)
        assert features.shape == (2, 12, 8, 8)
        maps = torch.einsum("bfgh,tf->btgh", features, network.classify.weight)
        expected = maps.mean(dim=(2, 3)) + network.classify.bias
        torch.testing.assert_close(network(pictures), expected)

    def test_localised_depends_on_the_type(self, network):
        picture = torch.randn(1, 3, 64, 64)
        first, second = (network.localised(picture, torch.tensor([t])) for t in (2, 3))
        assert first.shape == (1, network.num_features)
        assert not torch.allclose(first, second)

    def test_the_whole_picture_is_the_plain_mean_over_places(self):
        network = PictureNetwork(num_types=6, channels=12, is_localised=False).eval()
        picture = torch.randn(1, 3, 64, 64)
        found = network.localised(picture, torch.tensor([2]))
        torch.testing.assert_close(found[:, :12], network.feature_map(picture).mean(dim=(2, 3)))
        torch.testing.assert_close(found[:, 12:], picture.mean(dim=(2, 3)))

    def test_a_missing_type_counts_as_the_likeliest(self, network):
        picture = torch.randn(1, 3, 64, 64)
        likeliest = network(picture)[:, 2:].argmax(dim=1) + 2
        for missing in (0, 1):
            torch.testing.assert_close(
                network.localised(picture, torch.tensor([missing])),
                network.localised(picture, likeliest),
            )


class TestLocalisedFeatures:
    def test_is_zero_without_a_picture(self, network, images):
        features = localised_features(network, images, TYPES)
        assert features.shape == (5, 12 + 3)
        assert features.dtype == np.float32
        assert (features[3] == 0).all()
        assert (np.abs(features[[0, 1, 2, 4]]).sum(axis=1) > 0).all()

    def test_other_pictures_change_nothing(self, network, images):
        whole = localised_features(network, images, TYPES)
        part = localised_features(network, images[1:3], TYPES[1:3])
        np.testing.assert_allclose(part, whole[1:3], rtol=1e-4, atol=1e-5)

    def test_reads_a_mapped_file(self, network, images, tmp_path):
        np.save(tmp_path / "images.npy", images)
        mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
        np.testing.assert_array_equal(
            localised_features(network, mapped, TYPES), localised_features(network, images, TYPES)
        )


class TestHasPicture:
    def test_all_zero_means_none(self, images):
        assert has_picture(images).tolist() == [True, True, True, False, True]
