import asyncio
import time

import pyarrow.parquet as pq
import pytest

from inference.feature_store.materialise import materialise
from inference.feature_store.repository import open_store
from inference.transformer.history_store import HistoryStore
from inference.transformer.interactions import Interaction
from stylerec.errors import DataError, StackError
from stylerec.schema.events import EventType

NOW_S = int(time.time())


def read(settings, *customers):
    async def run():
        store = HistoryStore(settings)
        store.connect()
        return await store.read(customers, 5.0)

    return asyncio.run(run())


def push(settings, item, second, customer="c1"):
    async def run():
        store = HistoryStore(settings)
        store.connect()
        await store.push([Interaction(customer, item, EventType.VIEW, second)], 5.0)

    asyncio.run(run())


class TestMaterialise:
    def test_histories_are_read_back_as_prepared(self, prepare, settings):
        prepared = prepare(
            {
                "c1": [(0, "view", NOW_S - 300), (5, "purchase", NOW_S - 200)],
                "c2": [(7, "save", NOW_S - 100)],
            }
        )
        report = materialise(prepared.folder, settings)
        assert (report.num_customers, report.num_items) == (2, 60)
        found = read(settings, "c1", "c2", "c3")
        assert set(found) == {"c1", "c2"}
        assert found["c1"].item_ids == ("i0", "i5")
        assert found["c1"].event_types == ("view", "purchase")
        assert found["c1"].timestamps_s == (NOW_S - 300, NOW_S - 200)
        assert found["c1"].updated_s == NOW_S - 200

    def test_history_is_fresh_when_the_log_has_no_times(self, prepare, settings):
        prepared = prepare({"c1": [(0, "purchase", 0)]}, has_timestamps=False)
        before = time.time()
        materialise(prepared, settings)
        found = read(settings, "c1")["c1"]
        assert before <= found.updated_s <= time.time()
        assert found.timestamps_s == (0,)

    def test_item_attributes_are_online(self, prepare, settings):
        materialise(prepare({"c1": [(0, "view", 1)]}), settings)
        store = open_store(settings, with_offline=False)
        values = store.get_online_features(
            ["item_attributes:price", "item_attributes:sale_price"], [{"item_id": "i3"}]
        ).to_dict()
        assert values["price"] == [10.0 + 3]
        assert values["sale_price"] == [None]

    def test_keeps_what_was_pushed_after_the_log_ended(self, prepare, settings):
        prepared = prepare({"c1": [(0, "view", NOW_S - 300)]}, log_end_s=NOW_S - 100)
        materialise(prepared, settings)
        push(settings, "i9", NOW_S - 5)
        materialise(prepared, settings)
        assert read(settings, "c1")["c1"].item_ids == ("i0", "i9")

    def test_keeps_pushes_when_the_log_has_no_times(self, prepare, settings):
        prepared = prepare({"c1": [(0, "purchase", 0)]}, has_timestamps=False)
        materialise(prepared, settings)
        push(settings, "i9", NOW_S)
        materialise(prepared, settings)
        assert read(settings, "c1")["c1"].item_ids == ("i0", "i9")

    def test_a_newer_log_replaces_what_was_pushed_before_it_ended(self, prepare, settings):
        materialise(prepare({"c1": [(0, "view", NOW_S - 300)]}, log_end_s=NOW_S - 300), settings)
        push(settings, "i9", NOW_S - 5)
        later = prepare(
            {"c1": [(0, "view", NOW_S - 300), (9, "view", NOW_S - 5), (3, "save", NOW_S - 2)]},
            log_end_s=int(time.time()) + 30,
        )
        materialise(later, settings)
        assert read(settings, "c1")["c1"].item_ids == ("i0", "i9", "i3")
        # The stored event time is now ahead of the clock; pushes still land.
        push(settings, "i4", NOW_S)
        assert read(settings, "c1")["c1"].item_ids == ("i0", "i9", "i3", "i4")

    def test_offline_files_stay_when_redis_is_down(self, prepare, settings):
        down = settings.model_copy(update={"redis_port": settings.triton_http_port})
        with pytest.raises(StackError, match="STYLEREC_REDIS_PORT"):
            materialise(prepare({"c1": [(0, "view", 1)]}), down)
        path = settings.feast_workdir / "customer_history.parquet"
        assert pq.read_table(path)["customer_id"].to_pylist() == ["c1"]

    def test_says_so_when_the_folder_cannot_be_written(self, prepare, settings):
        settings.feast_workdir.write_text("a file where the folder should be")
        with pytest.raises(DataError, match="STYLEREC_FEAST_WORKDIR"):
            materialise(prepare({"c1": [(0, "view", 1)]}), settings)
        assert settings.feast_workdir.read_text() == "a file where the folder should be"

    def test_leaves_no_half_written_file(self, prepare, settings):
        materialise(prepare({"c1": [(0, "view", 1)]}), settings)
        assert sorted(path.name for path in settings.feast_workdir.iterdir()) == [
            "customer_history.parquet",
            "item_attributes.parquet",
            "registry.db",
        ]
