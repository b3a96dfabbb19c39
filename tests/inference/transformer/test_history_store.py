import asyncio
import time

import pytest
import redis
from google.protobuf.timestamp_pb2 import Timestamp

from inference.feature_store.materialise import materialise
from inference.transformer.history_store import FeatureStoreUnavailableError, HistoryStore
from inference.transformer.interactions import Interaction
from stylerec.errors import StackError
from stylerec.schema.events import EventType
from stylerec.schema.features import MAX_STORED_HISTORY

NOW_S = int(time.time())
# Beyond what Feast can turn into a date: year 10000, beyond the platform, and no timestamp at all.
BAD_EVENT_TIMES = [
    *(
        Timestamp(seconds=second).SerializeToString()
        for second in (253_402_300_800, 2**62, -(2**62))
    ),
    b"\xff\xff",
]


def viewed(item, second=NOW_S, customer="c1", event_id=None):
    return Interaction(customer, item, EventType.VIEW, second, event_id)


@pytest.fixture
def filled(prepare, settings):
    """The store's settings after histories of c1 to c3 were materialised."""
    materialise(prepare({f"c{n}": [(n, "view", NOW_S - 1_000 + n)] for n in (1, 2, 3)}), settings)
    return settings


def with_store(settings, work):
    """Runs `work(store)` on an event loop; returns its result and the invalid values counted."""
    invalid = []

    async def run():
        store = HistoryStore(settings, on_invalid=lambda: invalid.append(1))
        store.connect()
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run()), len(invalid)


def push_and_read(*customers):
    async def work(store):
        await store.push([viewed("i9", customer=customer) for customer in customers], 1.0)
        return await store.read(customers, 1.0)

    return work


def keys_of(settings, customer):
    client = redis.Redis(port=settings.redis_port)
    return client, list(client.scan_iter(f"*{customer}*"))


class TestConnect:
    def test_raises_and_writes_nothing_when_never_applied(self, settings):
        with pytest.raises(StackError, match="materialise"):
            HistoryStore(settings).connect()
        assert not settings.feast_workdir.exists()

    def test_reading_before_it_says_why(self, settings):
        with pytest.raises(FeatureStoreUnavailableError, match="not applied"):
            asyncio.run(HistoryStore(settings).read(["c1"], 1.0))


