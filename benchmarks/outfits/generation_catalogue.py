"""A shop of a real size for measuring generation: its catalogue, contract and requests."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.tensors import FIRST_ITEM_INDEX
from stylerec.serving.catalogue import Catalogue
from stylerec.serving.contract import Contract, default_contract_path, load_contract
from stylerec.serving.history import CustomerHistory, known_history
from stylerec.serving.outfit_generation import generate_outfits
from stylerec.serving.outfit_search import FoundOutfit
from stylerec.serving.outfit_slots import outfit_template
from stylerec.serving.requests import parse_request
from stylerec.serving.resolved import ResolvedRequest, resolve
from stylerec.serving.style_index import StyleIndex

_TOUCHPOINT = "complete-the-look"
_MARKET = "GB"
_PRICE_RATIOS = (0.1, 10.0)
_NUM_HEROES = 64
_HISTORY = 20
_NOW_S = 1_800_000_000.0
_SEED = 7
_COLUMNS = {
    "prod_name": "title",
    "product_type_name": "product_type",
    "product_group_name": "category",
    "index_group_name": "department",
    "colour_group_name": "colour",
    "section_name": "brand",
}


def read_articles(path: Path, num_items: int) -> pd.DataFrame:
    """Returns the first `num_items` H&M articles as canonical items in index order."""
    articles = pd.read_parquet(path, columns=["graphical_appearance_name", *_COLUMNS])
    items = articles.head(num_items).rename(columns=_COLUMNS).astype(str)
    items["description"] = items.pop("graphical_appearance_name")
    return _indexed(items)


def synthetic(num_items: int) -> pd.DataFrame:
    """Returns items of 120 product types whose sizes fall off like H&M's."""
    generator = np.random.default_rng(_SEED)
    share = 1.0 / np.arange(3, 123)
    kind = generator.choice(120, size=num_items, p=share / share.sum())
    word = generator.integers(0, 2_000, size=(num_items, 3))
    return _indexed(
        pd.DataFrame(
            {
                "title": [" ".join(f"w{n}" for n in row) for row in word],
                "product_type": [f"type {n}" for n in kind],
                "category": [f"category {n % 20}" for n in kind],
                "department": [f"department {n}" for n in generator.integers(0, 4, num_items)],
                "colour": [f"colour {n}" for n in generator.integers(0, 40, num_items)],
            }
        )
    )


def _indexed(items: pd.DataFrame) -> pd.DataFrame:
    items = items.reset_index(drop=True)
    items["item_index"] = np.arange(len(items)) + FIRST_ITEM_INDEX
    return items


def largest_types(items: pd.DataFrame, count: int) -> tuple[str, ...]:
    """Returns the product types with the most items, largest first."""
    return tuple(items["product_type"].value_counts(sort=True).index[:count])


