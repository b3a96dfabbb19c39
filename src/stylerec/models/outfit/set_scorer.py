"""Fits the set scorer of a retailer's outfits and turns it into the tables that are served.

Pair evidence (`evidence`) with the style product of the Siamese model as one more channel, pooled
over a set and weighed (`evidence_scorer`). What is counted are training outfits while weights are
fitted on validation outfits, and both in the end.

V rows of the vocabulary, R items that an outfit holds (row 0: none), M partners, T traits within
types, S traits, E pooled channels, P pairs, D style.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from safetensors.numpy import load_file, save_file

from stylerec.data.outfit_comparison import (
    Comparison,
    Figures,
    Scorer,
    compare,
    draw_comparison,
)
from stylerec.data.outfit_negatives import Negatives
from stylerec.data.outfits import Outfit, OutfitSplit
from stylerec.models.outfit.evidence import PairEvidence, pair_evidence
from stylerec.models.outfit.evidence_scorer import (
    MEAN_AND_BEST,
    EvidenceScorer,
    fit_weights,
    pool_draws,
)
from stylerec.models.outfit.model import sum_of_pairs

ScorerName = Literal["pairwise", "set"]
_NUM_DRAWS = 3
_SEED = 23


class ScorerFigures(BaseModel):
    """What a scorer reaches on validation outfits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    auc: float
    fitb: float


@dataclass(frozen=True)
class StyledEvidence:
    """Evidence with the product of two items' style embeddings as its last channel.

    Attributes:
        evidence: The other channels.
        style_VD: Style embeddings, float32 `[V, D]`.
    """

    evidence: PairEvidence
    style_VD: NDArray[np.float32]

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns the evidence about each pair, `[P, F + 1]`."""
        product_P = np.einsum("pd,pd->p", self.style_VD[left_P], self.style_VD[right_P])
        return np.column_stack([self.evidence.channels(left_P, right_P), product_P])


@dataclass(frozen=True)
class SetTables:
    """The set scorer as arrays that a graph gathers from; stored as safetensors.

    Attributes:
        row_V: int32, row of each item in the tables of R rows, 0 for items in no outfit.
        worn_V: float32, in how many outfits each item is.
        companion_RM: int32, items worn with an item, 0 for none.
        count_RM: float32, in how many outfits.
        relative_RM: int32, items on paths of two and three outfits, 0 for none.
        two_RM: float32, weight of the paths of two outfits.
        three_RM: float32, likewise of three.
        type_V: int32, product type, 0 without.
        code_VT: int32, a trait's value within its product type, 0 without.
        share_VT: float32, usual share of that value.
        value_VS: int32, a trait's value, 0 without.
        size_S: int32, number of values of each trait, 0 included.
        information: float32, every trait's `[size, size]` table of log ratios, one after another.
        mean_E, deviation_E, weight_E: float32, see `evidence_scorer.Weights`.
        bias_1: float32.
    """

    row_V: NDArray[np.int32]
    worn_V: NDArray[np.float32]
    companion_RM: NDArray[np.int32]
    count_RM: NDArray[np.float32]
    relative_RM: NDArray[np.int32]
    two_RM: NDArray[np.float32]
    three_RM: NDArray[np.float32]
    type_V: NDArray[np.int32]
    code_VT: NDArray[np.int32]
    share_VT: NDArray[np.float32]
    value_VS: NDArray[np.int32]
    size_S: NDArray[np.int32]
    information: NDArray[np.float32]
    mean_E: NDArray[np.float32]
    deviation_E: NDArray[np.float32]
    weight_E: NDArray[np.float32]
    bias_1: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Writes the arrays by name."""
        save_file({field.name: getattr(self, field.name) for field in fields(self)}, path)

    @classmethod
    def load(cls, path: Path) -> "SetTables":
        """Returns what `save` wrote; a missing or other array raises TypeError."""
        return cls(**load_file(path))


