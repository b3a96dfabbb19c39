import asyncio
import time
from typing import Any

import numpy as np
import pytest

from stylerec.errors import ReleaseError, RequestError
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema import tensors
from stylerec.schema.touchpoints import Touchpoint
from stylerec.serving.contract import default_contract_path, load_contract
from stylerec.serving.recommender import Recommender

CONTRACT = load_contract(default_contract_path())
HANGS_S = 60.0
# Other tests share the machine: how much longer than its deadline an answer may take here.
SLACK_S = 2.0


class TestDeadlines:
    @pytest.mark.parametrize("touchpoint", list(Touchpoint))
    def test_hold_when_every_dependency_hangs(self, shop, touchpoint: str) -> None:
        scorer = shop.scorer(
            delay_s=dict.fromkeys(tensors.MODEL_NAMES, HANGS_S), ignores_cancellation=True
        )
        reader = shop.reader(delay_s=HANGS_S)
        start = time.monotonic()
        answer = self.answer_without_waiting_for_the_rest(
            shop, touchpoint, contract=CONTRACT, scorer=scorer, reader=reader
        )
        assert time.monotonic() - start < CONTRACT.of(touchpoint).deadline_ms / 1_000 + SLACK_S
        assert answer["notes"]["history"] == "history_timeout"
        assert shop.shown(answer)
        assert answer["served_by"] != "none"

    def answer_without_waiting_for_the_rest(
        self, shop, touchpoint: str, **parts: Any
    ) -> dict[str, Any]:
        # asyncio.run would wait for the calls that ignore their cancellation.
        recommender = shop.recommender(**parts)
        instance = {"touchpoint": touchpoint, "customer_id": "c1", **shop.fields(touchpoint)}
        requests = recommender.parse({"instances": [instance]})
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(recommender.recommend(requests))[0]
        finally:
            loop.close()

    @pytest.mark.parametrize("deadline_ms", [1, 20, 60])
    def test_of_the_caller_hold_too(self, shop, deadline_ms: int) -> None:
        scorer = shop.scorer(delay_s=dict.fromkeys(tensors.MODEL_NAMES, HANGS_S))
        recommender = shop.recommender(scorer=scorer, reader=shop.reader(delay_s=HANGS_S))
        instance = {"touchpoint": "for-you", "customer_id": "c1", "deadline_ms": deadline_ms}
        requests = recommender.parse({"instances": [instance]})

        async def seconds() -> float:
            start = time.monotonic()
            await recommender.recommend(requests)
            return time.monotonic() - start

        assert asyncio.run(seconds()) < deadline_ms / 1_000 + SLACK_S

    def test_count_from_when_the_call_arrived(self, shop) -> None:
        recommender = shop.recommender()
        requests = recommender.parse(
            {"instances": [{"touchpoint": "for-you", "customer_id": "c1"}]}
        )

        async def late() -> list[dict[str, Any]]:
            received_s = asyncio.get_running_loop().time() - 10.0
            return await recommender.recommend(requests, received_s=received_s)

        [answer] = asyncio.run(late())
        assert answer["model"] == "popular"
        assert answer["notes"]["history"] == "no_time_left"
        assert answer["fallback_reason"] == "no_time_left"

    def test_a_slow_model_leaves_time_for_the_next(self, shop) -> None:
        contract = shop.contract_with(
            "for-you", budget_ms={"history": 700, "next_item": 50, "ranking": 2_000}
        )
        answer = shop.answer(
            "for-you",
            customer_id="c1",
            contract=contract,
            scorer=shop.scorer(delay_s={"next_item": HANGS_S}),
        )
        assert answer["model"] == "ranking"
        assert answer["skipped"] == {"next_item": "timeout"}

    def test_everything_gone_at_once(self, shop) -> None:
        scorer = shop.scorer(errors={name: OSError() for name in tensors.MODEL_NAMES})
        for touchpoint in Touchpoint:
            answer = shop.answer(
                touchpoint, customer_id="c1", scorer=scorer, reader=shop.reader(error=OSError())
            )
            assert answer["notes"]["history"] == "history_unavailable"
            assert shop.all_shown(answer)