class TestRead:
    def test_leaves_out_customers_nobody_knows(self, filled):
        found, num_invalid = with_store(filled, lambda s: s.read(["c1", "nobody", "c3"], 1.0))
        assert {customer: history.item_ids for customer, history in found.items()} == {
            "c1": ("i1",),
            "c3": ("i3",),
        }
        assert num_invalid == 0

    def test_takes_any_id(self, filled):
        ids = ["", "c1\x00", "ü" * 200, "c1", "c1", "*", "c1\n"]
        found, _ = with_store(filled, lambda s: s.read(ids, 1.0))
        assert set(found) == {"c1"}

    def test_times_out_and_never_mixes_answers_up(self, filled):
        client = redis.Redis(port=filled.redis_port)

        async def work(store):
            await store.read(["c1"], 1.0)
            client.execute_command("CLIENT", "PAUSE", 400)
            started = time.perf_counter()
            with pytest.raises(TimeoutError):
                await store.read(["c1"], 0.05)
            assert time.perf_counter() - started < 0.3
            await asyncio.sleep(0.5)
            return [await store.read([c], 1.0) for c in ("c2", "c3", "nobody", "c1")]

        found, _ = with_store(filled, work)
        assert [
            {customer: history.item_ids for customer, history in one.items()} for one in found
        ] == [{"c2": ("i2",)}, {"c3": ("i3",)}, {}, {"c1": ("i1",)}]

    def test_says_at_once_that_redis_is_down(self, filled):
        down = filled.model_copy(update={"redis_port": filled.triton_http_port})

        async def work(store):
            started = time.perf_counter()
            with pytest.raises(FeatureStoreUnavailableError):
                await store.read(["c1"], 5.0)
            assert not await store.is_ready(5.0)
            return time.perf_counter() - started

        seconds, _ = with_store(down, work)
        assert seconds < 1.0

    @pytest.mark.parametrize("garbage", [b"\xff\xff\xff", b"\x0a"])
    def test_garbage_is_absent_and_counted_and_spares_others(self, filled, garbage):
        client, (key,) = keys_of(filled, "c2")
        for field in client.hkeys(key):
            client.hset(key, field, garbage)
        found, num_invalid = with_store(filled, lambda s: s.read(["c1", "c2", "c3"], 1.0))
        assert set(found) == {"c1", "c3"}
        assert num_invalid == 1

    @pytest.mark.parametrize("event_time", BAD_EVENT_TIMES)
    def test_an_event_time_that_is_no_date_spares_others(self, filled, event_time):
        client, (key,) = keys_of(filled, "c2")
        client.hset(key, b"_ts:customer_history", event_time)
        found, num_invalid = with_store(filled, lambda s: s.read(["c1", "c2", "c3"], 1.0))
        assert set(found) == {"c1", "c3"}
        assert num_invalid == 1

    def test_a_key_of_another_kind_is_absent_and_counted(self, filled):
        client, (key,) = keys_of(filled, "c2")
        client.delete(key)
        client.set(key, "text")
        found, num_invalid = with_store(filled, lambda s: s.read(["c1", "c2", "c3"], 1.0))
        assert set(found) == {"c1", "c3"}
        assert num_invalid == 1

    def test_a_refusal_is_not_taken_for_garbage(self, filled):
        client = redis.Redis(port=filled.redis_port)

        async def work(store):
            client.execute_command("ACL", "SETUSER", "default", "-hmget")
            try:
                with pytest.raises(FeatureStoreUnavailableError) as caught:
                    await store.read(["c1"], 1.0)
                return str(caught.value), await store.is_ready(1.0)
            finally:
                client.execute_command("ACL", "SETUSER", "default", "+hmget")

        (message, is_ready), num_invalid = with_store(filled, work)
        assert "c1" not in message
        assert not is_ready
        assert num_invalid == 0

    def test_lists_that_do_not_fit_together_are_counted(self, filled):
        client, (key,) = keys_of(filled, "c2")
        shortest = min(
            (field for field in client.hkeys(key) if not field.startswith(b"_ts")),
            key=lambda field: len(client.hget(key, field)),
        )
        client.hdel(key, shortest)
        found, num_invalid = with_store(filled, lambda s: s.read(["c1", "c2"], 1.0))
        assert "c1" in found
        assert num_invalid == 1
        lengths = {
            len(values)
            for values in (found["c2"].item_ids, found["c2"].event_types, found["c2"].timestamps_s)
        }
        assert lengths == {0, 1}