class Shop:
    """Items, their styles and what answers requests about them.

    Args:
        items: Canonical columns with `item_index`.
        style_VD: float32 `[V, D]`.
    """

    def __init__(self, items: pd.DataFrame, style_VD: NDArray[np.float32]) -> None:
        self.frame, self.style_VD = items, style_VD
        num_rows = len(items) + FIRST_ITEM_INDEX
        self._vocabulary = Vocabulary(tuple(f"i{n}" for n in range(len(items))))
        generator = np.random.default_rng(_SEED)
        norm = np.sqrt((style_VD**2).sum(axis=1).mean())
        arrays = {
            "popularity": generator.random((2, num_rows), dtype=np.float32),
            "neighbour_index": np.zeros((num_rows, 1), dtype=np.int32),
            "neighbour_score": np.zeros((num_rows, 1), dtype=np.float32),
            "content_embedding": np.zeros((num_rows, 1), dtype=np.float32),
        }
        style = {"style_embedding": style_VD, "customer_norm": np.array([norm])}
        # Stock as in a shop: nine in ten. Prices with the spread of a shop's.
        stocked = items.assign(
            in_stock=generator.random(len(items)) < 0.9,
            price=generator.gamma(3.0, 12.0, len(items)),
        )
        self._catalogues = {
            has_departments: Catalogue.from_frames(
                stocked if has_departments else stocked.drop(columns="department"),
                vocabulary=self._vocabulary,
                arrays=arrays,
                markets=(_MARKET,),
                style=style,
            )
            for has_departments in (False, True)
        }
        self.heroes = generator.integers(FIRST_ITEM_INDEX, num_rows, _NUM_HEROES)
        self._histories = generator.integers(0, len(items), (_NUM_HEROES, _HISTORY))

    @property
    def catalogue(self) -> Catalogue:
        """The items without departments."""
        return self._catalogues[False]

    @property
    def index(self) -> StyleIndex:
        """The style index that requests search."""
        style = self.catalogue.style
        assert style is not None  # given above
        return style

    def items_of(self, product_type: str) -> NDArray[np.int64]:
        """Returns a type's items, most popular first, in stock or not."""
        code = self.catalogue.product_type_code(product_type)
        return self.catalogue.by_product_type.of(code).astype(np.int64)

    def part(self, size: int) -> "Shop":
        """Returns a shop with a random part of the items."""
        rows = np.sort(np.random.default_rng(_SEED).permutation(len(self.frame))[:size])
        style_VD = np.concatenate([self.style_VD[:FIRST_ITEM_INDEX], self.style_VD[rows + 2]])
        return Shop(_indexed(self.frame.iloc[rows]), style_VD)

    def requests(
        self,
        template: Sequence[str],
        *,
        beam_width: int,
        count: int,
        cut: int,
        departments: bool = False,
        customer_weight: float = 0.2,
    ) -> Callable[[int], list[FoundOutfit]]:
        """Returns what answers request number n: eligible items, search, outfits that differ.

        Stock, market, both price bounds and the customer count, as in the product.
        """
        contract = _contract(beam_width, cut, customer_weight)
        catalogue = self._catalogues[departments]
        style = catalogue.style
        assert style is not None  # given above

        def answer(turn: int) -> list[FoundOutfit]:
            number = turn % _NUM_HEROES
            resolved = self._resolved(catalogue, contract, template, count, number)
            candidates = outfit_template(resolved)
            return generate_outfits(resolved, style, candidates.sets, max_len=50)

        return answer

    def _resolved(
        self,
        catalogue: Catalogue,
        contract: Contract,
        template: Sequence[str],
        count: int,
        turn: int,
    ) -> ResolvedRequest:
        ids = self._vocabulary.item_ids
        request = parse_request(
            {
                "touchpoint": _TOUCHPOINT,
                "hero_item_id": ids[self.heroes[turn] - FIRST_ITEM_INDEX],
                "template": list(template),
                "limit": count,
                "market": _MARKET,
            },
            contract=contract,
            markets=catalogue.markets,
            product_types=catalogue.known_types,
        )
        history = CustomerHistory(
            item_ids=tuple(ids[item] for item in self._histories[turn]),
            event_types=("view",) * _HISTORY,
            timestamps_s=tuple(range(_HISTORY)),
            updated_s=_NOW_S,
        )
        return resolve(
            request,
            rules=contract.of(request.touchpoint),
            catalogue=catalogue,
            vocabulary=self._vocabulary,
            history=known_history(
                history,
                vocabulary=self._vocabulary,
                now_s=_NOW_S,
                ttl_days=contract.history_ttl_days,
            ),
            now_s=_NOW_S,
            max_candidates=contract.max_candidates,
        )


def _contract(beam_width: int, cut: int, customer_weight: float) -> Contract:
    """Returns the default contract with another search."""
    contract = load_contract(default_contract_path()).model_dump(mode="json")
    look = contract["touchpoints"][_TOUCHPOINT]
    lowest, highest = _PRICE_RATIOS
    look["outfit"] |= {"beam_width": beam_width, "candidates_per_slot": cut}
    look["outfit"] |= {"min_price_ratio": lowest, "max_price_ratio": highest}
    look["weights"] |= {"customer": customer_weight, "context": 1.0 - customer_weight}
    return Contract.model_validate_json(json.dumps(contract))
