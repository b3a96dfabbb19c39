from datetime import date

import numpy as np
import pytest

from stylerec.data.synthetic.assortment import (
    COLOURS,
    DEPARTMENTS,
    METALS,
    MISSIONS,
    OUTFIT_TEMPLATES,
    PATTERNS,
    PRODUCT_TYPES,
    TYPE_INDEX,
    TYPE_NAMES,
)
from stylerec.data.synthetic.catalogue import NEVER_S, NUM_AESTHETICS, NUM_TYPES, end_s
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.wording import AESTHETICS, BRANDS
from stylerec.schema.tensors import MAX_OUTFIT_SLOTS


class TestAssortment:
    def test_missions_and_templates_name_types_their_department_sells(self):
        for number, department in enumerate(DEPARTMENTS):
            sold = {kind.name for kind in PRODUCT_TYPES if department in kind.departments}
            for mission in MISSIONS:
                assert set(mission.recipes[number]) <= sold
            for hero, templates in OUTFIT_TEMPLATES[department].items():
                assert {hero, *(name for template in templates for name in template)} <= sold

    def test_templates_fit_into_the_outfit_model(self):
        for templates in OUTFIT_TEMPLATES.values():
            for hero, options in templates.items():
                for template in options:
                    assert len({hero, *template}) == 1 + len(template) <= 1 + MAX_OUTFIT_SLOTS

    def test_aesthetics_name_known_colours_and_patterns(self):
        for look in AESTHETICS:
            assert set(look.colours) <= set(COLOURS) - set(METALS)
            assert set(look.patterns) <= set(PATTERNS)


class TestEnd:
    def test_is_the_start_of_the_day_in_utc(self):
        assert end_s(SyntheticConfig(end=date(1970, 1, 3))) == 2 * 86_400


class TestDrawCatalogue:
    def test_has_as_many_items_as_asked(self, catalogue, config):
        assert catalogue.num_items == config.num_items

    def test_pools_and_cells_are_contiguous(self, catalogue):
        pool = catalogue.department * NUM_TYPES + catalogue.product_type
        cell = pool * NUM_AESTHETICS + catalogue.aesthetic
        for number in np.unique(pool):
            start, stop = catalogue.pool_start[number : number + 2]
            assert (pool[start:stop] == number).all()
            assert stop - start == (pool == number).sum() >= 2
        for number in np.unique(cell):
            start, stop = catalogue.cell_start[number : number + 2]
            assert (cell[start:stop] == number).all()

    def test_every_type_is_sold_in_its_departments_only(self, catalogue):
        sold = {
            (DEPARTMENTS[department], TYPE_NAMES[kind])
            for department, kind in zip(catalogue.department, catalogue.product_type, strict=True)
        }
        assert sold == {(name, kind.name) for kind in PRODUCT_TYPES for name in kind.departments}

    def test_metal_is_for_jewellery_only(self, catalogue):
        is_metal = np.isin(catalogue.colour, [list(COLOURS).index(name) for name in METALS])
        np.testing.assert_array_equal(is_metal, catalogue.product_type == TYPE_INDEX["jewellery"])

    def test_brand_serves_the_department(self, catalogue, world):
        assert world.brand_departments[catalogue.brand, catalogue.department].all()
        assert len(np.unique(catalogue.brand)) > 0.9 * len(BRANDS)

    def test_sale_price_is_lower(self, catalogue):
        assert (catalogue.sale_price < catalogue.price).all()

    def test_price_changes_when_the_sale_begins(self, catalogue):
        item = np.flatnonzero(catalogue.sale_from_s < NEVER_S)[:1]
        begin = catalogue.sale_from_s[item]
        assert catalogue.price_at(item, begin - 1) == catalogue.price[item]
        assert catalogue.price_at(item, begin) == catalogue.sale_price[item]

    def test_nothing_is_launched_after_the_end_or_sold_out_before_its_launch(
        self, catalogue, config
    ):
        assert (catalogue.launch_s < end_s(config)).all()
        assert (catalogue.sold_out_s > catalogue.launch_s).all()

    def test_first_market_sells_everything_and_the_others_most(self, catalogue):
        assert catalogue.is_sold_in[:, 0].all()
        assert 0.7 < catalogue.is_sold_in[:, 1:].mean() < 0.95

    def test_neighbours_are_the_nearest_of_the_pool(self, catalogue):
        item = 5
        pool = catalogue.department * NUM_TYPES + catalogue.product_type
        others = np.flatnonzero((pool == pool[item]) & (np.arange(len(pool)) != item))
        closeness = catalogue.style[others] @ catalogue.style[item]
        best = catalogue.style[catalogue.neighbour[item, 0]] @ catalogue.style[item]
        assert best == closeness.max()

    def test_item_numbers_follow_the_launches(self, catalogue):
        order = np.argsort(catalogue.item_number)
        assert (np.diff(catalogue.launch_s[order]) >= 0).all()

    def test_popularity_has_a_long_tail(self, catalogue):
        top = np.sort(catalogue.appeal)[::-1][: catalogue.num_items // 10]
        assert top.sum() > 0.25 * catalogue.appeal.sum()

    def test_style_follows_the_aesthetic(self, catalogue, world):
        nearest = (catalogue.style @ world.aesthetic.T).argmax(axis=1)
        assert (nearest == catalogue.aesthetic).mean() == pytest.approx(0.9, abs=0.1)