def fit_set_scorer(
    items: pd.DataFrame,
    split: OutfitSplit,
    style_VD: NDArray[np.float32],
    *,
    max_partners: int,
) -> tuple[EvidenceScorer, dict[ScorerName, ScorerFigures]]:
    """Returns the set scorer, and what it and the sum of pairs reach on validation outfits.

    The set scorer's figures are cross-fitted: each half of the validation outfits is scored with
    weights of the other half.

    Args:
        items: Canonical item columns plus `item_index`.
        split: Its test outfits are not read.
        style_VD: Style embeddings, float32 `[V, D]`.
        max_partners: M.

    Raises:
        DataError: There are too few validation outfits to fit and to measure on.
    """
    num_items = len(style_VD)
    negatives = Negatives(items, split.train, num_items=num_items)

    def drawn(held_out: Sequence[Outfit]) -> list[Comparison]:
        return [draw_comparison(held_out, negatives, seed=_SEED + n) for n in range(_NUM_DRAWS)]

    def count(outfits: Sequence[Outfit]) -> StyledEvidence:
        evidence = pair_evidence(outfits, items, num_items=num_items, max_partners=max_partners)
        return StyledEvidence(evidence, style_VD)

    trained = count(split.train)
    halves = [drawn(split.validation[start::2]) for start in range(2)]
    reached: dict[ScorerName, list[Figures]] = {"pairwise": [], "set": []}
    for fitting, asked in (halves, halves[::-1]):
        weights = fit_weights(pool_draws(trained, fitting, MEAN_AND_BEST))
        scorers: dict[ScorerName, Scorer] = {
            "pairwise": partial(pairwise_score, style_VD),
            "set": EvidenceScorer(trained, MEAN_AND_BEST, weights),
        }
        for name, score in scorers.items():
            reached[name] += [compare(score, draw) for draw in asked]
    weights = fit_weights(pool_draws(trained, [*halves[0], *halves[1]], MEAN_AND_BEST))
    scorer = EvidenceScorer(count([*split.train, *split.validation]), MEAN_AND_BEST, weights)
    return scorer, {
        name: ScorerFigures(
            auc=float(np.mean([f.auc for f in found])), fitb=float(np.mean([f.fitb for f in found]))
        )
        for name, found in reached.items()
    }


def pairwise_score(
    style_VD: NDArray[np.float32], outfits_BN: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Returns the paper's score of padded outfits, the sum of their pairs' products, `[B]`."""
    sums_B: NDArray[np.float64] = sum_of_pairs(torch.from_numpy(style_VD[outfits_BN])).numpy()
    return sums_B.astype(np.float64)


def set_tables(scorer: EvidenceScorer) -> SetTables:
    """Returns the tables of a scorer over `StyledEvidence` with every group of channels."""
    styled = scorer.evidence
    assert isinstance(styled, StyledEvidence)
    assert styled.evidence.relatives is not None
    assert scorer.poolings == MEAN_AND_BEST
    evidence, weights = styled.evidence, scorer.weights
    relatives = styled.evidence.relatives
    worn = np.flatnonzero(evidence.worn_V)
    row_V = np.zeros(len(evidence.worn_V), dtype=np.int32)
    row_V[worn] = np.arange(len(worn)) + 1
    rows_R = np.concatenate([[0], worn])
    companies = list(evidence.companies.values())
    informations = list(evidence.information.values())
    tables = [own.log_ratio_KK.toarray() for own in informations]
    return SetTables(
        row_V=_integers(row_V),
        worn_V=_numbers(evidence.worn_V),
        companion_RM=_integers(evidence.companions.index_VM[rows_R]),
        count_RM=_numbers(evidence.companions.values[0][rows_R]),
        relative_RM=_integers(relatives.index_VM[rows_R]),
        two_RM=_numbers(relatives.values[0][rows_R]),
        three_RM=_numbers(relatives.values[1][rows_R]),
        type_V=_integers(evidence.type_V),
        code_VT=_integers(_columns([own.code_V for own in companies], len(row_V))),
        share_VT=_numbers(_columns([own.share_V for own in companies], len(row_V))),
        value_VS=_integers(_columns([own.code_V for own in informations], len(row_V))),
        size_S=_integers(np.array([len(table) for table in tables])),
        information=_numbers(np.concatenate([np.zeros(0), *(t.ravel() for t in tables)])),
        mean_E=_numbers(weights.mean),
        deviation_E=_numbers(weights.deviation),
        weight_E=_numbers(weights.weight),
        bias_1=_numbers(np.array([weights.bias])),
    )


def _integers(array: NDArray[Any]) -> NDArray[np.int32]:
    return np.ascontiguousarray(array, dtype=np.int32)


def _numbers(array: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(array, dtype=np.float32)


def _columns(columns: Sequence[NDArray[Any]], num_rows: int) -> NDArray[Any]:
    return np.stack(columns, axis=1) if columns else np.zeros((num_rows, 0))
