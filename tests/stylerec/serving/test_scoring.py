import numpy as np
import pytest

from stylerec.schema import tensors
from stylerec.schema.tensors import MODEL_SPECS
from stylerec.serving.candidates import CandidateSet
from stylerec.serving.scoring import (
    outfit_inputs,
    outfits_of_beams,
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


def beams_of(*items: list[int], scores: list[float]) -> dict[str, np.ndarray]:
    width, num_slots = tensors.OUTFIT_BEAM_WIDTH, tensors.MAX_OUTFIT_SLOTS
    index = np.zeros((1, width, num_slots), dtype=np.int64)
    score = np.full((1, width), -1e9, dtype=np.float32)
    pairs = np.zeros((1, width, num_slots + 1, num_slots + 1), dtype=np.float32)
    for beam, listed in enumerate(items):
        index[0, beam, : len(listed)] = listed
        score[0, beam] = scores[beam]
        pairs[0, beam, 0, 1:] = np.arange(num_slots) / 10
    return {
        tensors.OUTFIT_ITEM_INDEX: index,
        tensors.OUTFIT_SCORE: score,
        tensors.PAIR_SCORES: pairs,
    }


class TestOutfitInputs:
    def test_are_the_tensors_of_the_schema(self, shop) -> None:
        resolved = shop.resolved(
            "complete-the-look", hero_item_id="dress-0", history=shop.known("ring-1")
        )
        inputs = outfit_inputs(resolved, sets_of([5, 6], [7]), max_len=4)
        assert_matches_spec(tensors.OUTFIT, inputs)
        assert inputs[tensors.HERO_INDEX].tolist() == [[shop.index("dress-0")]]
        assert inputs[tensors.SLOT_CANDIDATE_INDEX][0].tolist() == [[5, 6], [7, 0]] + [[0, 0]] * 3
        weight = shop.contract.of("complete-the-look").weights.customer
        assert inputs[tensors.CUSTOMER_WEIGHT][0, 0] == pytest.approx(weight)

    def test_leave_out_a_customer_without_history(self, shop) -> None:
        resolved = shop.resolved("complete-the-look", hero_item_id="dress-0")
        inputs = outfit_inputs(resolved, sets_of([5]), max_len=4)
        assert inputs[tensors.CUSTOMER_WEIGHT].tolist() == [[0.0]]


class TestOutfitsOfBeams:
    def test_lists_possible_beams_best_first(self) -> None:
        outputs = beams_of([5, 7], [6, 7], scores=[0.2, 0.9])
        outfits = outfits_of_beams(outputs, sets_of([5, 6], [7, 8]))
        assert [outfit.items for outfit in outfits] == [(6, 7), (5, 7)]
        assert outfits[0].score == pytest.approx(0.9)
        assert outfits[0].item_scores == pytest.approx((0.0, 0.1))
        assert outfits[0].pair_scores.shape == (3, 3)

    def test_keeps_a_skipped_slot_empty(self) -> None:
        [outfit] = outfits_of_beams(beams_of([5, 0], scores=[0.2]), sets_of([5], [5]))
        assert outfit.items == (5, 0)

    def test_drops_repeats(self) -> None:
        outputs = beams_of([5, 7], [5, 7], scores=[0.9, 0.8])
        assert len(outfits_of_beams(outputs, sets_of([5], [7]))) == 1

    @pytest.mark.parametrize(
        ("items", "score"),
        [([7, 5], 0.5), ([5, 5], 0.5), ([5, 7], np.nan), ([5, 7], -1e9), ([0, 0], 0.5)],
    )
    def test_refuses_foreign_repeated_and_impossible(self, items: list[int], score: float) -> None:
        with pytest.raises(ValueError, match="outfits"):
            outfits_of_beams(beams_of(items, scores=[score]), sets_of([5], [5, 7]))

    @pytest.mark.parametrize(
        "name", [tensors.OUTFIT_ITEM_INDEX, tensors.OUTFIT_SCORE, tensors.PAIR_SCORES]
    )
    def test_refuses_other_shapes(self, name: str) -> None:
        outputs = beams_of([5], scores=[0.5])
        outputs[name] = outputs[name][..., :-1]
        with pytest.raises(ValueError, match="shapes"):
            outfits_of_beams(outputs, sets_of([5]))
