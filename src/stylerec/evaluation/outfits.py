"""How well the exported outfit model tells stylists' outfits from counter-examples.

B outfits, N items of the longest outfit, L history, Q questions, D style, V rows of the vocabulary.
"""

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidProtobuf, NoSuchFile
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError
from safetensors.numpy import load_file

from stylerec.data.outfit_comparison import Scorer
from stylerec.data.outfit_negatives import Negatives, Questions
from stylerec.data.outfits import Outfit, compatibility_auc, pad_outfits, split_outfits
from stylerec.data.prepared import PreparedData
from stylerec.errors import DataError, ReleaseError, shortened
from stylerec.schema.tensors import (
    COMPATIBILITY,
    CUSTOMER_WEIGHT,
    HISTORY_ITEM_INDEX,
    OUTFIT_ITEM_INDEX,
)

EMBEDDING_FILE = "style_embedding.safetensors"
ONNX_FILE = "model.onnx"
NUM_ROUNDS = 5
"""Draws of counter-examples and questions that the figures are means of."""
_BLOCK = 256


class OutfitMetrics(BaseModel):
    """Compatibility of held-out outfits; counter-examples match type, era and popularity."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    auc: float = Field(ge=0.0, le=1.0)
    """Share of (outfit, counter-example) pairs that the served score orders rightly, ties half."""
    fitb: float = Field(ge=0.0, le=1.0)
    """Share of four-way fill-in-the-blank questions answered rightly, ties wrong."""
    pairwise_auc: float | None = Field(default=None, ge=0.0, le=1.0)
    """The same by the sum of pairwise products, which is also served where no set scorer is; None
    in evaluations of earlier releases."""
    pairwise_fitb: float | None = Field(default=None, ge=0.0, le=1.0)
    num_outfits: int = Field(ge=0)
    num_questions: int = Field(default=0, ge=0)
    """Over all rounds."""
    num_skipped: int = Field(default=0, ge=0)
    """Outfits of which no item has an alternative, and questions without three of them."""


def evaluate_outfits(
    exported: Path,
    prepared: PreparedData,
    *,
    split: Literal["validation", "test"] = "test",
    seed: int = 0,
) -> OutfitMetrics:
    """Returns compatibility AUC and FITB of an exported outfit model, means over five draws.

    Every outfit meets one counter-example and asks one question per draw. The model's scale and
    bias change no order, so for the sum of pairs the embedding says it all.

    Args:
        exported: Folder with the served graph `model.onnx`, and `style_embedding.safetensors`, key
            `style_embedding` float32 `[V, D]`.
        prepared: The data the model was trained on.
        split: Which outfits are scored; popularity is always that of the training outfits. A set
            scorer has counted validation outfits, so only test outfits judge it.
        seed: Of the draws.

    Raises:
        ReleaseError: A file is missing, unreadable or of another catalogue.
        DataError: No held-out outfit has an item that could be replaced.
    """
    num_items = prepared.vocabulary.num_items
    style_VD = _style_embedding(exported / EMBEDDING_FILE, num_items)
    outfits = split_outfits(prepared.outfits)
    negatives = Negatives(prepared.items, outfits.train, num_items=num_items)
    held_out: list[Outfit] = getattr(outfits, split)
    true_BN = pad_outfits(held_out)
    is_asked_B = negatives.has_alternative(true_BN)[:, 1:].any(axis=1)
    true_BN = true_BN[is_asked_B]
    scorers: tuple[Scorer, ...] = (
        partial(_served_score, _session(exported / ONNX_FILE)),
        lambda outfits_BN: sum_of_pairs(style_VD[outfits_BN]).astype(np.float64),
    )
    generator = np.random.default_rng(seed)
    num_skipped = int((~is_asked_B).sum())
    aucs: list[list[float]] = []
    answers: list[NDArray[np.bool_]] = [np.zeros((0, len(scorers)), np.bool_)]
    for _ in range(NUM_ROUNDS if len(true_BN) else 0):
        false_BN = negatives.replace(true_BN, generator)
        aucs.append([compatibility_auc(score(true_BN), score(false_BN)) for score in scorers])
        questions = negatives.questions(held_out, generator)
        answers.append(np.stack([answered_rightly(score, questions) for score in scorers], axis=1))
        num_skipped += questions.num_skipped
    is_right_QS = np.concatenate(answers)
    if not len(is_right_QS):
        raise DataError(
            "outfits",
            expected=f"{split} outfits with items that three others could stand in for",
            got=f"none among {len(held_out)}",
            fix="add outfits (some 50 at least) or leave the outfits table out",
        )
    auc, pairwise_auc = np.mean(aucs, axis=0)
    fitb, pairwise_fitb = is_right_QS.mean(axis=0)
    return OutfitMetrics(
        auc=auc,
        fitb=fitb,
        pairwise_auc=pairwise_auc,
        pairwise_fitb=pairwise_fitb,
        num_outfits=len(true_BN),
        num_questions=len(is_right_QS),
        num_skipped=num_skipped,
    )


def sum_of_pairs(style_BND: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the sum of the dot products of all pairs of items, `[B]`; zero rows add nothing."""
    total_BD = style_BND.sum(axis=1)
    sums_B: NDArray[np.float32] = 0.5 * (
        (total_BD**2).sum(axis=1) - (style_BND**2).sum(axis=(1, 2))
    )
    return sums_B


