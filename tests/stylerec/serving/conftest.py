"""A shop small enough to reckon by hand, and models and stores that do what a test tells them."""

import asyncio
import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from stylerec.features.vocabulary import Vocabulary
from stylerec.schema import tensors
from stylerec.serving.catalogue import Catalogue
from stylerec.serving.contract import Contract, default_contract_path, load_contract
from stylerec.serving.history import CustomerHistory, KnownHistory, known_history
from stylerec.serving.recommender import Recommender
from stylerec.serving.requests import parse_request
from stylerec.serving.resolved import ResolvedRequest, resolve
from stylerec.serving.scoring import ReleaseInfo

NOW_S = 1_800_000_000.0
MARKETS = ("GB", "US")
# Department, category, product type, price. Eight of each, named `<type>-0` to `<type>-7`.
KINDS = {
    "dress": ("women", "clothes", "dress", 40.0),
    "skirt": ("women", "clothes", "skirt", 30.0),
    "heels": ("women", "shoes", "heels", 60.0),
    "clutch": ("women", "bags", "clutch", 20.0),
    "ring": ("women", "jewellery", "ring", 8.0),
    "shirt": ("men", "clothes", "shirt", 25.0),
    "boots": ("men", "shoes", "boots", 90.0),
    "scarf": ("unisex", "accessories", "scarf", 12.0),
}
PER_KIND = 8
NUM_NEIGHBOURS = 3
PATIENCE = 20
ITEM_IDS = tuple(f"{kind}-{number}" for kind in KINDS for number in range(PER_KIND))


@dataclass
class FakeScorer:
    """Scores a candidate by its index (later items are better), after `delay_s`, or fails."""

    delay_s: dict[str, float] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    ignores_cancellation: bool = False
    calls: list[tuple[str, int, dict[str, Any], float]] = field(default_factory=list)

    async def score(
        self, model: str, version: int, inputs: dict[str, Any], timeout_s: float
    ) -> dict[str, Any]:
        self.calls.append((model, version, inputs, timeout_s))
        await self._wait(self.delay_s.get(model, 0.0))
        if model in self.errors:
            raise self.errors[model]
        if model in self.outputs:
            return self.outputs[model]
        return outfit_scores(inputs) if model == tensors.OUTFIT else item_scores(inputs)

    async def _wait(self, delay_s: float) -> None:
        try:
            await asyncio.sleep(delay_s)
        except asyncio.CancelledError:
            if not self.ignores_cancellation:
                raise
            await asyncio.sleep(delay_s)

    def inputs_of(self, model: str) -> dict[str, Any]:
        """Returns what the model was asked last."""
        return next(inputs for name, _, inputs, _ in reversed(self.calls) if name == model)


def item_scores(inputs: dict[str, Any]) -> dict[str, Any]:
    candidates = inputs[tensors.CANDIDATE_INDEX]
    return {
        tensors.SCORES: candidates.astype(np.float32) / 1_000,
        tensors.QUERY_EMBEDDING: np.zeros((1, 4), dtype=np.float32),
    }


def outfit_scores(inputs: dict[str, Any]) -> dict[str, Any]:
    """Returns scores 0.9, 0.8, ... in the order asked; all pairs 0.25, all customer parts 0.125."""
    num_outfits, num_items = inputs[tensors.OUTFIT_ITEM_INDEX].shape
    score = (0.9 - np.arange(num_outfits) / 10).astype(np.float32)
    return {
        tensors.OUTFIT_SCORE: score,
        tensors.COMPATIBILITY: score / 2,
        tensors.PAIR_SCORES: np.full((num_outfits, num_items, num_items), 0.25, dtype=np.float32),
        tensors.CUSTOMER_SCORES: np.full((num_outfits, num_items), 0.125, dtype=np.float32),
        tensors.STYLE_EMBEDDING: np.zeros((num_outfits, num_items, PER_KIND), dtype=np.float32),
    }


@dataclass
class FakeReader:
    """Knows `histories`; waits, or fails."""

    histories: dict[str, CustomerHistory] = field(default_factory=dict)
    delay_s: float = 0.0
    error: Exception | None = None
    calls: list[list[str]] = field(default_factory=list)

    async def read(
        self, customer_ids: Sequence[str], timeout_s: float
    ) -> dict[str, CustomerHistory]:
        self.calls.append(list(customer_ids))
        await asyncio.sleep(self.delay_s)
        if self.error is not None:
            raise self.error
        return {name: self.histories[name] for name in customer_ids if name in self.histories}


