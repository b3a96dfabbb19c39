"""Compatibility AUC and fill-in-the-blank accuracy of any scorer of whole outfits.

B outfits, N items of the longest outfit, Q questions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylerec.data.outfit_negatives import NUM_OPTIONS, Negatives, Questions
from stylerec.data.outfits import Outfit, compatibility_auc, pad_outfits
from stylerec.errors import DataError

Scorer = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""Padded outfits `[B, N]` to a score each, `[B]`; a higher score is a better outfit."""


@dataclass(frozen=True)
class Comparison:
    """What scorers are compared on: held-out outfits, counter-examples and questions.

    Attributes:
        true_BN: int64, held-out outfits of which an item could be replaced, 0 padded.
        false_BN: int64, one counter-example each.
        questions: One per held-out outfit that three others could stand in for.
    """

    true_BN: NDArray[np.int64]
    false_BN: NDArray[np.int64]
    questions: Questions


@dataclass(frozen=True)
class Figures:
    """One scorer's result.

    Attributes:
        auc: Share of (outfit, counter-example) pairs, of all outfits, ordered rightly; ties half.
        fitb: Share of questions answered rightly; k options that tie for the best count 1 / k, as a
            guess among them would on average.
    """

    auc: float
    fitb: float


def draw_comparison(held_out: Sequence[Outfit], negatives: Negatives, *, seed: int) -> Comparison:
    """Returns one draw of counter-examples and questions.

    Raises:
        DataError: No held-out outfit has an item that could be replaced, or no question has four
            options.
    """
    generator = np.random.default_rng(seed)
    true_BN = pad_outfits(held_out)
    true_BN = true_BN[negatives.has_alternative(true_BN)[:, 1:].any(axis=1)]
    questions = negatives.questions(held_out, generator)
    if not len(true_BN) or not len(questions.options):
        raise DataError(
            "outfits",
            expected=f"held-out outfits with items that have {NUM_OPTIONS - 1} alternatives",
            got=f"none among {len(held_out)}",
            fix="add outfits or loosen the rule of the counter-examples",
        )
    return Comparison(true_BN, negatives.replace(true_BN, generator), questions)


def compare(score: Scorer, comparison: Comparison) -> Figures:
    """Returns a scorer's AUC and FITB on a comparison."""
    context_QN, options_Q4 = comparison.questions.context, comparison.questions.options
    scores_Q4 = np.stack(
        [score(np.column_stack([context_QN, option_Q])) for option_Q in options_Q4.T], axis=1
    )
    return Figures(
        auc=compatibility_auc(score(comparison.true_BN), score(comparison.false_BN)),
        fitb=float(guessed_rightly(scores_Q4).mean()),
    )


def guessed_rightly(scores_Q4: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns the chance that the best-scored option is the right one, column 0, `[Q]`."""
    is_best_Q4 = scores_Q4 == scores_Q4.max(axis=1, keepdims=True)
    chances: NDArray[np.float64] = is_best_Q4[:, 0] / is_best_Q4.sum(axis=1)
    return chances