class TestPush:
    def test_is_in_the_next_read(self, filled):
        async def work(store):
            before = time.time()
            assert await store.push([viewed("i9")], 1.0) == [True]
            history = (await store.read(["c1"], 1.0))["c1"]
            assert before <= history.updated_s <= time.time()
            return history

        history, _ = with_store(filled, work)
        assert history.item_ids == ("i1", "i9")
        assert history.event_types == ("view", "view")
        assert history.timestamps_s == (NOW_S - 999, NOW_S)

    def test_starts_the_history_of_a_new_customer(self, filled):
        async def work(store):
            await store.push([viewed("i9", customer="new")], 1.0)
            return await store.read(["new"], 1.0)

        found, _ = with_store(filled, work)
        assert found["new"].item_ids == ("i9",)

    def test_takes_many_customers_at_once(self, filled):
        async def work(store):
            interactions = [viewed(f"i{n}", customer=f"n{n % 50}") for n in range(200)]
            interactions[150] = interactions[0]
            is_new = await store.push(interactions, 5.0)
            return is_new, await store.read([f"n{n}" for n in range(50)], 1.0)

        (is_new, found), _ = with_store(filled, work)
        assert is_new == [True] * 150 + [False] + [True] * 49
        assert found["n3"].item_ids == ("i3", "i53", "i103", "i153")
        assert found["n0"].item_ids == ("i0", "i50", "i100")

    def test_the_same_interaction_twice_is_stored_once(self, filled):
        async def work(store):
            first = await store.push([viewed("i9")], 1.0)
            second = await store.push([viewed("i9")], 1.0)
            return first, second, (await store.read(["c1"], 1.0))["c1"].item_ids

        result, _ = with_store(filled, work)
        assert result == ([True], [False], ("i1", "i9"))

    def test_the_same_event_id_is_stored_once_whatever_its_time(self, filled):
        async def work(store):
            first = await store.push([viewed("i9", NOW_S - 9, event_id="e")], 1.0)
            second = await store.push(
                [viewed("i9", NOW_S, event_id="e"), viewed("i9", NOW_S, event_id="f")], 1.0
            )
            other = await store.push([viewed("i9", customer="c2", event_id="e")], 1.0)
            return first, second, other

        result, _ = with_store(filled, work)
        assert result == ([True], [False, True], [True])

    def test_an_event_id_twice_in_one_call_is_stored_once(self, filled):
        twice = [viewed("i9", NOW_S - 9, event_id="e"), viewed("i9", NOW_S, event_id="e")]
        is_new, _ = with_store(filled, lambda store: store.push(twice, 1.0))
        assert is_new == [True, False]

    def test_a_failed_push_may_be_sent_again(self, filled):
        client = redis.Redis(port=filled.redis_port)

        async def work(store):
            client.execute_command("CLIENT", "PAUSE", 300)
            with pytest.raises(TimeoutError):
                await store.push([viewed("i9", event_id="e")], 0.05)
            await asyncio.sleep(0.4)
            is_new = await store.push([viewed("i9", event_id="e")], 1.0)
            return is_new, (await store.read(["c1"], 1.0))["c1"].item_ids

        result, _ = with_store(filled, work)
        assert result == ([True], ("i1", "i9"))

    def test_concurrent_pushes_of_one_customer_all_count(self, filled):
        async def work(store):
            await asyncio.gather(
                *(store.push([viewed(f"n{n}", NOW_S - n)], 5.0) for n in range(40))
            )
            return (await store.read(["c1"], 1.0))["c1"].item_ids

        items, _ = with_store(filled, work)
        assert items == ("i1", *(f"n{n}" for n in reversed(range(40))))

    def test_crossing_pushes_do_not_lock_each_other_out(self, filled):
        async def work(store):
            pair = [viewed("x", customer="a"), viewed("x", customer="b")]
            await asyncio.gather(*(store.push(pair[:: 1 if n % 2 else -1], 5.0) for n in range(20)))
            return await store.read(["a", "b"], 1.0)

        found, _ = with_store(filled, work)
        assert found["a"].item_ids == found["b"].item_ids == ("x",)

    def test_stores_no_more_than_the_limit(self, filled):
        async def work(store):
            many = [viewed(f"n{n}", NOW_S - 900 + n) for n in range(MAX_STORED_HISTORY + 10)]
            await store.push(many, 1.0)
            return (await store.read(["c1"], 1.0))["c1"].item_ids

        items, _ = with_store(filled, work)
        assert items == tuple(f"n{n}" for n in range(10, MAX_STORED_HISTORY + 10))

    def test_replaces_garbage(self, filled):
        client, (key,) = keys_of(filled, "c1")
        for field in client.hkeys(key):
            if not field.startswith(b"_ts"):
                client.hset(key, field, b"\xff\xff")

        async def work(store):
            await store.push([viewed("i9")], 1.0)
            return (await store.read(["c1"], 1.0))["c1"].item_ids

        items, num_invalid = with_store(filled, work)
        assert items == ("i9",)
        assert num_invalid == 1

    @pytest.mark.parametrize("event_time", BAD_EVENT_TIMES)
    def test_replaces_an_event_time_that_is_no_date(self, filled, event_time):
        client, (key,) = keys_of(filled, "c1")
        client.hset(key, b"_ts:customer_history", event_time)
        found, _ = with_store(filled, push_and_read("c1", "c2"))
        assert found["c1"].item_ids == ("i9",)
        assert found["c2"].item_ids[-1] == "i9"

    def test_replaces_a_key_of_another_kind(self, filled):
        client, (key,) = keys_of(filled, "c1")
        client.delete(key)
        client.set(key, "text")
        found, _ = with_store(filled, push_and_read("c1", "c2"))
        assert found["c1"].item_ids == ("i9",)
        assert found["c2"].item_ids[-1] == "i9"

    def test_says_that_redis_is_down(self, filled):
        down = filled.model_copy(update={"redis_port": filled.triton_http_port})

        async def work(store):
            with pytest.raises(FeatureStoreUnavailableError) as caught:
                await store.push([viewed("i9")], 1.0)
            return str(caught.value)

        message, _ = with_store(down, work)
        assert "c1" not in message


class TestIsReady:
    def test_is_true_when_redis_answers(self, filled):
        is_ready, num_invalid = with_store(filled, lambda store: store.is_ready(1.0))
        assert is_ready
        assert num_invalid == 0

    def test_is_false_when_redis_hangs(self, filled):
        redis.Redis(port=filled.redis_port).execute_command("CLIENT", "PAUSE", 300)
        is_ready, _ = with_store(filled, lambda store: store.is_ready(0.05))
        time.sleep(0.3)
        assert not is_ready
