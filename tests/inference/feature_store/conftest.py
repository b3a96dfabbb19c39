"""A real Redis on a free port, and a small retailer prepared and released by hand."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import redis

from stylerec.data.histories import Histories
from stylerec.data.prepared import DatasetSummary, PreparedData
from stylerec.features.item_features import ItemFeatures
from stylerec.features.vocabulary import Vocabulary
from stylerec.release.build import build_release
from stylerec.schema.events import EVENT_CODES
from stylerec.serving.contract import default_contract_path
from stylerec.settings import Settings

NUM_ITEMS = 60
MARKETS = ("DE", "GB")
LOG_END_S = int(time.time()) - 3_600
FEAST_CONFIG = Path(__file__).parents[3] / "feature_repo/environments/local/feature_store.yaml"

History = list[tuple[int, str, int]]
"""Item number from 0, event type, timestamp."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_redis() -> Iterator[int]:
    """Port of a Redis of one's own."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is not installed")
        pytest.skip("redis-server is not installed")
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    client = redis.Redis(port=port)
    try:
        for _ in range(100):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[int]:
    """Port of a Redis that lives as long as the tests."""
    with running_redis() as port:
        yield port


@pytest.fixture
def redis_port(redis_server: int) -> int:
    """Port of an empty Redis."""
    redis.Redis(port=redis_server).flushall()
    return redis_server


def make_settings(folder: Path, redis_port: int) -> Settings:
    """Everything in a folder of its own; nothing listens on Triton's port."""
    return Settings(
        release_uri=str(folder / "releases"),
        release_cache=folder / "cache",
        feast_workdir=folder / "feast",
        feast_config=FEAST_CONFIG,
        redis_port=redis_port,
        triton_http_port=free_port(),
        http_port=free_port(),
        grpc_port=free_port(),
        release_poll_s=0.1,
        dependency_timeout_s=1.0,
    )


@pytest.fixture
def settings(tmp_path: Path, redis_port: int) -> Settings:
    """See `make_settings`."""
    return make_settings(tmp_path, redis_port)


def router_environment(settings: Settings) -> dict[str, str]:
    """The environment of a routing transformer with these settings."""
    # Feast, imported by the tests, sets variables that would move the router's metrics to files.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PROMETHEUS_")}
    return {**inherited, **settings.environment(), "OMP_NUM_THREADS": "1"}


def write_prepared(
    folder: Path,
    histories: dict[str, History],
    *,
    has_timestamps: bool = True,
    log_end_s: int = LOG_END_S,
) -> PreparedData:
    """Prepared data of `{"customer": [(item, event type, timestamp), ...]}`."""
    rows = [row for history in histories.values() for row in history]
    item_ids = tuple(f"i{number}" for number in range(NUM_ITEMS))
    num_rows = NUM_ITEMS + 2
    rng = np.random.default_rng(7)
    content = rng.normal(size=(num_rows, 8)).astype(np.float32)
    content /= np.linalg.norm(content, axis=1, keepdims=True)
    content[:2] = 0.0
    prepared = PreparedData(folder)
    prepared.write(
        summary=DatasetSummary(
            num_customers=len(histories),
            num_items=NUM_ITEMS,
            num_interactions=len(rows),
            num_outfits=0,
            has_timestamps=has_timestamps,
            has_event_types=True,
            has_outfits=False,
            has_images=False,
            has_prices=True,
            markets=MARKETS,
            latest_timestamp_s=log_end_s if has_timestamps else 0,
            dropped={},
            omitted={"outfit": "the retailer has no outfits"},
        ),
        vocabulary=Vocabulary(item_ids),
        items=pd.DataFrame(
            {
                "item_id": item_ids,
                "category": [f"category {number % 3}" for number in range(NUM_ITEMS)],
                "product_type": [f"type {number % 6}" for number in range(NUM_ITEMS)],
                "brand": [f"brand {number % 10}" for number in range(NUM_ITEMS)],
                "price": [10.0 + number for number in range(NUM_ITEMS)],
                "in_stock": True,
                "item_index": np.arange(2, num_rows),
            }
        ),
        item_features=ItemFeatures(
            np.zeros((num_rows, 1), np.int32),
            np.zeros((num_rows, 5), np.int32),
            np.zeros((num_rows, 2), np.float32),
            np.zeros((num_rows, 0), np.float32),
        ),
        histories=Histories(
            np.array([item + 2 for item, _, _ in rows], np.int32),
            np.array([EVENT_CODES[event] for _, event, _ in rows], np.int8),
            np.array([second for _, _, second in rows], np.int64),
            np.cumsum([0, *(len(history) for history in histories.values())]),
        ),
        customers=pd.DataFrame({"customer_id": list(histories), "market": "GB"}),
        catalogue_arrays={
            "popularity": np.tile(np.arange(num_rows, dtype=np.float32), (3, 1)),
            "neighbour_index": rng.integers(2, num_rows, (num_rows, 5)).astype(np.int32),
            "neighbour_score": np.sort(rng.random((num_rows, 5)))[:, ::-1].astype(np.float32),
            "content_embedding": content,
        },
    )
    return prepared


def write_release(folder: Path, *, models: tuple[str, ...] = (), onnx: bytes = b"no graph") -> Path:
    """A built release; its ONNX files hold no graph unless one is given."""
    inputs = folder / "inputs"
    prepared = write_prepared(inputs / "prepared", {"c1": [(0, "view", LOG_END_S)]})
    exported = {}
    for model in models:
        exported[model] = inputs / model
        exported[model].mkdir()
        (exported[model] / "model.onnx").write_bytes(onnx)
        (exported[model] / "config.json").write_text("{}")
        record = f'{{"model": "{model}", "max_history_len": 10}}'
        (exported[model] / "export.json").write_text(record)
    for file in ("evaluation.json", "report.html"):
        # Releases that differ in nothing and are built in one second have one id.
        (inputs / file).write_text(f'{{"of": "{folder.name}"}}')
    build_release(
        folder / "release",
        prepared=prepared.folder,
        models=exported,
        evaluation=inputs / "evaluation.json",
        report=inputs / "report.html",
        contract=default_contract_path(),
    )
    return folder / "release"


@pytest.fixture
def prepare(tmp_path: Path) -> Callable[..., PreparedData]:
    """Writes prepared data; see `write_prepared`."""

    def write(histories: dict[str, History], **options: object) -> PreparedData:
        return write_prepared(tmp_path / "prepared", histories, **options)

    return write


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Path]:
    """Builds a release; see `write_release`."""

    def make(*, models: tuple[str, ...] = (), name: str = "built") -> Path:
        return write_release(tmp_path / name, models=models)

    return make
