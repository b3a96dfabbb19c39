from itertools import product

import pytest
import torch

from benchmarks.outfits.beam_graph import IMPOSSIBLE_SCORE, OutfitGenerator

NUM_ITEMS = 12
SCALE, BIAS = 0.5, -0.3


@pytest.fixture
def style() -> torch.Tensor:
    table = torch.randn(NUM_ITEMS + 2, 6, generator=torch.Generator().manual_seed(0))
    table[:2] = 0
    return table


def generator(style: torch.Tensor, beam_width: int) -> OutfitGenerator:
    return OutfitGenerator(
        style, scale=torch.tensor(SCALE), bias=torch.tensor(BIAS), beam_width=beam_width
    )


def run(graph: OutfitGenerator, hero: int, slots: list[list[int]], history=(), weight=0.0):
    widest = max((len(slot) for slot in slots), default=0)
    padded = [slot + [0] * (widest - len(slot)) for slot in slots]
    items, score, pairs = graph(
        torch.tensor([[hero]]),
        torch.tensor([padded], dtype=torch.int64).view(1, len(slots), widest),
        torch.tensor([list(history)], dtype=torch.int64),
        torch.tensor([[weight]]),
    )
    return items[0], score[0], pairs[0]


def exhaustive(style, hero, slots, customer=None) -> dict[frozenset[int], float]:
    """Every distinct outfit of one item per slot that has candidates, and its score."""
    found = {}
    for combination in product(*(slot for slot in slots if slot)):
        items = set(combination) - {hero}
        if len(items) < len(combination):
            continue
        outfit = style[[hero, *items]]
        pairs = outfit @ outfit.T
        total = (pairs.sum() - pairs.diagonal().sum()) / 2
        if customer is not None:
            total = total + (outfit[1:] @ customer).sum()
        found[frozenset(items)] = float(torch.sigmoid(SCALE * total + BIAS))
    return found


SLOTS = [
    [[2, 3], [4, 5, 6], [7, 8], [], [9]],
    [[], [4, 5, 6], [], [4, 5, 6], [5, 9]],
    [[3, 4, 5], [3, 4, 5], [3, 4, 5], [], []],
    [[13, 2, 7, 8, 3, 12, 11], [], [], [], []],
]


class TestSearch:
    @pytest.mark.parametrize("slots", SLOTS)
    def test_equals_exhaustive_search_with_enough_beams(self, style, slots):
        hero = 10
        expected = exhaustive(style, hero, slots)
        items, score, _ = run(generator(style, 32), hero, slots)
        assert len(expected) <= 32
        found = {
            frozenset(row.tolist()) - {0}: float(value)
            for row, value in zip(items, score, strict=True)
            if value > 0.5 * IMPOSSIBLE_SCORE
        }
        assert found == pytest.approx(expected, rel=1e-4)
        assert (score > 0.5 * IMPOSSIBLE_SCORE).sum() == len(expected)
        assert (score.diff() <= 0).all()

    @pytest.mark.parametrize("slots", SLOTS)
    def test_items_stand_in_their_slots(self, style, slots):
        items, score, _ = run(generator(style, 8), 10, slots)
        for row, value in zip(items.tolist(), score, strict=True):
            for item, offered in zip(row, slots, strict=True):
                assert item in (offered if offered and value >= 0 else [0])

    def test_never_repeats_an_item_or_the_hero(self, style):
        slots = [[2, 3, 4, 5]] * 4 + [[6]]
        items, score, _ = run(generator(style, 8), 4, slots)
        # Items 2, 3 and 5 are left for three slots; nobody can fill the fourth.
        outfits = [{2, 3, 5, 6}]
        assert [set(row) - {0} for row in items.tolist() if any(row)] == outfits
        assert (score >= 0).tolist() == [True] + [False] * 7

    def test_impossible_beams_hold_zeros(self, style):
        items, score, pairs = run(generator(style, 8), 10, [[2, 3], [], [], [], []])
        assert score[2:].tolist() == [IMPOSSIBLE_SCORE] * 6
        assert not items[2:].any()
        assert not pairs[2:].any()

    def test_has_no_outfit_without_candidates(self, style):
        for slots in ([[]] * 5, [[10], [1], [0], [], []]):
            items, score, pairs = run(generator(style, 4), 10, slots)
            assert score.tolist() == [IMPOSSIBLE_SCORE] * 4
            assert not items.any()
            assert not pairs.any()

    def test_repeated_candidates_count_once(self, style):
        once = run(generator(style, 8), 10, [[2, 3, 4], [5, 6], [], [], []])
        twice = run(generator(style, 8), 10, [[4, 2, 3, 2, 4], [6, 6, 5], [], [], []])
        for expected, found in zip(once, twice, strict=True):
            torch.testing.assert_close(found, expected)

    def test_candidates_order_and_padding_change_nothing(self, style):
        one = run(generator(style, 8), 10, [[2, 3, 4], [5, 6, 7], [], [], []])
        other = run(generator(style, 8), 10, [[4, 0, 3, 2], [0, 7, 6, 5], [], [], []])
        for expected, found in zip(one, other, strict=True):
            torch.testing.assert_close(found, expected)

    def test_ties_go_to_the_lower_item(self, style):
        style[3:8] = style[3]
        items, _, _ = run(generator(style, 3), 10, [[7, 5, 3, 6, 4], [], [], [], []])
        assert items[:, 0].tolist() == [3, 4, 5]

    def test_requests_of_a_batch_do_not_mix(self, style):
        graph = generator(style, 8)
        alone = [run(graph, hero, SLOTS[0], [2, 3], 0.5) for hero in (10, 11)]
        widest = 3
        slots = [slot + [0] * (widest - len(slot)) for slot in SLOTS[0]]
        together = graph(
            torch.tensor([[10], [11]]),
            torch.tensor([slots, slots]),
            torch.tensor([[2, 3], [2, 3]]),
            torch.tensor([[0.5], [0.5]]),
        )
        for row, expected in enumerate(alone):
            for found, single in zip(together, expected, strict=True):
                torch.testing.assert_close(found[row], single)


