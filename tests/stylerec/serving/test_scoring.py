import numpy as np
import pytest

from stylerec.schema import tensors
from stylerec.schema.tensors import MODEL_SPECS
from stylerec.serving.candidates import CandidateSet
from stylerec.serving.outfit_search import FoundOutfit
from stylerec.serving.scoring import (
    outfit_inputs,
    scored_outfits,
    scores_of_sets,
    scoring_inputs,
)

NUMPY_TYPES = {"INT64": np.int64, "FP32": np.float32}


def sets_of(*lists: list[int]) -> tuple[CandidateSet, ...]:
    return tuple(
        CandidateSet(f"slot {position}", np.array(items, dtype=np.int64), len(items))
        for position, items in enumerate(lists)
    )


def assert_matches_spec(model: str, inputs: dict[str, np.ndarray]) -> None:
    """Names, types, ranks and fixed sizes are those of the schema; equal letters, equal sizes."""
    spec = MODEL_SPECS[model]
    assert set(inputs) == {tensor.name for tensor in spec.inputs}
    sizes: dict[str, int] = {}
    for tensor in spec.inputs:
        array = inputs[tensor.name]
        assert array.dtype == NUMPY_TYPES[tensor.dtype]
        assert array.ndim == len(tensor.dims)
        for dim, size in zip(tensor.dims, array.shape, strict=True):
            expected = dim if isinstance(dim, int) else sizes.setdefault(dim, size)
            assert size == expected


class TestScoringInputs:
    @pytest.mark.parametrize("has_history", [True, False])
    @pytest.mark.parametrize("touchpoint", ["for-you", "little-something-extra"])
    def test_are_the_tensors_of_the_schema(self, shop, touchpoint: str, has_history: bool) -> None:
        history = shop.known("dress-1", "dress-2") if has_history else None
        resolved = shop.resolved(touchpoint, history=history, **shop.fields(touchpoint))
        inputs = scoring_inputs(resolved, sets_of([5, 6], [7]), max_len=4)
        assert_matches_spec(tensors.NEXT_ITEM, inputs)
        assert_matches_spec(tensors.RANKING, inputs)
        assert inputs[tensors.HISTORY_ITEM_INDEX].shape == (1, 4)

    def test_hold_all_sets_in_one_row(self, shop) -> None:
        resolved = shop.resolved("for-you", history=shop.known("dress-1"))
        inputs = scoring_inputs(resolved, sets_of([5, 6], [7]), max_len=3)
        assert inputs[tensors.CANDIDATE_INDEX].tolist() == [[5, 6, 7]]
        assert inputs[tensors.CONTEXT_ITEM_INDEX].tolist() == [[0]]
        assert inputs[tensors.CONTEXT_WEIGHT].tolist() == [[0.0]]
        assert inputs[tensors.HISTORY_ITEM_INDEX].tolist() == [[0, 0, shop.index("dress-1")]]
        assert inputs[tensors.HISTORY_AGE_DAYS][0, 2] == pytest.approx(10 / 86_400)

    def test_hold_the_bag_and_its_weight(self, shop) -> None:
        resolved = shop.resolved(
            "little-something-extra",
            bag_item_ids=["dress-0", "gone", "ring-1"],
            history=shop.known("dress-1"),
        )
        inputs = scoring_inputs(resolved, sets_of([5]), max_len=3)
        assert inputs[tensors.CONTEXT_ITEM_INDEX].tolist() == [shop.indices("dress-0", "ring-1")]
        weight = shop.contract.of("little-something-extra").weights.context
        assert inputs[tensors.CONTEXT_WEIGHT][0, 0] == pytest.approx(weight)


