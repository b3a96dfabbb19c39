"""Scores a set of items by pooled evidence about its pairs, weighed by held-out outfits.

A set function in the sense of Zaheer et al., "Deep Sets", NeurIPS 2017: channels of every pair are
pooled by operations that know no order (the mean over pairs; the mean over items of each one's best
partner), so an outfit's score cannot depend on the order of its items. The second pooling is what a
sum over pairs cannot say: an item that goes with one of the others well need not go with all.

The weights are the only thing learnt here, and they are learnt on validation outfits, which the
evidence does not count: an outfit that is counted in its own evidence would teach the weights to
recognise it instead of judging it.

B outfits, N items, P pairs, F channels, Q questions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, softmax

from stylerec.data.outfit_comparison import Comparison
from stylerec.data.outfit_negatives import NUM_OPTIONS
from stylerec.data.outfits import Outfit
from stylerec.schema.tensors import FIRST_ITEM_INDEX

Pooling = tuple[str, ...]
MEAN_AND_BEST: Pooling = ("mean", "best")
_PENALTY = 3.0
"""Weight of the squared coefficients against the summed loss, as one would a few outfits."""


class Channels(Protocol):
    """Evidence about pairs of items."""

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns what is known about each pair, `[P, F]`, the same for both orders."""


@dataclass(frozen=True)
class PooledDraws:
    """Pooled evidence of comparisons.

    Attributes:
        true: Of the held-out outfits, `[B, E]`.
        false: Of their counter-examples, `[B, E]`.
        asked: Of the questions' outfits, one per option, `[Q, 4, E]`, the outfit's own item first.
    """

    true: NDArray[np.float64]
    false: NDArray[np.float64]
    asked: NDArray[np.float64]

    def columns(self, is_wanted: NDArray[np.bool_]) -> "PooledDraws":
        """Returns some of the pooled channels."""
        return PooledDraws(
            self.true[:, is_wanted], self.false[:, is_wanted], self.asked[:, :, is_wanted]
        )


@dataclass(frozen=True)
class Weights:
    """A linear score of pooled evidence.

    Attributes:
        mean: Of each pooled channel over the outfits that the weights were fitted on, `[E]`.
        deviation: Likewise.
        weight: `[E]`.
        bias: Makes the score the logit of being an outfit rather than a counter-example.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    weight: NDArray[np.float64]
    bias: float

    def __call__(self, pooled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the logits of pooled evidence `[..., E]`."""
        scaled = (pooled - self.mean) / self.deviation
        logits: NDArray[np.float64] = scaled @ self.weight + self.bias
        return logits


