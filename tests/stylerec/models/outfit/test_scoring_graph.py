import pytest
import torch

from stylerec.models.outfit.scoring_graph import OutfitScorer, usual_norm

NUM_ITEMS = 12
SCALE, BIAS = 0.5, -0.3


@pytest.fixture
def style() -> torch.Tensor:
    table = torch.randn(NUM_ITEMS + 2, 6, generator=torch.Generator().manual_seed(0))
    table[:2] = 0
    return table


def run(style, outfits: list[list[int]], history=(), weight=0.0):
    graph = OutfitScorer(style, scale=torch.tensor(SCALE), bias=torch.tensor(BIAS))
    padded = [outfit + [0] * (6 - len(outfit)) for outfit in outfits]
    num_rows = len(outfits)
    return graph(
        torch.tensor(padded),
        torch.tensor([list(history)] * num_rows, dtype=torch.int64),
        torch.full((num_rows, 1), weight),
    )


class TestOutfitScorer:
    def test_an_outfits_logit_is_the_sum_over_its_pairs(self, style):
        _, compatibility, pairs, _, _ = run(style, [[3, 5, 9]])
        products = style[3] @ style[5] + style[3] @ style[9] + style[5] @ style[9]
        assert float(torch.logit(compatibility[0])) == pytest.approx(
            float(SCALE * products) + BIAS, abs=1e-4
        )
        assert float(pairs[0].triu().sum()) == pytest.approx(float(SCALE * products), abs=1e-4)
        assert float(pairs[0, 0, 2]) == pytest.approx(float(SCALE * style[3] @ style[9]), abs=1e-5)

    def test_items_in_another_order_score_the_same(self, style):
        score, _, _, _, _ = run(style, [[3, 5, 9], [3, 9, 5], [3, 0, 5, 0, 9]], [4], 0.5)
        torch.testing.assert_close(score, score[:1].expand(3))

    def test_the_customer_counts_like_one_more_item_by_weight(self, style):
        history = [4, 8, 8]
        score, compatibility, _, customer, _ = run(style, [[3, 5, 9]], [0, *history], 0.8)
        mean = style[history].mean(dim=0)
        taste = 0.8 * usual_norm(style) * mean / mean.norm()
        expected = [0.0, *(float(SCALE * style[item] @ taste) for item in (5, 9)), 0.0, 0.0, 0.0]
        assert customer[0].tolist() == pytest.approx(expected, abs=1e-5)
        gained = torch.logit(score[0]) - torch.logit(compatibility[0])
        assert float(gained) == pytest.approx(sum(expected), abs=1e-4)

    @pytest.mark.parametrize(("history", "weight"), [([4, 8], 0.0), ([0, 0], 0.9), ([], 0.9)])
    def test_neither_weight_0_nor_an_empty_history_matters(self, style, history, weight):
        score, compatibility, _, customer, _ = run(style, [[3, 5]], history, weight)
        torch.testing.assert_close(score, compatibility)
        assert not customer.any()

    @pytest.mark.parametrize("outfit", [[3], [], [1, -7, 10**9], [3, 0, 0]])
    def test_an_outfit_of_one_known_item_or_none_has_the_score_of_the_bias(self, style, outfit):
        score, _, pairs, _, _ = run(style, [outfit])
        assert float(torch.logit(score[0])) == pytest.approx(BIAS, abs=1e-4)
        assert not pairs.any()

    def test_gives_the_embeddings(self, style):
        *_, embedding = run(style, [[3, 5]])
        torch.testing.assert_close(embedding[0], style[[3, 5, 0, 0, 0, 0]])
