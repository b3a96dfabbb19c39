import pytest
import torch

from stylerec.models.outfit.model import sum_of_pairs


class TestSumOfPairs:
    def test_is_the_sum_over_all_pairs(self):
        outfit = torch.tensor([[[1.0, 0.0], [2.0, 1.0], [0.0, 3.0], [0.0, 0.0]]])
        # (1, 0).(2, 1) + (1, 0).(0, 3) + (2, 1).(0, 3)
        assert sum_of_pairs(outfit).tolist() == [2.0 + 0.0 + 3.0]


class TestOutfitModel:
    def test_ignores_the_order_of_items(self, model):
        one = model(torch.tensor([[5, 9, 30, 71]]))
        other = model(torch.tensor([[71, 5, 30, 9]]))
        torch.testing.assert_close(one, other)

    def test_padding_changes_nothing(self, model):
        short = model(torch.tensor([[5, 9, 30]]))
        padded = model(torch.tensor([[5, 0, 9, 30, 0, 0]]))
        torch.testing.assert_close(short, padded)

    def test_unknown_items_add_nothing(self, model):
        torch.testing.assert_close(
            model(torch.tensor([[5, 9, 1]])), model(torch.tensor([[5, 9, 0]]))
        )

    def test_other_outfits_of_the_batch_change_nothing(self, model):
        alone = model(torch.tensor([[5, 9, 30]]))
        together = model(torch.tensor([[8, 20, 0], [5, 9, 30]]))
        torch.testing.assert_close(alone[0], together[1])

    def test_is_the_scaled_sum_over_pairs_and_the_bias(self, model):
        with torch.no_grad():
            model.bias.fill_(0.7)
            model.log_scale.fill_(0.0)
            first, second = model.embed(torch.tensor([5, 9]))
            logit = model(torch.tensor([[5, 9]]))
        assert float(logit[0]) == pytest.approx(float(first @ second) + 0.7, rel=1e-4)

    def test_an_item_depends_on_its_content_alone(self, model):
        style = model.style_table()
        # Items 6 and 42 are copies: same type, colour and words.
        torch.testing.assert_close(style[6], style[6 + 36])
        assert not torch.allclose(style[6], style[7])

    def test_style_table_has_no_dropout_and_zero_rows_for_padding_and_unknown(self, model):
        model.train()
        table = model.style_table()
        assert model.embedder.training
        torch.testing.assert_close(table, model.eval().style_table())
        assert (table[:2] == 0).all()
        assert (table[2:].norm(dim=1) > 0).all()