def answered_rightly(score: Scorer, questions: Questions) -> NDArray[np.bool_]:
    """Returns which questions an outfit score answers, bool `[Q]`; a tie is no answer."""
    context_QN, options_Q4 = questions.context, questions.options
    filled = [np.column_stack([context_QN, option_Q]) for option_Q in options_Q4.T]
    scores_Q4 = np.stack([score(outfits_QN) for outfits_QN in filled], axis=1)
    is_right_Q: NDArray[np.bool_] = scores_Q4[:, 0] > scores_Q4[:, 1:].max(axis=1)
    return is_right_Q


def _served_score(
    session: onnxruntime.InferenceSession, outfits_BN: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Returns the served graph's compatibility of padded outfits, `[B]`."""
    found = [np.zeros(0)]
    for start in range(0, len(outfits_BN), _BLOCK):
        rows = outfits_BN[start : start + _BLOCK]
        inputs = {
            OUTFIT_ITEM_INDEX: rows,
            HISTORY_ITEM_INDEX: np.zeros((len(rows), 0), dtype=np.int64),
            CUSTOMER_WEIGHT: np.zeros((len(rows), 1), dtype=np.float32),
        }
        found.append(session.run([COMPATIBILITY], inputs)[0])
    return np.concatenate(found).astype(np.float64)


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except (Fail, InvalidProtobuf, NoSuchFile) as error:
        raise _unreadable(path, "the served graph of an exported outfit model", error) from error


def _unreadable(path: Path, expected: str, error: Exception) -> ReleaseError:
    return ReleaseError(
        str(path),
        expected=expected,
        got=shortened(str(error).splitlines(), limit=1),
        fix="export the outfit model again",
    )


def _style_embedding(path: Path, num_items: int) -> NDArray[np.float32]:
    try:
        style_VD = load_file(path)["style_embedding"]
    except (OSError, SafetensorError, KeyError) as error:
        raise _unreadable(path, "the style embeddings of an outfit model", error) from error
    if len(style_VD) != num_items:
        raise ReleaseError(
            str(path),
            expected=f"{num_items} rows, as in the prepared data",
            got=f"{len(style_VD)}",
            fix="train and export the outfit model again on this prepared data",
        )
    # Padding must add nothing whatever the file holds there.
    style_VD[:1] = 0.0
    embedding: NDArray[np.float32] = style_VD
    return embedding
