"""How well the exported style embedding tells stylists' outfits from counter-examples.

B outfits, N items of the longest outfit, Q questions, D style, V rows of the vocabulary.
"""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError
from safetensors.numpy import load_file

from stylerec.data.outfit_negatives import Negatives, Questions
from stylerec.data.outfits import Outfit, compatibility_auc, pad_outfits, split_outfits
from stylerec.data.prepared import PreparedData
from stylerec.errors import DataError, ReleaseError, shortened

EMBEDDING_FILE = "style_embedding.safetensors"
NUM_ROUNDS = 5
"""Draws of counter-examples and questions that the figures are means of."""


class OutfitMetrics(BaseModel):
    """Compatibility of held-out outfits; counter-examples match type, era and popularity."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    auc: float = Field(ge=0.0, le=1.0)
    """Share of (outfit, counter-example) pairs that the score orders rightly, ties half."""
    fitb: float = Field(ge=0.0, le=1.0)
    """Share of four-way fill-in-the-blank questions answered rightly, ties wrong."""
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
    bias change no order, so the embedding says it all.

    Args:
        exported: Folder with `style_embedding.safetensors`, key `style_embedding` float32 `[V, D]`.
        prepared: The data the model was trained on.
        split: Which outfits are scored; popularity is always that of the training outfits.
        seed: Of the draws.

    Raises:
        ReleaseError: The embedding is missing, unreadable or of another catalogue.
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
    generator = np.random.default_rng(seed)
    aucs, answers, num_skipped = [], [], int((~is_asked_B).sum())
    for _ in range(NUM_ROUNDS if len(true_BN) else 0):
        false_BN = negatives.replace(true_BN, generator)
        aucs.append(
            compatibility_auc(sum_of_pairs(style_VD[true_BN]), sum_of_pairs(style_VD[false_BN]))
        )
        questions = negatives.questions(held_out, generator)
        answers.append(answered_rightly(style_VD, questions))
        num_skipped += questions.num_skipped
    is_right_Q = np.concatenate([np.zeros(0, np.bool_), *answers])
    if not len(is_right_Q):
        raise DataError(
            "outfits",
            expected=f"{split} outfits with items that three others could stand in for",
            got=f"none among {len(held_out)}",
            fix="add outfits (some 50 at least) or leave the outfits table out",
        )
    return OutfitMetrics(
        auc=float(np.mean(aucs)),
        fitb=float(is_right_Q.mean()),
        num_outfits=len(true_BN),
        num_questions=len(is_right_Q),
        num_skipped=num_skipped,
    )


def sum_of_pairs(style_BND: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the sum of the dot products of all pairs of items, `[B]`; zero rows add nothing."""
    total_BD = style_BND.sum(axis=1)
    sums_B: NDArray[np.float32] = 0.5 * (
        (total_BD**2).sum(axis=1) - (style_BND**2).sum(axis=(1, 2))
    )
    return sums_B


def answered_rightly(style_VD: NDArray[np.float32], questions: Questions) -> NDArray[np.bool_]:
    """Returns which questions the outfit score answers, bool `[Q]`.

    The options share their context, so the outfit scores differ by the option's dot product with
    the sum of the context alone.
    """
    context_QD = style_VD[questions.context].sum(axis=1)
    score_Q4 = np.einsum("qd,qod->qo", context_QD, style_VD[questions.options])
    is_right_Q: NDArray[np.bool_] = score_Q4[:, 0] > score_Q4[:, 1:].max(axis=1)
    return is_right_Q


def _style_embedding(path: Path, num_items: int) -> NDArray[np.float32]:
    try:
        style_VD = load_file(path)["style_embedding"]
    except (OSError, SafetensorError, KeyError) as error:
        raise ReleaseError(
            str(path),
            expected="the style embeddings of an exported outfit model",
            got=shortened(str(error).splitlines(), limit=1),
            fix="export the outfit model again",
        ) from error
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
