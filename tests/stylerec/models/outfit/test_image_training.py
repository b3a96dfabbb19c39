import numpy as np
import pytest
import torch

from stylerec.data.prepared import PreparedData
from stylerec.models.outfit.catalogue import product_type_index
from stylerec.models.outfit.image_training import train_picture_network, typed_pictures
from stylerec.models.outfit.images import class_activation_weights, localised_features, to_tensor

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def learnt(prepared, config):
    data = PreparedData(prepared)
    types = product_type_index(data.item_features)
    lines: list[str] = []
    torch.manual_seed(0)
    network = train_picture_network(
        data.images, types, config, num_types=6, device=CPU, progress=lines.append
    )
    return network, data.images, types, lines


class TestTrainPictureNetwork:
    def test_learns_the_product_type(self, learnt):
        network, images, types, lines = learnt
        rows = typed_pictures(images, types)
        with torch.no_grad():
            found = network(to_tensor(images[rows], CPU)).argmax(dim=1).numpy()
        assert (found == types[rows]).mean() > 0.8
        assert lines[-1].startswith("outfit pictures, step 54 of 54")

    def test_class_activation_finds_the_product(self, learnt):
        network, images, types, _ = learnt
        with torch.no_grad():
            features = network.feature_map(to_tensor(images[3:40], CPU))
            weights = class_activation_weights(
                features, network.classify.weight[torch.from_numpy(types[3:40])]
            ).numpy()
        # The product fills 3 x 3 of the map's 8 x 8 places; its rim may show beside it.
        is_product = (images[3:40].min(axis=3) < 100).reshape(-1, 8, 8, 8, 8).any(axis=(2, 4))
        share = (weights * is_product).sum(axis=(1, 2)).mean()
        assert share > 2 * is_product.mean()

    def test_features_are_standardised_over_the_pictures(self, learnt):
        network, images, types, _ = learnt
        features = localised_features(network, images, types)[3:]
        np.testing.assert_allclose(features.mean(axis=0), 0.0, atol=1e-3)
        assert (features.std(axis=0) < 1.01).all()

    def test_stops_at_the_most_steps(self, prepared, config):
        data = PreparedData(prepared)
        lines: list[str] = []
        train_picture_network(
            data.images,
            product_type_index(data.item_features),
            config.model_copy(update={"picture_max_steps": 2}),
            num_types=6,
            device=CPU,
            progress=lines.append,
        )
        assert lines[-1].startswith("outfit pictures, step 2 of 2")

    def test_refuses_pictures_without_types(self, config):
        images = np.ones((4, 64, 64, 3), dtype=np.uint8)
        with pytest.raises(ValueError, match="known product types"):
            train_picture_network(
                images, np.array([0, 1, 1, 0]), config, num_types=3, device=CPU, progress=print
            )