class Shop:
    """64 items, most popular first; dress-k was bought with heels-k, clutch-k and ring-k.

    Items with the same number are of the same style.
    """

    now_s = NOW_S
    markets = MARKETS
    item_ids = ITEM_IDS
    scorer = FakeScorer
    reader = FakeReader

    def __init__(self) -> None:
        self.vocabulary = Vocabulary(item_ids=ITEM_IDS)
        self.contract = self.contract_with()

    def index(self, item_id: str) -> int:
        """Returns an item's index."""
        return self.vocabulary.item_index(item_id)

    def indices(self, *item_ids: str) -> list[int]:
        """Returns the indices of items."""
        return [self.index(item_id) for item_id in item_ids]

    def ids(self, indices: Sequence[int]) -> list[str]:
        """Returns the items of indices."""
        return [self.vocabulary.item_id(int(index)) for index in indices]

    def frame(self) -> pd.DataFrame:
        """Returns the items table; everything in stock, every second ring in the sale."""
        rows = []
        for position, item_id in enumerate(ITEM_IDS):
            kind, number = item_id.split("-")
            department, category, product_type, price = KINDS[kind]
            rows.append(
                {
                    "item_id": item_id,
                    "department": department,
                    "category": category,
                    "product_type": product_type,
                    "brand": f"brand {int(number) % 4}",
                    "price": price,
                    "sale_price": price / 2 if kind == "ring" and int(number) % 2 else None,
                    "in_stock": True,
                    "first_seen": pd.Timestamp("2026-01-01", tz="UTC")
                    + pd.Timedelta(days=position),
                    "markets": list(MARKETS),
                    "item_index": position + 2,
                }
            )
        return pd.DataFrame(rows)

    def arrays(self) -> dict[str, Any]:
        """Returns popularity (100, 99, ... from the first item), co-purchases and content.

        Content: items of a kind differ little, items of different kinds are orthogonal.
        """
        num_items = len(ITEM_IDS) + 2
        popularity = np.zeros((len(MARKETS) + 1, num_items), dtype=np.float32)
        popularity[:, 2:] = 100.0 - np.arange(len(ITEM_IDS))
        # In the US it is the other way round.
        popularity[2, 2:] = popularity[2, 2:][::-1]
        neighbour = np.zeros((num_items, NUM_NEIGHBOURS), dtype=np.int32)
        strength = np.zeros((num_items, NUM_NEIGHBOURS), dtype=np.float32)
        content = np.zeros((num_items, len(KINDS) + 1), dtype=np.float32)
        for position, item_id in enumerate(ITEM_IDS):
            kind, number = item_id.split("-")
            if kind == "dress":
                neighbour[position + 2] = self.indices(
                    f"heels-{number}", f"clutch-{number}", f"ring-{number}"
                )
                strength[position + 2] = [0.8, 0.4, 0.2]
            angle = 0.05 * int(number)
            content[position + 2, list(KINDS).index(kind)] = np.cos(angle)
            content[position + 2, -1] = np.sin(angle)
        return {
            "popularity": popularity,
            "neighbour_index": neighbour,
            "neighbour_score": strength,
            "content_embedding": content,
        }

    def style(self) -> dict[str, Any]:
        """Returns the style embeddings: item k of a kind has a 1 in place k."""
        numbers = [int(item_id.split("-")[1]) for item_id in ITEM_IDS]
        style = np.zeros((len(ITEM_IDS) + 2, PER_KIND), dtype=np.float32)
        style[2:] = np.eye(PER_KIND, dtype=np.float32)[numbers]
        return {"style_embedding": style, "customer_norm": np.ones(1, dtype=np.float32)}

    def catalogue(
        self,
        *,
        drop: Sequence[str] = (),
        templates: dict[str, list[list[str]]] | None = None,
        sells_in: Sequence[str] = MARKETS,
        arrays: dict[str, Any] | None = None,
        has_style: bool = True,
        **cells: dict[str, Any],
    ) -> Catalogue:
        """Returns the catalogue without some columns; `cells` maps column to item to value."""
        frame = self.frame().drop(columns=list(drop))
        for column, changes in cells.items():
            values = dict(zip(ITEM_IDS, frame[column].tolist(), strict=True)) | changes
            frame[column] = pd.Series([values[item_id] for item_id in ITEM_IDS])
        found = arrays or self.arrays()
        found["popularity"] = found["popularity"][: len(sells_in) + 1]
        return Catalogue.from_frames(
            frame,
            vocabulary=self.vocabulary,
            arrays=found,
            markets=sells_in,
            templates=templates,
            style=self.style() if has_style else None,
        )

    def contract_with(self, touchpoint: str = "", **changes: Any) -> Contract:
        """Returns the default contract with fields changed: of a touchpoint, or global ones.

        It is patient: on a busy machine the default budgets would run out in tests about other
        things.
        """
        document = yaml.safe_load(default_contract_path().read_text())
        for rules in document["touchpoints"].values():
            rules["deadline_ms"] *= PATIENCE
            rules["budget_ms"] = {name: PATIENCE * ms for name, ms in rules["budget_ms"].items()}
        place = document["touchpoints"][touchpoint] if touchpoint else document
        place.update(copy.deepcopy(changes))
        return load_contract(yaml.safe_dump(document))

    def history(
        self, *item_ids: str, event: str | Sequence[str] = "view", age_s: float = 10.0
    ) -> CustomerHistory:
        """Returns a history whose interactions are a minute apart, the last `age_s` ago."""
        count = len(item_ids)
        return CustomerHistory(
            item_ids=item_ids,
            event_types=(event,) * count if isinstance(event, str) else tuple(event),
            timestamps_s=tuple(int(NOW_S - age_s) - 60 * (count - 1 - n) for n in range(count)),
            updated_s=NOW_S - age_s,
        )

    def known(self, *item_ids: str, **options: Any) -> KnownHistory:
        """Returns a usable history (of a customer nobody knows without items)."""
        history = self.history(*item_ids, **options) if item_ids else None
        return known_history(history, vocabulary=self.vocabulary, now_s=NOW_S, ttl_days=30)

    def resolved(
        self,
        touchpoint: str,
        *,
        catalogue: Catalogue | None = None,
        contract: Contract | None = None,
        history: KnownHistory | None = None,
        **fields: Any,
    ) -> ResolvedRequest:
        """Returns a request as the candidate rules see it."""
        contract = contract or self.contract
        request = parse_request({"touchpoint": touchpoint, **fields}, contract=contract)
        return resolve(
            request,
            rules=contract.of(request.touchpoint),
            catalogue=catalogue or self.catalogue(),
            vocabulary=self.vocabulary,
            history=history or self.known(),
            now_s=NOW_S,
            max_candidates=contract.max_candidates,
        )

    def release(self, *models: str, **options: Any) -> ReleaseInfo:
        """Returns a release with these models (all three without any named)."""
        names = models or tensors.MODEL_NAMES
        return ReleaseInfo(
            release_id="2026-11-21T093000-4f1c",
            model_versions={name: 7 for name in names if name != "none"},
            max_history_len={name: 5 for name in names if name != "none"},
            **options,
        )

    def recommender(
        self,
        *,
        catalogue: Catalogue | None = None,
        contract: Contract | None = None,
        release: ReleaseInfo | None = None,
        scorer: FakeScorer | None = None,
        reader: FakeReader | None = None,
    ) -> Recommender:
        """Returns a recommender whose customer `c1` has viewed two dresses."""
        known = {"c1": self.history("dress-6", "dress-7")}
        return Recommender(
            catalogue=catalogue or self.catalogue(),
            vocabulary=self.vocabulary,
            contract=contract or self.contract,
            release=release or self.release(),
            scorer=scorer or FakeScorer(),
            history_reader=reader or FakeReader(known),
            clock=lambda: NOW_S,
        )

    def answer(self, touchpoint: str, /, **options: Any) -> dict[str, Any]:
        """Returns the answer to one request; options of `recommender` apart from its fields."""
        names = ("catalogue", "contract", "release", "scorer", "reader")
        parts = {name: options.pop(name) for name in names if name in options}
        recommender = self.recommender(**parts)
        fields = {**self.fields(touchpoint), **options}
        payload = {"instances": [{"touchpoint": touchpoint, **fields}]}
        return asyncio.run(recommender.recommend(recommender.parse(payload)))[0]

    def fields(self, touchpoint: str) -> dict[str, Any]:
        """Returns the fields that a touchpoint needs, about a dress."""
        if touchpoint in ("category-page", "search-page"):
            return {"candidate_item_ids": list(ITEM_IDS)}
        if touchpoint == "little-something-extra":
            return {"bag_item_ids": ["dress-0", "heels-0"]}
        return {} if touchpoint == "for-you" else {"hero_item_id": "dress-0"}

    def shown(self, answer: dict[str, Any]) -> list[list[str]]:
        """Returns the item ids of each list of an answer."""
        lists = answer.get("carousels") or answer.get("outfits") or [answer]
        return [[item["item_id"] for item in found.get("items", [])] for found in lists]

    def all_shown(self, answer: dict[str, Any]) -> list[str]:
        """Returns the item ids of all lists of an answer together."""
        return [item_id for shown in self.shown(answer) for item_id in shown]


@pytest.fixture
def shop() -> Shop:
    return Shop()
