"""Settings of a baseline, chosen on the validation targets and on nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from stylerec.evaluation.baselines.known import Known
from stylerec.evaluation.blocks import BlockScorer
from stylerec.evaluation.metrics import ndcg_at_k
from stylerec.evaluation.ranked_targets import rank_targets

Setting = TypeVar("Setting")
CUTOFF = 10


@dataclass(frozen=True)
class Choice(Generic[Setting]):
    """The setting that ranked the validation targets best, and how well each one did.

    Attributes:
        setting: The best; the first of those that tie.
        ndcg_at_10: Validation NDCG@10 of each setting tried, in order; empty if there was nothing
            to choose between or by.
    """

    setting: Setting
    ndcg_at_10: tuple[tuple[Setting, float], ...] = ()


def choose_on_validation(
    fit: Callable[[Known, Setting], BlockScorer],
    settings: Sequence[Setting],
    known: Known,
    *,
    block: int = 256,
    max_customers: int | None = None,
) -> Choice[Setting]:
    """Returns the setting with the highest NDCG@10 on the validation targets.

    Args:
        fit: Makes a scorer from what is known and a setting.
        settings: What to try. The first is taken where there are no targets to choose by.
        known: What is known before the validation targets, and those targets.
        block: Customers scored at a time.
        max_customers: Chooses by a fixed random subset of that size; None for all.
    """
    if len(settings) == 1 or not len(known.targets):
        return Choice(settings[0])
    tried = []
    for setting in settings:
        ranked = rank_targets(
            fit(known, setting),
            known.histories,
            known.targets,
            block=block,
            max_customers=max_customers,
        )
        tried.append((setting, ndcg_at_k(ranked.rank, CUTOFF)))
    return Choice(max(tried, key=lambda pair: pair[1])[0], tuple(tried))
