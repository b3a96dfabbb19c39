"""The deadline ladder: the best rung that can answer in time ranks, and the answer says which.

A rung is passed over when it has nothing to go on (no history, no such model), fails, or takes
longer than its budget. `popular` stands last in every contract and always answers.
"""

import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.touchpoints import MODEL_RUNGS, Rung
from stylerec.serving import fallback
from stylerec.serving.candidates import Candidates
from stylerec.serving.deadline import Deadline, bounded
from stylerec.serving.reasons import FallbackReason
from stylerec.serving.resolved import ResolvedRequest
from stylerec.serving.scoring import (
    ReleaseInfo,
    ScoredOutfit,
    Scorer,
    outfit_inputs,
    outfits_of_beams,
    scores_of_sets,
    scoring_inputs,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ranked:
    """What a rung made of the candidates: scores per candidate set, or whole outfits."""

    scores: tuple[NDArray[np.float32], ...] = ()
    outfits: tuple[ScoredOutfit, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """Who ranked.

    Attributes:
        rung: None if there was nothing to rank.
        ranked: What it made of the candidates.
        skipped: Better rungs and why they did not answer, best first.
    """

    rung: Rung | None
    ranked: Ranked = Ranked()
    skipped: dict[Rung, FallbackReason] = field(default_factory=dict)


@dataclass(frozen=True)
class Ladder:
    """Climbs down the rungs of a touchpoint.

    Attributes:
        release: Which models there are, and their versions.
        scorer: Reaches the models.
        next_item_min_interactions: As in the contract.
    """

    release: ReleaseInfo
    scorer: Scorer
    next_item_min_interactions: int

    async def climb(
        self, resolved: ResolvedRequest, candidates: Candidates, deadline: Deadline
    ) -> Outcome:
        """Returns the answer of the best rung that can give one before the deadline."""
        if not candidates.sets:
            first = resolved.rules.rungs[0]
            return Outcome(None, skipped={first: FallbackReason.NO_CANDIDATES})
        skipped: dict[Rung, FallbackReason] = {}
        for rung in resolved.rules.rungs:
            if rung in MODEL_RUNGS:
                ranked = await self._model(rung, resolved, candidates, deadline)
            else:
                ranked = _local(rung, resolved, candidates)
            if isinstance(ranked, Ranked):
                return Outcome(rung, ranked, skipped)
            skipped[rung] = ranked
        raise AssertionError("a contract's last rung is popular, which always answers")

    async def _model(
        self, rung: Rung, resolved: ResolvedRequest, candidates: Candidates, deadline: Deadline
    ) -> Ranked | FallbackReason:
        refusal = self._refusal(rung, resolved)
        if refusal is not None:
            return refusal
        budget_ms = resolved.rules.budget_ms.of(rung)
        assert budget_ms is not None  # the contract's cross-field check
        timeout_s = deadline.budget_s(budget_ms)
        if timeout_s <= 0:
            return FallbackReason.NO_TIME_LEFT
        model = rung.value
        build = outfit_inputs if rung == Rung.OUTFIT else scoring_inputs
        inputs = build(resolved, candidates.sets, max_len=self.release.max_history_len[model])
        version = self.release.model_versions[model]
        try:
            outputs = await bounded(self.scorer.score(model, version, inputs, timeout_s), timeout_s)
        except TimeoutError:
            return FallbackReason.TIMEOUT
        except Exception as error:
            # Whatever breaks in a dependency, the customer still gets an answer that says so.
            logger.debug("%s failed: %s", rung, type(error).__name__, exc_info=True)
            return FallbackReason.UNAVAILABLE
        return _ranked(rung, outputs, candidates)

    def _refusal(self, rung: Rung, resolved: ResolvedRequest) -> FallbackReason | None:
        """Returns why a model need not even be asked; None if it should be."""
        if rung not in self.release.model_versions:
            return FallbackReason.MODEL_ABSENT
        if rung == Rung.OUTFIT:
            return None if len(resolved.context) else FallbackReason.UNKNOWN_HERO
        if len(resolved.context):
            return None
        if not resolved.history.length:
            return fallback.nothing_known(resolved)
        is_short = resolved.history.length < self.next_item_min_interactions
        return FallbackReason.SHORT_HISTORY if rung == Rung.NEXT_ITEM and is_short else None


def _ranked(
    rung: Rung, outputs: dict[str, NDArray[Any]], candidates: Candidates
) -> Ranked | FallbackReason:
    try:
        if rung == Rung.OUTFIT:
            return Ranked(outfits=outfits_of_beams(outputs, candidates.sets))
        return Ranked(scores=scores_of_sets(outputs, candidates.sets))
    except (AttributeError, TypeError, ValueError) as error:
        logger.debug("%s answered wrongly: %s", rung, error)
        return FallbackReason.INVALID_ANSWER


def _local(
    rung: Rung, resolved: ResolvedRequest, candidates: Candidates
) -> Ranked | FallbackReason:
    items = np.concatenate([found.items for found in candidates.sets])
    if rung == Rung.CO_PURCHASE:
        scores = fallback.co_purchase_scores(resolved, items)
    elif rung == Rung.CONTENT:
        scores = fallback.content_scores(resolved, items)
    else:
        scores = fallback.popular_scores(resolved, items)
    if isinstance(scores, FallbackReason):
        return scores
    ends = np.cumsum([len(found.items) for found in candidates.sets])
    return Ranked(scores=tuple(np.split(scores, ends[:-1])))
