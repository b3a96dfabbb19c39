"""The deadline ladder: the best rung that can answer in time ranks, and the answer says which.

A rung is passed over when it has nothing to go on (no history, no such model), fails, or takes
longer than its budget. `popular` stands last in every contract and always answers.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.touchpoints import MODEL_RUNGS, Rung
from stylerec.serving import fallback
from stylerec.serving.candidates import Candidates, CandidateSet
from stylerec.serving.deadline import Deadline, bounded
from stylerec.serving.outfit_generation import generate_outfits
from stylerec.serving.reasons import FallbackReason
from stylerec.serving.resolved import ResolvedRequest
from stylerec.serving.scoring import (
    ReleaseInfo,
    ScoredOutfit,
    Scorer,
    outfit_inputs,
    scored_outfits,
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
        asked = self._outfits if rung == Rung.OUTFIT else self._scores
        try:
            return await bounded(asked(rung, resolved, candidates.sets, timeout_s), timeout_s)
        except TimeoutError:
            return FallbackReason.TIMEOUT
        except InvalidAnswerError as error:
            logger.debug("%s answered wrongly: %s", rung, error)
            return FallbackReason.INVALID_ANSWER
        except Exception as error:
            # Whatever breaks in a dependency, the customer still gets an answer that says so.
            logger.debug("%s failed: %s", rung, type(error).__name__, exc_info=True)
            return FallbackReason.UNAVAILABLE

    async def _scores(
        self,
        rung: Rung,
        resolved: ResolvedRequest,
        sets: tuple[CandidateSet, ...],
        timeout_s: float,
    ) -> Ranked:
        model = rung.value
        inputs = scoring_inputs(resolved, sets, max_len=self.release.max_history_len[model])
        version = self.release.model_versions[model]
        outputs = await self.scorer.score(model, version, inputs, timeout_s)
        with _reading_answer():
            return Ranked(scores=scores_of_sets(outputs, sets))

    async def _outfits(
        self,
        rung: Rung,
        resolved: ResolvedRequest,
        sets: tuple[CandidateSet, ...],
        timeout_s: float,
    ) -> Ranked | FallbackReason:
        """Returns outfits found here and scored by the model."""
        model, style = rung.value, resolved.catalogue.style
        assert style is not None  # refused otherwise
        max_len = self.release.max_history_len[model]
        # In a thread: other requests go on while numpy multiplies.
        found = await asyncio.to_thread(generate_outfits, resolved, style, sets, max_len=max_len)
        if not found:
            return FallbackReason.NO_CANDIDATES
        inputs = outfit_inputs(resolved, found, max_len=max_len)
        version = self.release.model_versions[model]
        outputs = await self.scorer.score(model, version, inputs, timeout_s)
        with _reading_answer():
            return Ranked(outfits=scored_outfits(outputs, found))

    def _refusal(self, rung: Rung, resolved: ResolvedRequest) -> FallbackReason | None:
        """Returns why a model need not even be asked; None if it should be."""
        if rung not in self.release.model_versions:
            return FallbackReason.MODEL_ABSENT
        if rung == Rung.OUTFIT:
            if resolved.catalogue.style is None:
                return FallbackReason.MODEL_ABSENT
            return None if len(resolved.context) else FallbackReason.UNKNOWN_HERO
        if len(resolved.context):
            return None
        if not resolved.history.length:
            return fallback.nothing_known(resolved)
        is_short = resolved.history.length < self.next_item_min_interactions
        return FallbackReason.SHORT_HISTORY if rung == Rung.NEXT_ITEM and is_short else None


class InvalidAnswerError(Exception):
    """A model answered with something that is no answer."""


@contextmanager
def _reading_answer() -> Iterator[None]:
    try:
        yield
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidAnswerError(str(error)) from error


def _local(
    rung: Rung, resolved: ResolvedRequest, candidates: Candidates
) -> Ranked | FallbackReason:
    sets, rules = candidates.sets, resolved.rules.outfit
    if rules is not None:
        most = min(rules.candidates_per_slot, resolved.max_candidates)
        sets = tuple(replace(found, items=found.items[:most]) for found in sets)
    items = np.concatenate([found.items for found in sets])
    if rung == Rung.CO_PURCHASE:
        scores = fallback.co_purchase_scores(resolved, items)
    elif rung == Rung.CONTENT:
        scores = fallback.content_scores(resolved, items)
    else:
        scores = fallback.popular_scores(resolved, items)
    if isinstance(scores, FallbackReason):
        return scores
    ends = np.cumsum([len(found.items) for found in sets])
    of_sets = tuple(np.split(scores, ends[:-1]))
    if rules is not None:
        return Ranked(outfits=fallback.compose_outfits(sets, of_sets, resolved.request.limit))
    return Ranked(scores=of_sets)
