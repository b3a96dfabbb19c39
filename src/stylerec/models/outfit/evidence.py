"""What is known about two items of an outfit from the outfits that others of their kind were in.

Direct evidence (the two were worn together) is strong and rare: on MANGO six in ten items are in
one outfit only. Paths of two and three outfits reach further (common neighbours and their
neighbours, the degree-normalised counts of Katz, 1953, cut at length 3), and traits reach items
that were never worn at all. Of each item only its strongest partners are remembered, so that the
served graph holds all of the evidence and 100,000 items stay small.

V rows of the vocabulary, P pairs, F channels, M partners remembered, K values of a trait.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from stylerec.data.outfit_evidence import (
    Counts,
    membership,
    one_hot,
    values_at,
    worn_together,
)
from stylerec.data.outfit_traits import Company, company, trait_codes
from stylerec.data.outfits import ITEM_INDEX, Outfit
from stylerec.schema.columns import PRODUCT_TYPE

EvidenceGroup = Literal["together", "paths", "traits"]
ALL_GROUPS: tuple[EvidenceGroup, ...] = ("together", "paths", "traits")
_NUM_TOGETHER = 3
PATH_FLOOR = 1e-3
"""Added to path weights before the logarithm: below it a path is as good as none."""
MAX_PARTNERS = 128
_MAX_VALUES = 512
"""Values of a trait, the most worn ones, whose meetings are counted; others count as none."""
_BLOCK = 256


class Information:
    """How much oftener than by chance two values of a trait meet on two items of an outfit.

    Args:
        code_V: int64, the trait's value, 0 without.
        together_VV: In how many outfits two items meet.
    """

    def __init__(self, code_V: NDArray[np.int64], together_VV: Counts) -> None:
        has_value = one_hot(code_V)
        met = sparse.coo_array(has_value.T @ (together_VV @ has_value))
        total_K = np.asarray(met.sum(axis=1)).ravel()
        row, column = met.coords
        chance = total_K[row] * total_K[column] / max(total_K.sum(), 1.0)
        values = np.log((met.data + 1.0) / (chance + 1.0))
        self.code_V = code_V
        # Values that never met stay 0: on rare ones the ratio to a small chance is noise.
        self.log_ratio_KK = Counts((values, (row, column)), shape=met.shape)

    def of(self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns log((n + 1) / (e + 1)), n how often two items' values met, e by chance, `[P]`."""
        return values_at(self.log_ratio_KK, self.code_V[left_P], self.code_V[right_P])


@dataclass(frozen=True)
class Partners:
    """Each item's strongest partners, the strongest first.

    Attributes:
        index_VM: int64, 0 where there are fewer than M.
        values: What is known of each, float32 `[V, M]` arrays, 0 where there are fewer.
    """

    index_VM: NDArray[np.int64]
    values: tuple[NDArray[np.float32], ...]

    def one_way(self, which: int) -> Counts:
        """Returns a value as `[V, V]`: what each item remembers."""
        row, place = np.nonzero(self.index_VM)
        coords = (row, self.index_VM[row, place])
        size = len(self.index_VM)
        return Counts((self.values[which][row, place], coords), shape=(size, size))

    def both_ways(self, which: int) -> Counts:
        """Returns a symmetric value as `[V, V]`: what one or the other remembers."""
        own = self.one_way(which)
        return Counts(own.maximum(own.T))


