"""What is known about two items of an outfit from the outfits that others of their kind were in.

Direct evidence (the two were worn together) is strong and rare: on MANGO six in ten items are in
one outfit only. Paths of two and three outfits reach further (common neighbours and their
neighbours, the degree-normalised counts of Katz, 1953, cut at length 3), and traits reach items
that were never worn at all.

V rows of the vocabulary, P pairs, F channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
_FLOOR = 1e-3
"""Added to path weights before the logarithm: below it a path is as good as none."""


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
        self._code_V = code_V
        # Values that never met stay 0: on rare ones the ratio to a small chance is noise.
        self._log_ratio_KK = Counts((values, (row, column)), shape=met.shape)

    def of(self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns log((n + 1) / (e + 1)), n how often two items' values met, e by chance, `[P]`."""
        return values_at(self._log_ratio_KK, self._code_V[left_P], self._code_V[right_P])


@dataclass(frozen=True)
class PairEvidence:
    """Channels of evidence about pairs of items, the same for both orders of a pair.

    Attributes:
        worn_V: In how many outfits each item is.
        together_VV: In how many two items meet.
        paths_VV: Degree-normalised weight of paths of two and of three outfits, empty for none.
        information: Trait to how its values meet.
        companies: Trait to every item's company.
        groups: Which channels are given.
    """

    worn_V: NDArray[np.float64]
    together_VV: Counts
    paths_VV: tuple[Counts, ...]
    information: dict[str, Information]
    companies: dict[str, Company]
    groups: tuple[EvidenceGroup, ...]

    @property
    def channel_groups(self) -> tuple[EvidenceGroup, ...]:
        """The group that each channel belongs to, F names."""
        sizes: dict[EvidenceGroup, int] = {
            "together": _NUM_TOGETHER if "together" in self.groups else 0,
            "paths": len(self.paths_VV),
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
            np.log(values_at(weight_VV, known_P, other_P) + _FLOOR) for weight_VV in self.paths_VV
        ]
        for own in self.companies.values():
            found += [own.lift(known_P, other_P), own.lift(other_P, known_P)]
        found += [own.of(known_P, other_P) for own in self.information.values()]
        return np.stack(found, axis=1)

    def _together(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> list[NDArray[np.float64]]:
        count_P = values_at(self.together_VV, left_P, right_P)
        expected_P = np.sqrt((self.worn_V[left_P] + 0.5) * (self.worn_V[right_P] + 0.5))
        return [(count_P > 0).astype(np.float64), np.log1p(count_P), count_P / expected_P]


def pair_evidence(
    train: Sequence[Outfit],
    items: pd.DataFrame,
    *,
    num_items: int,
    groups: tuple[EvidenceGroup, ...] = ALL_GROUPS,
) -> PairEvidence:
    """Returns what the training outfits say about pairs of items.

    Args:
        train: Training outfits; no other outfit is read.
        items: Canonical item columns plus `item_index`.
        num_items: V.
        groups: Channels wanted.
    """
    worn_V = np.asarray(membership(train, num_items=num_items).sum(axis=0)).ravel()
    together_VV = worn_together(train, num_items=num_items)
    type_V = np.zeros(num_items, dtype=np.int64)
    if PRODUCT_TYPE in items:
        type_V[items[ITEM_INDEX].to_numpy()] = pd.factorize(items[PRODUCT_TYPE])[0] + 1
    has_traits = "traits" in groups
    own, shared = (
        trait_codes(items, num_items=num_items, within_type=within) if has_traits else {}
        for within in (True, False)
    )
    return PairEvidence(
        worn_V=worn_V.astype(np.float64),
        together_VV=together_VV,
        paths_VV=_paths(together_VV, worn_V) if "paths" in groups else (),
        information={name: Information(code, together_VV) for name, code in shared.items()},
        companies={name: company(together_VV, code, type_V) for name, code in own.items()},
        groups=groups,
    )


def _paths(together_VV: Counts, worn_V: NDArray[np.floating]) -> tuple[Counts, ...]:
    scale_V = np.where(worn_V > 0, 1.0 / np.sqrt(np.maximum(worn_V, 1.0)), 0.0)
    weight = sparse.diags_array(scale_V.astype(np.float32))
    step = Counts(weight @ together_VV @ weight)
    two = Counts(step @ step)
    return two, Counts(two @ step)
