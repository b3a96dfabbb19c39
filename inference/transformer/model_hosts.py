"""Triton as the router sees it: one for all models, or one of its own for some of them."""

import asyncio
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from inference.transformer.triton_client import TritonClient
from stylerec.settings import Settings


class ModelHosts:
    """A `Scorer` and model control that sends each call to the Triton which has the model.

    Args:
        settings: `triton_hosts` by model; `triton_host` has every other one.
    """

    def __init__(self, settings: Settings) -> None:
        default = f"{settings.triton_host}:{settings.triton_http_port}"
        addresses = {default, *settings.triton_hosts.values()}
        self._clients = {address: _client(address) for address in addresses}
        self._default = self._clients[default]
        self._by_model = {
            model: self._clients[address] for model, address in settings.triton_hosts.items()
        }

    async def score(
        self, model: str, version: int, inputs: Mapping[str, NDArray[Any]], timeout_s: float
    ) -> dict[str, NDArray[Any]]:
        """Returns the model's outputs; see `TritonClient.score`."""
        return await self._of(model).score(model, version, inputs, timeout_s)

    async def is_model_ready(self, model: str, version: int, timeout_s: float) -> bool:
        """Returns whether the model's Triton would answer; see `TritonClient.is_model_ready`."""
        return await self._of(model).is_model_ready(model, version, timeout_s)

    async def load_model(self, model: str, timeout_s: float) -> None:
        """Has the model's Triton load it; see `TritonClient.load_model`."""
        await self._of(model).load_model(model, timeout_s)

    async def close(self) -> None:
        """Closes all idle connections."""
        await asyncio.gather(*(client.close() for client in self._clients.values()))

    def _of(self, model: str) -> TritonClient:
        return self._by_model.get(model, self._default)


def _client(address: str) -> TritonClient:
    host, _, port = address.rpartition(":")
    return TritonClient(host, int(port))