class TestHistory:
    def test_goes_to_the_model_as_training_made_it(self, shop) -> None:
        scorer = shop.scorer()
        shop.answer("for-you", customer_id="c1", scorer=scorer)
        inputs = scorer.inputs_of("next_item")
        assert inputs[tensors.HISTORY_ITEM_INDEX].tolist() == [
            [0, 0, 0, *shop.indices("dress-6", "dress-7")]
        ]
        assert inputs[tensors.HISTORY_EVENT_TYPE].tolist() == [[0, 0, 0, 1, 1]]
        ages = np.array([70.0, 10.0]) / 86_400
        np.testing.assert_allclose(inputs[tensors.HISTORY_AGE_DAYS][0, 3:], ages, rtol=1e-6)

    def test_has_no_ages_where_the_release_was_trained_without_times(self, shop) -> None:
        scorer = shop.scorer()
        release = shop.release(has_timestamps=False)
        shop.answer("for-you", customer_id="c1", scorer=scorer, release=release)
        assert not scorer.inputs_of("next_item")[tensors.HISTORY_AGE_DAYS].any()

    def test_a_stale_one_is_absent_but_its_age_is_told(self, shop) -> None:
        age_s = CONTRACT.history_ttl_days * 86_400 + 1
        reader = shop.reader({"c1": shop.history("ring-1", "ring-2", age_s=age_s)})
        answer = shop.answer("for-you", customer_id="c1", reader=reader)
        assert answer["model"] == "popular"
        assert answer["fallback_reason"] == "stale_history"
        assert answer["history_age_s"] == age_s

    def test_an_anonymous_visitor_is_not_looked_up(self, shop) -> None:
        reader = shop.reader()
        answer = shop.answer("for-you", reader=reader)
        assert reader.calls == []
        assert answer["history_age_s"] is None
        assert answer["fallback_reason"] == "no_history"

    @pytest.mark.parametrize("history", [(), ("gone", "gone too")])
    def test_an_empty_or_unknown_one_is_a_normal_answer(self, shop, history: tuple) -> None:
        reader = shop.reader({"c1": shop.history(*history)})
        answer = shop.answer("for-you", customer_id="c1", reader=reader)
        assert (answer["model"], answer["fallback_reason"]) == ("popular", "no_history")

    def test_seen_items_are_left_out_where_the_contract_says_so(self, shop) -> None:
        seen = [item_id for item_id in shop.item_ids if item_id.startswith("scarf")]
        reader = shop.reader({"c1": shop.history(*seen)})
        answer = shop.answer("for-you", customer_id="c1", reader=reader)
        assert not set(shop.all_shown(answer)) & set(seen)

    def test_purchased_items_are_left_out_where_the_contract_says_so(self, shop) -> None:
        reader = shop.reader({"c1": shop.history("heels-7", "heels-6", event=["purchase", "view"])})
        answer = shop.answer(
            "you-might-also-like", customer_id="c1", reader=reader, hero_item_id="heels-0"
        )
        [shown] = shop.shown(answer)
        assert "heels-7" not in shown
        assert "heels-6" in shown


class TestSeveralInstances:
    def recommend(self, recommender: Recommender, *instances: dict) -> list[dict[str, Any]]:
        requests = recommender.parse({"instances": list(instances)})
        return asyncio.run(recommender.recommend(requests))

    def test_are_answered_in_order_as_if_alone(self, shop) -> None:
        instances = [
            {"touchpoint": touchpoint, "customer_id": "c1", **shop.fields(touchpoint)}
            for touchpoint in Touchpoint
        ]
        together = self.recommend(shop.recommender(), *instances)
        alone = [self.recommend(shop.recommender(), instance)[0] for instance in instances]
        assert together == alone

    def test_read_all_histories_at_once(self, shop) -> None:
        reader = shop.reader({"c1": shop.history("ring-1", "ring-2")})
        for_you = {"touchpoint": "for-you"}
        self.recommend(
            shop.recommender(reader=reader),
            {**for_you, "customer_id": "c1"},
            {**for_you, "customer_id": "c2"},
            for_you,
            {**for_you, "customer_id": "c1"},
        )
        assert reader.calls == [["c1", "c2"]]

    def test_run_concurrently(self, shop) -> None:
        scorer = shop.scorer(delay_s={"next_item": 0.25})
        instance = {"touchpoint": "for-you", "customer_id": "c1"}
        start = time.monotonic()
        answers = self.recommend(shop.recommender(scorer=scorer), *[instance] * 8)
        assert {answer["model"] for answer in answers} == {"next_item"}
        assert time.monotonic() - start < 8 * 0.25

    def test_an_impatient_one_does_not_cost_the_others_their_history(self, shop) -> None:
        reader = shop.reader({"c1": shop.history("ring-1", "ring-2")}, delay_s=0.01)
        patient = {"touchpoint": "for-you", "customer_id": "c1"}
        first, second = self.recommend(
            shop.recommender(reader=reader), {**patient, "deadline_ms": 1}, patient
        )
        assert first["notes"]["history"] == "no_time_left"
        assert second["model"] == "next_item"


class TestRecommender:
    def test_names_the_field_of_a_wrong_request(self, shop) -> None:
        with pytest.raises(RequestError, match=r"instances\[0\]\.market: expected one of GB, US"):
            shop.recommender().parse({"instances": [{"touchpoint": "for-you", "market": "DE"}]})

    def test_refuses_a_catalogue_of_other_items(self, shop) -> None:
        with pytest.raises(ReleaseError, match="catalogue: expected 4 items"):
            Recommender(
                catalogue=shop.catalogue(),
                vocabulary=Vocabulary(item_ids=("a", "b")),
                contract=CONTRACT,
                release=shop.release(),
                scorer=shop.scorer(),
                history_reader=shop.reader(),
            )

    def test_refuses_a_model_without_its_history_length(self, shop) -> None:
        release = shop.release()
        del release.max_history_len["outfit"]
        with pytest.raises(ReleaseError, match="none for outfit"):
            shop.recommender(release=release)

    def test_asks_the_version_of_its_own_release(self, shop) -> None:
        scorer = shop.scorer()
        shop.answer("complete-the-look", customer_id="c1", scorer=scorer)
        assert [call[:2] for call in scorer.calls] == [("outfit", 7)]

    def test_stops_what_it_started_when_the_caller_goes_away(self, shop) -> None:
        scorer = shop.scorer(delay_s={"next_item": HANGS_S})
        recommender = shop.recommender(scorer=scorer)
        requests = recommender.parse(
            {"instances": [{"touchpoint": "for-you", "customer_id": "c1"}]}
        )

        async def run() -> set[asyncio.Task[Any]]:
            call = asyncio.create_task(recommender.recommend(requests))
            await asyncio.sleep(0.02)
            call.cancel()
            await asyncio.wait({call})
            await asyncio.sleep(0.02)
            return asyncio.all_tasks() - {asyncio.current_task()}

        assert asyncio.run(run()) == set()
