import numpy as np
import pytest
import torch

from stylerec.data.content_vectors import content_vectors
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.model import NextItemModel

NEW = [4, 42]
DIM, CONTENT = 8, 200


def make_model(features, **changes):
    torch.manual_seed(0)
    config = NextItemConfig(embedding_dim=DIM, max_len=12, match_dim=CONTENT, **changes)
    model = NextItemModel(features, config)
    is_trained = torch.ones(43, dtype=torch.bool)
    is_trained[NEW] = False
    model.initialise(is_trained)
    model.match.get_buffer("weight").fill_(3.0)
    return model.eval()


def scores(model, items):
    history = torch.tensor([items])
    with torch.inference_mode():
        rows = model.item_rows()
        query = model.query(rows, history, history.clamp(max=1), torch.zeros(history.shape))
        return (query @ rows.T)[0]


class TestContentMatch:
    def test_adds_the_faded_similarity_to_the_model_score(self, features):
        model = make_model(features)
        content = torch.from_numpy(content_vectors(features, dim=CONTENT))
        found = scores(model, [0, 5, 9])
        model.match.get_buffer("weight").fill_(0.0)
        similarity = content @ (content[9] + np.exp(-0.5) * content[5])
        torch.testing.assert_close(found - scores(model, [0, 5, 9]), 3.0 * similarity)

    def test_padding_never_changes_a_score(self, features):
        model = make_model(features, new_item_boost=0.5)
        torch.testing.assert_close(
            scores(model, [0, 0, 0, 5, 9]), scores(model, [5, 9]), atol=1e-5, rtol=0
        )

    def test_new_items_alone_are_boosted(self, features):
        gain = scores(make_model(features, new_item_boost=0.5), [5]) - scores(
            make_model(features), [5]
        )
        expected = torch.zeros(43)
        expected[NEW] = 0.5
        torch.testing.assert_close(gain, expected, atol=1e-5, rtol=0)

    @pytest.mark.parametrize("changes", [{"match_dim": 0}, {"use_content": False}])
    def test_is_nothing_when_switched_off(self, features, changes):
        model = NextItemModel(features, NextItemConfig(embedding_dim=DIM, **changes))
        assert model.item_rows().shape == (43, DIM)

    def test_weight_is_saved_and_vectors_are_not(self, features, tmp_path):
        model = make_model(features)
        model.save(tmp_path)
        loaded = NextItemModel.load(tmp_path, features)
        assert float(loaded.match.get_buffer("weight")) == 3.0
        assert "match.vectors" not in model.state_dict()
