import numpy as np
import torch

from stylerec.data.prepared import PreparedData
from stylerec.models.outfit.catalogue import build_model, product_type_index, product_type_names
from stylerec.models.outfit.images import PictureNetwork
from stylerec.schema.columns import CATEGORICAL_ITEM_COLUMNS


class TestBuildModel:
    def test_reads_pictures_where_there_is_a_network(self, prepared, config):
        data = PreparedData(prepared)
        without = build_model(data, config, pictures=None)
        assert without.content.picture_UG.shape[1] == 0
        assert without.pictures is None
        network = PictureNetwork(6, config.picture_channels)
        model = build_model(data, config, pictures=network)
        assert model.content.picture_UG.shape == (146, network.num_features)
        assert not any(weight.requires_grad for weight in model.pictures.parameters())
        assert torch.isfinite(model.style_table()).all()

    def test_category_alone_leaves_out_words_brand_colour_and_prices(self, prepared, config):
        content = build_model(
            PreparedData(prepared),
            config.model_copy(update={"use_attributes": False}),
            pictures=None,
        ).content
        assert not content.text_UT.any()
        assert not content.numeric_U2.any()
        names = [
            n
            for n, own in zip(CATEGORICAL_ITEM_COLUMNS, content.categories_UF.T, strict=True)
            if own.any()
        ]
        assert names == ["product_type"]


class TestProductTypes:
    def test_names_belong_to_the_indices(self, prepared):
        data = PreparedData(prepared)
        names = product_type_names(data)
        known = data.vocabulary.categories["product_type"]
        assert names[:3] == [None, None, "dress"]
        index = product_type_index(data.item_features)
        assert [known[i - 2] for i in index[2:]] == names[2:]
        assert np.array_equal(index[:2], [0, 0])
