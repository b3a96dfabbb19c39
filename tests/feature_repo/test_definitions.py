"""The definitions of `feature_repo`, loaded as `feast apply` loads them."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import Entity, FeatureService, FeatureStore, FeatureView, PushSource
from feast.types import Array, Bool, Float64, Int64, String

from inference.feature_store.offline import HISTORY_SCHEMA
from inference.feature_store.repository import apply_definitions, load_definitions, open_store
from stylerec.schema.features import (
    CUSTOMER_HISTORY_FEATURES,
    CUSTOMER_HISTORY_PUSH_SOURCE,
    FEATURE_SERVICES,
    ITEM_ATTRIBUTE_FEATURES,
)
from stylerec.schema.tensors import MODEL_NAMES
from stylerec.settings import Settings

REPOSITORY = Path(__file__).parents[2] / "feature_repo"
LOCAL = REPOSITORY / "environments/local/feature_store.yaml"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(feast_config=LOCAL, feast_workdir=tmp_path / "feast")


@pytest.fixture
def store(settings: Settings) -> FeatureStore:
    store = open_store(settings, with_offline=True)
    apply_definitions(store, settings)
    return store


class TestDefinitions:
    def test_history_view_holds_the_features_that_readers_ask_for(self, store):
        view = store.get_feature_view("customer_history")
        types = {field.name: field.dtype for field in view.features}
        assert types == dict(
            zip(
                CUSTOMER_HISTORY_FEATURES,
                (Array(String), Array(String), Array(Int64), Float64),
                strict=True,
            )
        )
        assert [column.name for column in view.entity_columns] == ["customer_id"]
        assert view.stream_source.name == CUSTOMER_HISTORY_PUSH_SOURCE

    def test_item_view_holds_every_attribute(self, store):
        view = store.get_feature_view("item_attributes")
        types = {field.name: field.dtype for field in view.features}
        assert set(types) == set(ITEM_ATTRIBUTE_FEATURES)
        assert types["price"] == Float64
        assert types["in_stock"] == Bool
        assert [column.name for column in view.entity_columns] == ["item_id"]

    def test_every_model_has_a_service_with_the_history(self, store):
        assert set(FEATURE_SERVICES) == set(MODEL_NAMES)
        for service in FEATURE_SERVICES.values():
            views = [p.name for p in store.get_feature_service(service).feature_view_projections]
            assert "customer_history" in views

    def test_a_second_apply_changes_nothing(self, settings, store):
        names = sorted(view.name for view in store.list_feature_views())
        apply_definitions(store, settings)
        assert sorted(view.name for view in store.list_feature_views()) == names

    def test_history_as_of_a_time_comes_from_duckdb(self, settings, store):
        january, march = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
        rows = [
            ("c1", ["i1"], ["view"], [100], 100.0, january),
            ("c1", ["i1", "i2"], ["view", "save"], [100, 200], 200.0, march),
            ("c2", ["i3"], ["view"], [300], 300.0, january),
        ]
        columns = [list(column) for column in zip(*rows, strict=True)]
        table = pa.Table.from_arrays(
            [pa.array(c, f.type) for c, f in zip(columns, HISTORY_SCHEMA, strict=True)],
            schema=HISTORY_SCHEMA,
        )
        pq.write_table(table, settings.feast_workdir / "customer_history.parquet")
        entities = pd.DataFrame(
            {
                "customer_id": ["c1", "c1", "c2"],
                "event_timestamp": pd.to_datetime(
                    ["2026-02-01", "2026-04-01", "2026-02-01"], utc=True
                ),
            }
        )
        service = store.get_feature_service(FEATURE_SERVICES["next_item"])
        found = store.get_historical_features(entities, service).to_df()
        read = {
            (row.customer_id, row.event_timestamp.month): list(row.item_ids)
            for row in found.itertuples()
        }
        assert read == {("c1", 2): ["i1"], ("c1", 4): ["i1", "i2"], ("c2", 2): ["i3"]}


class TestLoadDefinitions:
    def test_leaves_no_trace_and_gives_fresh_objects(self, tmp_path):
        path, modules = list(sys.path), set(sys.modules)
        first = load_definitions(REPOSITORY, offline_root=tmp_path / "a")
        second = load_definitions(REPOSITORY, offline_root=tmp_path / "b")
        assert sys.path == path
        assert {"entities", "services"}.isdisjoint(set(sys.modules) - modules)
        assert {id(value) for value in first}.isdisjoint({id(value) for value in second})

    def test_puts_offline_files_under_the_root(self, tmp_path):
        objects = load_definitions(REPOSITORY, offline_root=tmp_path)
        views = [value for value in objects if isinstance(value, FeatureView)]
        assert {view.batch_source.path for view in views} == {
            str(tmp_path / "customer_history.parquet"),
            str(tmp_path / "item_attributes.parquet"),
        }

    def test_finds_every_kind_of_object(self, tmp_path):
        objects = load_definitions(REPOSITORY, offline_root=tmp_path)
        counts = {
            kind: sum(isinstance(value, kind) for value in objects)
            for kind in (Entity, FeatureView, PushSource, FeatureService)
        }
        assert counts == {Entity: 2, FeatureView: 2, PushSource: 1, FeatureService: 3}