@dataclass(frozen=True)
class EvidenceScorer:
    """Scores padded outfits; callable as a `Scorer`.

    Attributes:
        evidence: About pairs.
        poolings: How pairs become a set: `mean`, `best` or both.
        weights: Of the pooled channels.
    """

    evidence: Channels
    poolings: Pooling
    weights: Weights

    def __call__(self, outfits_BN: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns a score per outfit, `[B]`."""
        return self.weights(pooled_channels(self.evidence, outfits_BN, self.poolings))


def pooled_channels(
    evidence: Channels, outfits_BN: NDArray[np.int64], poolings: Pooling
) -> NDArray[np.float64]:
    """Returns every outfit's pooled evidence, `[B, number of poolings * F]`.

    Args:
        evidence: About pairs.
        outfits_BN: int64, 0 padded on any side; an outfit without a pair gives zeros.
        poolings: `mean` over pairs, `best` for the mean over items of their best partner's.
    """
    num_outfits, num_places = outfits_BN.shape
    left, right = np.triu_indices(num_places, k=1)
    is_item_BN = outfits_BN >= FIRST_ITEM_INDEX
    is_pair_BP = is_item_BN[:, left] & is_item_BN[:, right]
    row, pair = np.nonzero(is_pair_BP)
    channels = evidence.channels(outfits_BN[row, left[pair]], outfits_BN[row, right[pair]])
    num_channels = channels.shape[1]
    pooled = []
    if "mean" in poolings:
        total = np.zeros((num_outfits, num_channels))
        np.add.at(total, row, channels)
        pooled.append(total / np.maximum(is_pair_BP.sum(axis=1), 1)[:, None])
    if "best" in poolings:
        best = np.full((num_outfits, num_places, num_channels), -np.inf)
        np.maximum.at(best, (row, left[pair]), channels)
        np.maximum.at(best, (row, right[pair]), channels)
        best[~np.isfinite(best)] = 0.0
        pooled.append(best.sum(axis=1) / np.maximum(is_item_BN.sum(axis=1), 1)[:, None])
    return np.concatenate(pooled, axis=1)


def fit_evidence_scorer(
    count: Callable[[Sequence[Outfit]], Channels],
    fitting: Sequence[Outfit],
    draws: Sequence[Comparison],
    counted: Sequence[Outfit],
    *,
    poolings: Pooling = MEAN_AND_BEST,
) -> EvidenceScorer:
    """Returns a scorer whose weights were fitted on validation outfits.

    Args:
        count: Outfits to the evidence they give.
        fitting: Training outfits that are counted while the weights are fitted.
        draws: Validation outfits, none of them in `fitting`, with counter-examples and questions
            like those that the scorer will meet: about known items or about new ones.
        counted: Outfits that are counted in the end, usually training and validation.
        poolings: How pairs become a set.
    """
    weights = fit_weights(pool_draws(count(fitting), draws, poolings))
    return EvidenceScorer(count(counted), poolings, weights)


def pool_draws(evidence: Channels, draws: Sequence[Comparison], poolings: Pooling) -> PooledDraws:
    """Returns the pooled evidence of some comparisons, joined."""
    true, false, asked = [], [], []
    for draw in draws:
        true.append(pooled_channels(evidence, draw.true_BN, poolings))
        false.append(pooled_channels(evidence, draw.false_BN, poolings))
        context, options = draw.questions.context, draw.questions.options
        filled = [np.column_stack([context, options[:, place]]) for place in range(NUM_OPTIONS)]
        asked.append(np.stack([pooled_channels(evidence, o, poolings) for o in filled], axis=1))
    return PooledDraws(np.concatenate(true), np.concatenate(false), np.concatenate(asked))


def fit_weights(draws: PooledDraws) -> Weights:
    """Returns the weights that tell true from false outfits and right from wrong options best."""
    both = np.concatenate([draws.true, draws.false])
    mean, deviation = both.mean(axis=0), both.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    scaled = [(pooled - mean) / deviation for pooled in (draws.true, draws.false, draws.asked)]
    weight, bias = _fitted(*scaled)
    return Weights(mean, deviation, weight, bias)


def _fitted(
    true: NDArray[np.float64], false: NDArray[np.float64], asked: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Returns weights and bias that minimise cross-entropy on outfits and on questions, summed.

    -sum log s(w.t + c) - sum log s(-w.f - c) - sum log softmax(w.a)_0 + penalty |w|^2: convex.
    """
    num_weights = true.shape[1]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight, bias = parameters[:-1], parameters[-1]
        true_logit, false_logit = true @ weight + bias, false @ weight + bias
        chance = softmax(asked @ weight, axis=1)
        value = -log_expit(true_logit).sum() - log_expit(-false_logit).sum()
        value += -np.log(chance[:, 0]).sum() + _PENALTY * (weight @ weight)
        true_error, false_error = expit(true_logit) - 1.0, expit(false_logit)
        chance[:, 0] -= 1.0
        slope = true.T @ true_error + false.T @ false_error
        slope += np.einsum("qo,qof->f", chance, asked) + 2.0 * _PENALTY * weight
        return float(value), np.append(slope, true_error.sum() + false_error.sum())

    found = minimize(loss, np.zeros(num_weights + 1), jac=True, method="L-BFGS-B")
    return found.x[:-1], float(found.x[-1])