class TestScoresOfSets:
    def test_splits_the_row(self) -> None:
        outputs = {tensors.SCORES: np.array([[0.1, 0.2, 0.3]], dtype=np.float32)}
        first, second = scores_of_sets(outputs, sets_of([5, 6], [7]))
        assert first.tolist() == pytest.approx([0.1, 0.2])
        assert second.tolist() == pytest.approx([0.3])

    @pytest.mark.parametrize(
        "scores", [[[0.1, 0.2]], [0.1, 0.2, 0.3], [[0.1, np.nan, 0.3]], [[0.1, np.inf, 0.3]], None]
    )
    def test_refuses_other_shapes_and_numbers_that_are_none(self, scores: object) -> None:
        outputs = {} if scores is None else {tensors.SCORES: np.array(scores, dtype=np.float32)}
        with pytest.raises((TypeError, ValueError)):
            scores_of_sets(outputs, sets_of([5, 6], [7]))


FOUND = (FoundOutfit((5, 7), 1.5), FoundOutfit((6, 0), 1.25))


def outfit_outputs(*scores: float) -> dict[str, np.ndarray]:
    num_items = tensors.MAX_OUTFIT_SLOTS + 1
    pairs = np.zeros((len(scores), num_items, num_items), dtype=np.float32)
    pairs[:, 0] = np.arange(num_items) / 10
    customer = np.repeat(np.arange(num_items, dtype=np.float32)[None], len(scores), axis=0)
    return {
        tensors.OUTFIT_SCORE: np.array(scores, dtype=np.float32),
        tensors.COMPATIBILITY: np.array(scores, dtype=np.float32) / 2,
        tensors.PAIR_SCORES: pairs,
        tensors.CUSTOMER_SCORES: customer,
    }


class TestOutfitInputs:
    def test_are_the_tensors_of_the_schema(self, shop) -> None:
        resolved = shop.resolved(
            "complete-the-look", hero_item_id="dress-0", history=shop.known("ring-1")
        )
        inputs = outfit_inputs(resolved, FOUND, max_len=4)
        assert_matches_spec(tensors.OUTFIT, inputs)
        hero, ring = shop.indices("dress-0", "ring-1")
        assert inputs[tensors.OUTFIT_ITEM_INDEX].tolist() == [
            [hero, 5, 7, 0, 0, 0],
            [hero, 6, 0, 0, 0, 0],
        ]
        assert inputs[tensors.HISTORY_ITEM_INDEX].tolist() == [[0, 0, 0, ring]] * 2
        weight = shop.contract.of("complete-the-look").weights.customer
        assert inputs[tensors.CUSTOMER_WEIGHT].ravel().tolist() == pytest.approx([weight] * 2)

    def test_leave_out_a_customer_without_history(self, shop) -> None:
        resolved = shop.resolved("complete-the-look", hero_item_id="dress-0")
        inputs = outfit_inputs(resolved, FOUND, max_len=4)
        assert not inputs[tensors.CUSTOMER_WEIGHT].any()


class TestScoredOutfits:
    def test_lists_the_best_first(self) -> None:
        first, second = scored_outfits(outfit_outputs(0.25, 0.75), FOUND)
        assert (first.items, second.items) == ((6, 0), (5, 7))
        assert (first.score, first.details.compatibility) == (0.75, 0.375)
        assert second.item_scores == pytest.approx((0.1, 0.2))
        assert second.details.pair_scores.shape == (3, 3)
        assert second.details.customer_scores.tolist() == [1.0, 2.0]

    @pytest.mark.parametrize(
        "name",
        [
            tensors.OUTFIT_SCORE,
            tensors.COMPATIBILITY,
            tensors.PAIR_SCORES,
            tensors.CUSTOMER_SCORES,
        ],
    )
    def test_refuses_other_shapes_and_numbers_that_are_none(self, name: str) -> None:
        outputs = outfit_outputs(0.5, 0.5)
        for wrong in (outputs[name][:1], outputs[name] * np.nan, None):
            with pytest.raises((TypeError, ValueError)):
                scored_outfits({**outputs, name: wrong}, FOUND)
