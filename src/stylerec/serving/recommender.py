"""Requests to answers: one `Recommender` per release, immutable; a swap replaces the object."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from stylerec.errors import ReleaseError
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.touchpoints import CandidateRule
from stylerec.serving import candidates as rules_of
from stylerec.serving.answers import Answer, answer_of
from stylerec.serving.candidates import Candidates
from stylerec.serving.carousels import carousels
from stylerec.serving.catalogue import Catalogue
from stylerec.serving.contract import Contract
from stylerec.serving.deadline import Deadline, abandon, awaited
from stylerec.serving.history import (
    CustomerHistory,
    HistoryReader,
    KnownHistory,
    absent_history,
    known_history,
)
from stylerec.serving.ladder import Ladder
from stylerec.serving.outfit_slots import outfit_template
from stylerec.serving.reasons import FallbackReason
from stylerec.serving.requests import RecommendationRequest, parse_instances
from stylerec.serving.resolved import ResolvedRequest, resolve
from stylerec.serving.scoring import ReleaseInfo, Scorer

logger = logging.getLogger(__name__)

_Histories = dict[str, CustomerHistory]

CANDIDATE_FUNCTIONS: dict[CandidateRule, Callable[[ResolvedRequest], Candidates]] = {
    CandidateRule.GIVEN: rules_of.given,
    CandidateRule.SAME_CATEGORY: rules_of.same_category,
    CandidateRule.BOUGHT_TOGETHER: rules_of.bought_together,
    CandidateRule.LOW_PRICE_COMPLEMENTS: rules_of.low_price_complements,
    CandidateRule.CAROUSELS: carousels,
    CandidateRule.OUTFIT_TEMPLATE: outfit_template,
}


class Recommender:
    """Answers requests from one release.

    Args:
        catalogue: The release's items.
        vocabulary: The release's item ids.
        contract: The release's touchpoint contract.
        release: Its id and models.
        scorer: Reaches the models.
        history_reader: Reaches the feature store.
        clock: Unix time in seconds; only ages depend on it, deadlines run on asyncio's clock.

    Raises:
        ReleaseError: The parts do not belong together.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        vocabulary: Vocabulary,
        contract: Contract,
        release: ReleaseInfo,
        scorer: Scorer,
        history_reader: HistoryReader,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if catalogue.num_items != vocabulary.num_items:
            raise ReleaseError(
                "catalogue",
                expected=f"{vocabulary.num_items} items, as in the vocabulary",
                got=str(catalogue.num_items),
                fix="rebuild the release: its files come from different runs",
            )
        without_length = set(release.model_versions) - set(release.max_history_len)
        if without_length:
            raise ReleaseError(
                "release.json: models",
                expected="max_history_len of every model",
                got=f"none for {', '.join(sorted(without_length))}",
                fix="rebuild the release",
            )
        self.catalogue, self.vocabulary, self.contract = catalogue, vocabulary, contract
        self.release = release
        self._history_reader, self._clock = history_reader, clock
        self._ladder = Ladder(
            release=release,
            scorer=scorer,
            next_item_min_interactions=contract.next_item_min_interactions,
        )

    def parse(self, payload: object) -> list[RecommendationRequest]:
        """Returns the requests of a V1 body; see `parse_instances`.

        Raises:
            RequestError: Anything wrong with the body.
        """
        return parse_instances(
            payload,
            contract=self.contract,
            markets=self.catalogue.markets,
            product_types=self.catalogue.known_types,
        )

    async def recommend(
        self, requests: Sequence[RecommendationRequest], *, received_s: float | None = None
    ) -> list[Answer]:
        """Returns one answer per request, in order, each within its own deadline.

        All histories come from one read, which each request waits for as long as its own budget
        allows; the requests are then answered concurrently.

        Args:
            requests: As `parse` returns them.
            received_s: When the call arrived, on the event loop's clock; now by default.
        """
        start_s = asyncio.get_running_loop().time() if received_s is None else received_s
        now_s = self._clock()
        deadlines = [
            Deadline(start_s + request.deadline_ms / 1_000, self.contract.reserve_ms / 1_000)
            for request in requests
        ]
        reading = self._start_reading(requests, deadlines)
        try:
            return await asyncio.gather(
                *(
                    self._answer(request, deadline, reading, now_s)
                    for request, deadline in zip(requests, deadlines, strict=True)
                )
            )
        finally:
            if reading is not None:
                abandon(reading)

    def _start_reading(
        self, requests: Sequence[RecommendationRequest], deadlines: Sequence[Deadline]
    ) -> "asyncio.Task[_Histories] | None":
        budgets = [
            (request.customer_id, self._history_budget_s(request, deadline))
            for request, deadline in zip(requests, deadlines, strict=True)
            if request.customer_id is not None
        ]
        longest_s = max((budget_s for _, budget_s in budgets), default=0.0)
        if longest_s <= 0:
            return None
        customer_ids = list(dict.fromkeys(customer_id for customer_id, _ in budgets))

        async def read() -> _Histories:
            return await self._history_reader.read(customer_ids, longest_s)

        return asyncio.create_task(read())

    def _history_budget_s(self, request: RecommendationRequest, deadline: Deadline) -> float:
        return deadline.budget_s(self.contract.of(request.touchpoint).budget_ms.history)

    async def _answer(
        self,
        request: RecommendationRequest,
        deadline: Deadline,
        reading: "asyncio.Task[_Histories] | None",
        now_s: float,
    ) -> Answer:
        rules = self.contract.of(request.touchpoint)
        resolved = resolve(
            request,
            rules=rules,
            catalogue=self.catalogue,
            vocabulary=self.vocabulary,
            history=await self._history(request, deadline, reading, now_s),
            now_s=now_s,
            max_candidates=self.contract.max_candidates,
        )
        candidates = CANDIDATE_FUNCTIONS[rules.candidates](resolved)
        outcome = await self._ladder.climb(resolved, candidates, deadline)
        return answer_of(
            resolved, candidates, outcome, vocabulary=self.vocabulary, release=self.release
        )

    async def _history(
        self,
        request: RecommendationRequest,
        deadline: Deadline,
        reading: "asyncio.Task[_Histories] | None",
        now_s: float,
    ) -> KnownHistory:
        if request.customer_id is None:
            return absent_history(FallbackReason.NO_HISTORY)
        budget_s = self._history_budget_s(request, deadline)
        if reading is None or budget_s <= 0:
            return absent_history(FallbackReason.NO_TIME_LEFT)
        try:
            histories = await awaited(reading, budget_s)
        except TimeoutError:
            return absent_history(FallbackReason.HISTORY_TIMEOUT)
        except Exception as error:
            # Whatever breaks in the store, the customer still gets an answer that says so.
            logger.debug("history failed: %s", type(error).__name__, exc_info=True)
            return absent_history(FallbackReason.HISTORY_UNAVAILABLE)
        return known_history(
            histories.get(request.customer_id),
            vocabulary=self.vocabulary,
            now_s=now_s,
            ttl_days=self.contract.history_ttl_days,
            has_timestamps=self.release.has_timestamps,
        )
