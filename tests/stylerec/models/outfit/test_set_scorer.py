import numpy as np
import pandas as pd
import pytest
import torch

from stylerec.data.outfit_comparison import compare, draw_comparison
from stylerec.data.outfit_negatives import Negatives
from stylerec.data.outfits import OutfitSplit
from stylerec.errors import DataError
from stylerec.models.outfit.evidence import pair_evidence
from stylerec.models.outfit.evidence_scorer import MEAN_AND_BEST, EvidenceScorer, Weights
from stylerec.models.outfit.set_graph import SetScorer
from stylerec.models.outfit.set_scorer import (
    SetTables,
    StyledEvidence,
    fit_set_scorer,
    pairwise_score,
    set_tables,
)

COLOURS, NUM_ITEMS = 4, 98
ITEMS = pd.DataFrame(
    {
        "item_index": np.arange(2, NUM_ITEMS),
        "product_type": [("bag", "dress", "hat")[i % 3] for i in range(96)],
        "colour": [str(i // 3 % COLOURS) for i in range(96)],
        "attributes": [["fabric:" + "ab"[i % 5 > 1]] if i % 7 else None for i in range(96)],
    }
)
STYLE = np.random.default_rng(0).normal(size=(NUM_ITEMS, 5)).astype(np.float32)
STYLE[:2] = 0


def outfits(count: int, seed: int) -> list[np.ndarray]:
    """A bag, a dress and a hat of one colour each; the last bags and dresses are never worn."""
    generator = np.random.default_rng(seed)
    colours = generator.integers(COLOURS, size=count)
    copies = generator.integers(7, size=(count, 3))
    return [
        2 + np.arange(3) + 3 * colour + 3 * COLOURS * copy
        for colour, copy in zip(colours, copies, strict=True)
    ]


SPLIT = OutfitSplit(outfits(150, 1), outfits(60, 2), [], {})


@pytest.fixture(scope="module")
def fitted():
    return fit_set_scorer(ITEMS, SPLIT, STYLE, max_partners=6)


def some_outfits(num_rows: int, seed: int) -> np.ndarray:
    """Outfits of 0 to 7 items with padding and unknown items anywhere, and items twice."""
    generator = np.random.default_rng(seed)
    found = generator.integers(0, NUM_ITEMS, (num_rows, 7))
    found[generator.random(found.shape) < generator.random((num_rows, 1))] = 0
    found[0], found[1, 1:] = 0, 0
    worn = outfits(num_rows - 2, 5)
    found[2:, :3] = worn
    return found


def graph_scores(scorer: EvidenceScorer, outfits_BN: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    graph = SetScorer(set_tables(scorer))
    style_BND = torch.from_numpy(STYLE[outfits_BN])
    found = graph(torch.from_numpy(outfits_BN), style_BND @ style_BND.transpose(1, 2))
    return found[0].numpy(), found[1].numpy()


class TestFitSetScorer:
    def test_beats_the_sum_of_pairs_where_styles_say_nothing(self, fitted):
        scorer, figures = fitted
        assert figures["set"].auc > 0.9
        assert figures["pairwise"].auc < 0.6
        held_out = draw_comparison(
            outfits(80, 3), Negatives(ITEMS, SPLIT.train, num_items=NUM_ITEMS), seed=5
        )
        assert compare(scorer, held_out).auc > 0.9

    def test_counts_validation_outfits_in_the_end(self, fitted):
        worn = fitted[0].evidence.evidence.worn_V
        assert worn.sum() == 3 * (len(SPLIT.train) + len(SPLIT.validation))

    def test_refuses_too_few_validation_outfits(self):
        split = OutfitSplit(SPLIT.train, SPLIT.validation[:1], [], {})
        with pytest.raises(DataError, match="outfits"):
            fit_set_scorer(ITEMS, split, STYLE, max_partners=6)


class TestPairwiseScore:
    def test_sums_the_products_of_pairs(self):
        found = pairwise_score(STYLE, np.array([[2, 3, 0, 4], [2, 0, 0, 0]]))
        expected = STYLE[2] @ STYLE[3] + STYLE[2] @ STYLE[4] + STYLE[3] @ STYLE[4]
        assert found == pytest.approx([expected, 0.0], abs=1e-5)


class TestSetGraph:
    def test_equals_the_scorer(self, fitted):
        outfits_BN = some_outfits(60, 1)
        logits, _ = graph_scores(fitted[0], outfits_BN)
        np.testing.assert_allclose(logits, fitted[0](outfits_BN), atol=1e-4)

    @pytest.mark.parametrize("columns", [["item_index"], ["item_index", "product_type", "colour"]])
    def test_equals_the_scorer_without_traits_or_attributes(self, columns):
        evidence = pair_evidence(SPLIT.train, ITEMS[columns], num_items=NUM_ITEMS)
        styled = StyledEvidence(evidence, STYLE)
        size = 2 * (len(evidence.channel_groups) + 1)
        generator = np.random.default_rng(3)
        weights = Weights(np.zeros(size), np.full(size, 2.0), generator.normal(size=size), 0.5)
        scorer = EvidenceScorer(styled, MEAN_AND_BEST, weights)
        outfits_BN = some_outfits(20, 2)
        logits, _ = graph_scores(scorer, outfits_BN)
        np.testing.assert_allclose(logits, scorer(outfits_BN), atol=1e-4)

    def test_order_and_padding_change_nothing(self, fitted):
        outfits_BN = some_outfits(40, 3)
        shuffled = np.random.default_rng(0).permuted(outfits_BN, axis=1)
        wider = np.pad(shuffled, ((0, 0), (2, 1)))
        one, other = graph_scores(fitted[0], outfits_BN)[0], graph_scores(fitted[0], wider)[0]
        np.testing.assert_allclose(one, other, atol=1e-5)

    def test_a_pair_is_worth_its_own_logit(self, fitted):
        logits, worth = graph_scores(fitted[0], np.array([[2, 3], [2, 0]]))
        bias = fitted[0].weights.bias
        assert worth[0, 0, 1] == pytest.approx(logits[0] - bias, abs=1e-4)
        assert worth[0, 1, 0] == pytest.approx(worth[0, 0, 1])
        assert (worth[1] == 0).all()


class TestSetTables:
    def test_reload_to_equal_scores(self, fitted, tmp_path):
        tables = set_tables(fitted[0])
        tables.save(tmp_path / "set.safetensors")
        loaded = SetTables.load(tmp_path / "set.safetensors")
        outfit, product = torch.tensor([[2, 3, 4]]), torch.zeros(1, 3, 3)
        for one, other in zip(
            SetScorer(tables)(outfit, product), SetScorer(loaded)(outfit, product), strict=True
        ):
            assert torch.equal(one, other)

    def test_remembers_rows_of_worn_items_only(self, fitted):
        tables = set_tables(fitted[0])
        num_worn = (fitted[0].evidence.evidence.worn_V > 0).sum()
        assert tables.companion_RM.shape == (num_worn + 1, 6)
        assert (tables.companion_RM[0] == 0).all()
