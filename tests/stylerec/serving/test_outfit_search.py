from itertools import product

import numpy as np
import pytest

from stylerec.serving.outfit_search import FoundOutfit, search_outfits
from stylerec.serving.style_index import StyleIndex

NUM_ITEMS, DIM = 24, 6
# Items 2..9 are of type a, 10..17 of type b, 18..25 of type c.
TYPES = {"a": range(2, 10), "b": range(10, 18), "c": range(18, 26)}


@pytest.fixture
def style() -> np.ndarray:
    table = np.random.default_rng(0).standard_normal((NUM_ITEMS + 2, DIM)).astype(np.float32)
    table[:2] = 0
    return table


def index_of(style: np.ndarray) -> StyleIndex:
    order = np.concatenate([np.array(TYPES[name], dtype=np.int32) for name in ("c", "a", "b")])
    return StyleIndex.build(style, order, customer_norm=2.0)


def slots_of(index: StyleIndex, lists: list[list[int]]):
    known = {tuple(items): index.slot(np.array(items, dtype=np.int64)) for items in lists}
    return [known[tuple(items)] for items in lists]


def search(style, hero: int, lists: list[list[int]], **options) -> list[FoundOutfit]:
    index = index_of(style)
    return search_outfits(style[hero], slots_of(index, lists), **options)


def exhaustive(style, hero: int, lists: list[list[int]], customer=None) -> dict[frozenset, float]:
    """Every set of one item per slot, and the sum over its pairs."""
    found = {}
    for combination in product(*lists):
        if len(set(combination)) == len(combination):
            outfit = style[[hero, *combination]]
            pairs = outfit @ outfit.T
            total = (pairs.sum() - pairs.diagonal().sum()) / 2
            if customer is not None:
                total += (outfit[1:] @ customer).sum()
            found[frozenset(combination)] = float(total)
    return found


A, B, C = (list(items) for items in TYPES.values())
CASES = [
    [A, B, C],
    [A[:1], B],
    [A, A, B],
    [A[:4], B[:3], A[:4], A[:4]],
    [C[:1] + C[-1:], A],
    [B],
]


class TestSearchOutfits:
    @pytest.mark.parametrize("lists", CASES)
    def test_equals_exhaustive_search_with_a_beam_as_wide_as_the_catalogue(
        self, style, lists
    ) -> None:
        hero = 25
        lists = [[item for item in items if item != hero] for items in lists]
        expected = exhaustive(style, hero, lists)
        found = search(style, hero, lists, count=10_000, beam_width=10_000)
        assert len(found) == len(expected)
        assert [outfit.sum_of_pairs for outfit in found] == pytest.approx(
            sorted(expected.values(), reverse=True), rel=1e-4, abs=1e-5
        )
        for outfit in found:
            assert outfit.sum_of_pairs == pytest.approx(
                expected[frozenset(outfit.items)], rel=1e-4, abs=1e-5
            )
            for item, offered in zip(outfit.items, lists, strict=True):
                assert item in offered

    @pytest.mark.parametrize("bound", [0, 1, 2])
    def test_further_outfits_equal_exhaustive_search_under_the_bound(self, style, bound) -> None:
        expected = exhaustive(style, 2, [A[1:], B, C])
        chosen: list[frozenset] = []
        for _ in range(4):
            allowed = [s for s in expected if all(len(s & other) <= bound for other in chosen)]
            chosen.append(max(allowed, key=lambda items: expected[items]))
        found = search(style, 2, [A[1:], B, C], count=4, beam_width=1_000, max_shared_items=bound)
        assert {frozenset(outfit.items) for outfit in found} == set(chosen)
        scores = [outfit.sum_of_pairs for outfit in found]
        assert scores == sorted(scores, reverse=True)

    def test_a_narrow_beam_is_greedy(self, style) -> None:
        best_a = max(A[1:], key=lambda item: style[2] @ style[item])
        best_b = max(B, key=lambda item: (style[2] + style[best_a]) @ style[item])
        [outfit] = search(style, 2, [A[1:], B], count=1, beam_width=1)
        assert outfit.items == (best_a, best_b)

    def test_a_wider_beam_is_never_worse_here(self, style) -> None:
        best = [
            search(style, 2, [A[1:], B, C], count=1, beam_width=width)[0].sum_of_pairs
            for width in (1, 3, 200)
        ]
        assert best == sorted(best)

    def test_the_bound_is_raised_rather_than_giving_fewer(self, style) -> None:
        found = search(style, 2, [A[1:2], B[:1], C[:3]], count=3, beam_width=8, max_shared_items=1)
        assert len(found) == 3
        # All of them hold the only items of the first two slots.
        assert {outfit.items[:2] for outfit in found} == {(A[1], B[0])}

    def test_gives_fewer_where_there_are_no_more(self, style) -> None:
        for bound in (None, 0, 5):
            found = search(style, 2, [B[:1], C[:2]], count=9, beam_width=8, max_shared_items=bound)
            assert len(found) == 2

    def test_a_slot_nobody_can_fill_is_skipped(self, style) -> None:
        [outfit] = search(style, 2, [B[:1], B[:1], C[:1]], count=3, beam_width=4)
        assert outfit.items == (B[0], 0, C[0])

    def test_ties_go_to_the_first(self, style) -> None:
        style[A] = style[A[0]]
        found = search(style, 25, [A], count=3, beam_width=3)
        assert [outfit.items for outfit in found] == [(A[0],), (A[1],), (A[2],)]

    def test_is_empty_without_slots(self, style) -> None:
        for bound in (None, 1):
            assert search(style, 2, [], count=3, beam_width=3, max_shared_items=bound) == []

    def test_the_same_request_gives_the_same_outfits(self, style) -> None:
        one, other = (
            search(style, 2, [A[1:], B, C], count=3, beam_width=3, max_shared_items=1)
            for _ in range(2)
        )
        assert one == other

    def test_a_weight_changes_what_is_chosen(self, style) -> None:
        index = index_of(style)
        slots = slots_of(index, [A, B, C])
        history = np.array([4, 14])
        chosen = {}
        for weight in (0.0, 50.0):
            hero, customer = index.start(25, history, customer_weight=weight)
            [outfit] = search_outfits(hero + customer, slots, count=1, beam_width=200)
            chosen[weight] = outfit
            expected = exhaustive(style, 25, [A, B, C], customer)
            assert outfit.sum_of_pairs == pytest.approx(max(expected.values()), rel=1e-4, abs=1e-5)
        assert chosen[0.0].items != chosen[50.0].items