@dataclass(frozen=True)
class PairEvidence:
    """Channels of evidence about pairs of items, the same for both orders of a pair.

    Attributes:
        worn_V: In how many outfits each item is.
        type_V: int64, product type, 0 without.
        companions: Partners that were worn with an item, and in how many outfits.
        relatives: Partners on paths of two and of three outfits, and their degree-normalised
            weights; None without the group.
        information: Trait to how its values meet.
        companies: Trait to every item's company.
        groups: Which channels are given.
    """

    worn_V: NDArray[np.float64]
    type_V: NDArray[np.int64]
    companions: Partners
    relatives: Partners | None
    information: dict[str, Information]
    companies: dict[str, Company]
    groups: tuple[EvidenceGroup, ...]

    @cached_property
    def _together_VV(self) -> Counts:
        return self.companions.both_ways(0)

    @cached_property
    def _paths_VV(self) -> tuple[Counts, ...]:
        return () if self.relatives is None else tuple(map(self.relatives.both_ways, (0, 1)))

    @property
    def channel_groups(self) -> tuple[EvidenceGroup, ...]:
        """The group that each channel belongs to, F names."""
        sizes: dict[EvidenceGroup, int] = {
            "together": _NUM_TOGETHER if "together" in self.groups else 0,
            "paths": len(self._paths_VV),
            "traits": 2 * len(self.companies) + len(self.information),
        }
        return tuple(group for group, size in sizes.items() for _ in range(size))

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns the evidence about each pair, `[P, F]`; unknown pairs give what chance gives."""
        # The one worn more often has the richer company; asking it first keeps the order out.
        is_swapped = (self.worn_V[left_P] < self.worn_V[right_P]) | (
            (self.worn_V[left_P] == self.worn_V[right_P]) & (left_P > right_P)
        )
        known_P = np.where(is_swapped, right_P, left_P)
        other_P = np.where(is_swapped, left_P, right_P)
        found: list[NDArray[np.float64]] = []
        if "together" in self.groups:
            found += self._together(known_P, other_P)
        found += [
            np.log(values_at(weight_VV, known_P, other_P) + PATH_FLOOR)
            for weight_VV in self._paths_VV
        ]
        for own in self.companies.values():
            found += [own.lift(known_P, other_P), own.lift(other_P, known_P)]
        found += [own.of(known_P, other_P) for own in self.information.values()]
        return np.stack(found, axis=1)

    def _together(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> list[NDArray[np.float64]]:
        count_P = values_at(self._together_VV, left_P, right_P)
        expected_P = np.sqrt((self.worn_V[left_P] + 0.5) * (self.worn_V[right_P] + 0.5))
        return [(count_P > 0).astype(np.float64), np.log1p(count_P), count_P / expected_P]


def pair_evidence(
    train: Sequence[Outfit],
    items: pd.DataFrame,
    *,
    num_items: int,
    groups: tuple[EvidenceGroup, ...] = ALL_GROUPS,
    max_partners: int = MAX_PARTNERS,
) -> PairEvidence:
    """Returns what the training outfits say about pairs of items.

    Args:
        train: Training outfits; no other outfit is read.
        items: Canonical item columns plus `item_index`.
        num_items: V.
        groups: Channels wanted.
        max_partners: M, of companions and again of relatives.
    """
    worn_V = np.asarray(membership(train, num_items=num_items).sum(axis=0), np.float64).ravel()
    together_VV = worn_together(train, num_items=num_items)
    type_V = np.zeros(num_items, dtype=np.int64)
    if PRODUCT_TYPE in items:
        type_V[items[ITEM_INDEX].to_numpy()] = pd.factorize(items[PRODUCT_TYPE])[0] + 1
    has_traits = "traits" in groups
    own, shared = (
        trait_codes(items, num_items=num_items, within_type=within) if has_traits else {}
        for within in (True, False)
    )
    companions = _partners(together_VV, lambda rows: (rows.toarray(),), max_partners)
    remembered_VV = companions.one_way(0)
    return PairEvidence(
        worn_V=worn_V,
        type_V=type_V,
        companions=companions,
        relatives=_relatives(together_VV, worn_V, max_partners) if "paths" in groups else None,
        information={
            name: Information(_most_worn(code_V, worn_V), together_VV)
            for name, code_V in shared.items()
        },
        companies={
            name: company(together_VV, code_V, type_V, companions=remembered_VV)
            for name, code_V in own.items()
        },
        groups=groups,
    )


def _relatives(together_VV: Counts, worn_V: NDArray[np.float64], max_partners: int) -> Partners:
    scale_V = np.where(worn_V > 0, 1.0 / np.sqrt(np.maximum(worn_V, 1.0)), 0.0)
    weight = sparse.diags_array(scale_V.astype(np.float32))
    step_VV = Counts(weight @ together_VV @ weight)

    def paths(rows: Counts) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        two_RV = (rows @ step_VV).toarray()
        return two_RV, (step_VV @ two_RV.T).T

    return _partners(step_VV, paths, max_partners)


def _partners(
    matrix_VV: Counts,
    values: Callable[[Counts], tuple[NDArray[np.float32], ...]],
    max_partners: int,
) -> Partners:
    """Returns each row's partners with the largest sum of values; block by block, to fit memory."""
    num_items = matrix_VV.shape[0]
    index_VM = np.zeros((num_items, max_partners), dtype=np.int64)
    kept: list[NDArray[np.float32]] = []
    is_used_V = np.diff(matrix_VV.indptr) > 0
    for rows_R in np.array_split(np.flatnonzero(is_used_V), -(-is_used_V.sum() // _BLOCK) or 1):
        found = values(matrix_VV[rows_R])
        kept = kept or [np.zeros(index_VM.shape, dtype=np.float32) for _ in found]
        total_RV = np.sum(found, axis=0)
        total_RV[np.arange(len(rows_R)), rows_R] = 0.0
        order_RM = _largest(total_RV, max_partners)
        is_partner_RM = np.take_along_axis(total_RV, order_RM, axis=1) > 0
        width = order_RM.shape[1]
        index_VM[rows_R, :width] = order_RM * is_partner_RM
        for own, value_RV in zip(kept, found, strict=True):
            own[rows_R, :width] = np.take_along_axis(value_RV, order_RM, axis=1) * is_partner_RM
    width = max(1, int((index_VM > 0).sum(axis=1).max()))
    return Partners(index_VM[:, :width], tuple(own[:, :width] for own in kept))


def _largest(total_RV: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Returns the columns of each row's largest entries, the largest first, `[R, M]`."""
    count = min(count, total_RV.shape[1])
    some_RM = np.argpartition(-total_RV, count - 1, axis=1)[:, :count]
    order_RM = np.argsort(-np.take_along_axis(total_RV, some_RM, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some_RM, order_RM, axis=1)


def _most_worn(code_V: NDArray[np.int64], worn_V: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns the codes, of the most worn values alone, numbered anew from 1."""
    worn_K = np.bincount(code_V, weights=worn_V)
    worn_K[0] = -1.0
    kept = np.argsort(-worn_K, kind="stable")[: min(_MAX_VALUES, len(worn_K) - 1)]
    number_K = np.zeros(len(worn_K), dtype=np.int64)
    number_K[np.sort(kept)] = np.arange(len(kept)) + 1
    return number_K[code_V]
