"""Sends requests to the routing transformer and shows the answers as a table."""

import json
import shlex
import textwrap
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from stylerec.errors import StackError

_TIMEOUT_S = 10.0
_SHOWN_ITEMS = 3
_TITLE_WIDTH = 34


@dataclass(frozen=True)
class Answer:
    """One request, what came back, and how long it took at the caller's side."""

    instance: dict[str, Any]
    prediction: dict[str, Any]
    duration_ms: float


class RecommenderClient:
    """Calls one routing transformer over V1 REST.

    Args:
        port: Its REST port on loopback.
    """

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}/v1/models"
        self._client = httpx.Client(timeout=_TIMEOUT_S)

    def recommend(self, instance: dict[str, Any]) -> Answer:
        """Sends one instance.

        Raises:
            StackError: The answer is not 200.
        """
        started = time.perf_counter()
        body = self._post("recommender", instance)
        duration_ms = (time.perf_counter() - started) * 1000
        return Answer(instance, body["predictions"][0], duration_ms)

    def post_interaction(self, interaction: dict[str, Any]) -> None:
        """Sends one interaction, which is in the customer's next request.

        Raises:
            StackError: The answer is not 200.
        """
        self._post("interactions", interaction)

    def curl(self, model: str, instance: dict[str, Any]) -> str:
        """Returns a shell line that sends the same request."""
        body = shlex.quote(json.dumps({"instances": [instance]}))
        return f"curl -s {self._base}/{model}:predict -H 'Content-Type: application/json' -d {body}"

    def _post(self, model: str, instance: dict[str, Any]) -> dict[str, Any]:
        url = f"{self._base}/{model}:predict"
        response = self._client.post(url, json={"instances": [instance]})
        if not response.is_success:
            raise StackError(
                url,
                expected="status 200",
                got=f"{response.status_code} {response.text[:200]}",
                fix="see the routing transformer's log",
            )
        return dict(response.json())


def show_answers(
    answers: Iterable[Answer], *, title: Callable[[str], str], console: Console
) -> None:
    """Prints one table row per touchpoint: the first items, who ranked them, and the time."""
    table = Table(title="One answer per touchpoint", title_justify="left")
    table.add_column("touchpoint", no_wrap=True)
    table.add_column("answer")
    table.add_column("model", no_wrap=True)
    table.add_column("served by", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    for answer in answers:
        prediction = answer.prediction
        table.add_row(
            prediction["touchpoint"],
            "\n".join(_lines(prediction, title)),
            str(prediction["model"]),
            prediction["served_by"],
            f"{answer.duration_ms:.1f}",
        )
    console.print(table)


def _lines(prediction: dict[str, Any], title: Callable[[str], str]) -> list[str]:
    if "outfits" in prediction:
        return [
            f"{outfit['score']:.3f}  {_titles(outfit['items'], title, ' + ')}"
            for outfit in prediction["outfits"][:_SHOWN_ITEMS]
        ]
    if "carousels" in prediction:
        return [
            f"{carousel['title']}: {_titles(carousel['items'][:2], title, ', ') or 'nothing'}"
            for carousel in prediction["carousels"]
        ]
    return [
        f"{item['score']:.3f}  {title(item['item_id'])}"
        for item in prediction["items"][:_SHOWN_ITEMS]
    ]


def _titles(items: list[dict[str, Any]], title: Callable[[str], str], joint: str) -> str:
    return joint.join(
        textwrap.shorten(title(item["item_id"]), _TITLE_WIDTH, placeholder=" ...") for item in items
    )
