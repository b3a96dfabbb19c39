"""All parts of the routing transformer, put together, started and stopped."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from kserve.model_repository import ModelRepository

from inference.transformer.data_plane import RoutingDataPlane
from inference.transformer.grpc_server import grpc_server
from inference.transformer.history_store import HistoryStore
from inference.transformer.metered import MeteredHistoryReader, MeteredScorer
from inference.transformer.metrics import Metrics
from inference.transformer.model_hosts import ModelHosts
from inference.transformer.models import InteractionsModel, RecommenderModel
from inference.transformer.readiness import Readiness
from inference.transformer.release_loading import load_recommender
from inference.transformer.release_watcher import ReleaseSlot, ReleaseWatcher
from inference.transformer.rest_server import RoutingRestServer
from stylerec.errors import StackError
from stylerec.release.store import Release
from stylerec.serving.recommender import Recommender
from stylerec.settings import Settings

logger = logging.getLogger(__name__)

GRACE_PERIOD_S = 10


class Application:
    """The routing transformer; build it inside the event loop that serves it.

    Args:
        settings: Where everything is.
        model_name: Name of the recommender in addresses.
        metrics: Where it counts.
    """

    def __init__(self, settings: Settings, *, model_name: str, metrics: Metrics) -> None:
        self._settings = settings
        self._connect_message = ""
        self._triton = ModelHosts(settings)
        self._histories = HistoryStore(settings, on_invalid=metrics.invalid_histories.inc)
        self._slot = ReleaseSlot()
        scorer = MeteredScorer(self._triton, metrics)
        reader = MeteredHistoryReader(self._histories, metrics)

        def load(release: Release) -> Recommender:
            return load_recommender(release, scorer=scorer, history_reader=reader)

        self._watcher = ReleaseWatcher(
            settings, slot=self._slot, control=self._triton, load=load, metrics=metrics
        )
        timeout_s = settings.dependency_timeout_s
        readiness = Readiness(
            slot=self._slot,
            control=self._triton,
            histories=self._histories,
            timeout_s=timeout_s,
            metrics=metrics,
        )
        models = ModelRepository()
        models.update(RecommenderModel(model_name, slot=self._slot, metrics=metrics))
        models.update(
            InteractionsModel(histories=self._histories, timeout_s=timeout_s, metrics=metrics)
        )
        self._data_plane = RoutingDataPlane(models, readiness)

    async def serve(self) -> None:
        """Serves REST and gRPC until a stop signal, then lets the calls in flight finish.

        Raises:
            StackError: A port is taken.
            ConfigError: The Feast configuration cannot be used.
        """
        # Before the first release is warmed up, which reads histories.
        await self._connect_histories()
        host = self._settings.host
        with _listener(host, self._settings.http_port) as listener:
            rest = RoutingRestServer(
                self._data_plane, listener=listener, grace_period_s=GRACE_PERIOD_S
            )
            grpc = grpc_server(self._data_plane, host=host, port=self._settings.grpc_port)
            await grpc.start()
            background = [self._watcher.run(), self._keep_connecting()]
            async with _running(background):
                try:
                    await rest.start()
                finally:
                    await grpc.stop(GRACE_PERIOD_S)
        await self._triton.close()
        await self._histories.close()

    async def _keep_connecting(self) -> None:
        while not self._histories.is_connected:
            await asyncio.sleep(self._settings.release_poll_s)
            await self._connect_histories()

    async def _connect_histories(self) -> None:
        """Reads the feature definitions, if there are any yet."""
        try:
            await asyncio.to_thread(self._histories.connect)
        except StackError as error:
            if str(error) != self._connect_message:
                logger.warning("%s", error)
            self._connect_message = str(error)


@contextlib.asynccontextmanager
async def _running(work: list[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2_048)
    except OSError as error:
        raise StackError(
            f"http_port {port}",
            expected=f"a free port on {host}",
            got=error.strerror or type(error).__name__,
            fix="stop what listens there, or set STYLEREC_HTTP_PORT or STYLEREC_HOST",
        ) from error