class TestUnknown:
    def test_an_unknown_hero_adds_nothing(self, style):
        slots = [[2, 3], [4, 5], [], [], []]
        for hero in (0, 1, -7, NUM_ITEMS + 2, 10**9):
            items, score, pairs = run(generator(style, 4), hero, slots)
            expected = exhaustive(style, 0, slots)
            assert float(score[0]) == pytest.approx(max(expected.values()), rel=1e-4)
            assert not pairs[:, 0].any()
            assert items.shape == (4, 5)

    def test_unknown_candidates_are_never_chosen(self, style):
        slots = [[1, -3, NUM_ITEMS + 2, 2], [], [], [], []]
        items, score, _ = run(generator(style, 4), 10, slots)
        assert items[:, 0].tolist() == [2, 0, 0, 0]
        assert (score >= 0).tolist() == [True, False, False, False]


class TestCustomer:
    SLOTS = SLOTS[0]

    def test_the_history_is_blended_in_by_weight(self, style):
        history = [5, 8, 8]
        mean = style[history].mean(dim=0)
        customer = 0.8 * mean / mean.norm()
        expected = exhaustive(style, 10, self.SLOTS, customer=customer)
        items, score, _ = run(generator(style, 16), 10, self.SLOTS, [0, 0, *history], 0.8)
        found = {
            frozenset(row.tolist()) - {0}: float(value)
            for row, value in zip(items, score, strict=True)
            if value >= 0
        }
        assert found == pytest.approx(expected, rel=1e-4)

    def test_a_weight_changes_what_is_chosen(self, style):
        graph = generator(style, 8)
        without = run(graph, 10, self.SLOTS, [6, 8], 0.0)
        strongly = run(graph, 10, self.SLOTS, [6, 8], 50.0)
        assert without[0].tolist() != strongly[0].tolist()
        # Items 6 and 8 are alike to themselves, so a strong enough wish puts both first.
        assert {6, 8} <= set(strongly[0][0].tolist())

    def test_neither_weight_0_nor_an_empty_history_matters(self, style):
        graph = generator(style, 8)
        expected = run(graph, 10, self.SLOTS)
        for history, weight in (([6, 8], 0.0), ([0, 0], 0.9), ([1], 0.9), ([], 0.9)):
            found = run(graph, 10, self.SLOTS, history, weight)
            for one, other in zip(found, expected, strict=True):
                torch.testing.assert_close(one, other)


class TestPairScores:
    def test_are_the_scaled_dot_products_hero_first(self, style):
        items, score, pairs = run(generator(style, 4), 10, SLOTS[0])
        outfit = [10, *items[0].tolist()]
        for i, one in enumerate(outfit):
            for j, other in enumerate(outfit):
                expected = SCALE * float(style[one] @ style[other]) if i != j else 0.0
                assert float(pairs[0, i, j]) == pytest.approx(expected, abs=1e-5)
        logit = float(pairs[0].triu().sum()) + BIAS
        assert float(torch.logit(score[0])) == pytest.approx(logit, abs=1e-3)
