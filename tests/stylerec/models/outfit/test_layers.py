import pytest
import torch

from stylerec.models.outfit.config import OutfitConfig
from stylerec.models.outfit.layers import ItemContent, ItemEmbedder

CONFIG = OutfitConfig(embedding_dim=6, part_dim=4, hidden_dim=8)


def embedder(num_picture_features: int) -> ItemEmbedder:
    torch.manual_seed(0)
    return ItemEmbedder(
        CONFIG,
        num_text_buckets=20,
        category_sizes=(5, 2),
        num_picture_features=num_picture_features,
    ).eval()


def content(num_picture_features: int) -> ItemContent:
    return ItemContent(
        text_UT=torch.tensor([[3, 7, 0], [7, 3, 0], [3, 7, 9]]),
        categories_UF=torch.tensor([[2, 0], [2, 0], [2, 0]]),
        numeric_U2=torch.zeros(3, 2),
        picture_UG=torch.ones(3, num_picture_features),
    )


class TestItemEmbedder:
    @pytest.mark.parametrize("num_picture_features", [0, 5])
    def test_has_the_width_of_the_style_space(self, num_picture_features):
        style = embedder(num_picture_features)(content(num_picture_features))
        assert style.shape == (3, 6)

    def test_ignores_the_order_and_the_padding_of_words(self):
        given = content(0)
        wider = ItemContent(
            torch.nn.functional.pad(given.text_UT, (0, 4)),
            given.categories_UF,
            given.numeric_U2,
            given.picture_UG,
        )
        style = embedder(0)(given)
        torch.testing.assert_close(style[0], style[1])
        torch.testing.assert_close(style, embedder(0)(wider))
        assert not torch.allclose(style[0], style[2])

    def test_is_finite_without_any_content(self):
        nothing = ItemContent(
            torch.zeros(1, 3, dtype=torch.int64),
            torch.zeros(1, 2, dtype=torch.int64),
            torch.zeros(1, 2),
            torch.zeros(1, 5),
        )
        assert torch.isfinite(embedder(5)(nothing)).all()


class TestItemContent:
    def test_rows_picks_the_same_items_of_every_part(self):
        picked = content(2).rows(torch.tensor([2, 0]))
        assert picked.text_UT.tolist() == [[3, 7, 9], [3, 7, 0]]
        assert picked.picture_UG.shape == (2, 2)
