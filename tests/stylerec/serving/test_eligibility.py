from dataclasses import replace

import numpy as np
import pytest

from stylerec.serving.catalogue import Catalogue
from stylerec.serving.eligibility import Eligibility


def eligibility(catalogue: Catalogue, **options: object) -> Eligibility:
    excluded = np.zeros(catalogue.num_items, dtype=np.bool_)
    return Eligibility(catalogue, is_excluded=excluded, **options)


class TestMask:
    def test_keeps_what_passes_every_filter(self, shop) -> None:
        catalogue = shop.catalogue(
            in_stock={"dress-0": False}, markets={"dress-1": ["US"]}, price={"dress-2": 90.0}
        )
        eligible = eligibility(catalogue, market_row=1, max_price=50.0).without(
            np.array([shop.index("dress-3")])
        )
        dresses = np.array(shop.indices(*(f"dress-{n}" for n in range(5))))
        assert eligible.mask(dresses).tolist() == [False, False, False, False, True]
        assert {name: kept.tolist() for name, kept in eligible.tests(dresses).items()} == {
            "excluded": [True, True, True, False, True],
            "out_of_stock": [False, True, True, True, True],
            "not_in_market": [True, False, True, True, True],
            "too_dear": [True, True, False, True, True],
        }

    def test_a_price_bound_passes_everything_without_prices(self, shop) -> None:
        catalogue = shop.catalogue(drop=["price", "sale_price"])
        assert eligibility(catalogue, max_price=1.0).mask(np.arange(2, 66)).all()

    def test_an_item_without_a_price_is_too_dear_where_others_have_one(self, shop) -> None:
        catalogue = shop.catalogue(price={"dress-0": None})
        eligible = eligibility(catalogue, max_price=1_000.0)
        assert eligible.mask(np.array(shop.indices("dress-0", "dress-1"))).tolist() == [False, True]

    def test_keeps_departments_and_product_types(self, shop) -> None:
        catalogue = shop.catalogue()
        women = np.array([name == "women" for name in catalogue.departments])
        heels = np.array([name == "heels" for name in catalogue.product_types])
        eligible = replace(eligibility(catalogue), departments=women, product_types=heels)
        items = np.array(shop.indices("heels-0", "dress-0", "boots-0"))
        assert eligible.mask(items).tolist() == [True, False, False]


class TestBelow:
    @pytest.mark.parametrize(("own", "bound"), [(None, 30.0), (50.0, 30.0), (20.0, 20.0)])
    def test_takes_the_lower_bound(self, shop, own: float | None, bound: float) -> None:
        assert eligibility(shop.catalogue(), max_price=own).below(30.0).max_price == bound


class TestFirst:
    def test_reads_no_further_than_needed(self, shop) -> None:
        found = eligibility(shop.catalogue()).first(np.arange(2, 66, dtype=np.int32), 3)
        assert found.tolist() == [2, 3, 4]
        assert found.dtype == np.int64

    def test_of_nothing_is_nothing(self, shop) -> None:
        assert eligibility(shop.catalogue()).first(np.zeros(0, dtype=np.int32), 3).tolist() == []


class TestGather:
    def test_reads_one_step_if_it_is_enough(self, shop) -> None:
        def steps():
            yield np.array([2, 3, 4])
            raise AssertionError("read too far")

        found, num_matching = eligibility(shop.catalogue()).gather(steps(), cap=3, minimum=3)
        assert (found.tolist(), num_matching) == ([2, 3, 4], 3)

    def test_fills_up_to_the_minimum_without_repeats(self, shop) -> None:
        steps = iter([np.array([2, 3]), np.array([3, 4]), np.array([2, 5, 6, 7])])
        found, num_matching = eligibility(shop.catalogue()).gather(steps, cap=9, minimum=5)
        assert (found.tolist(), num_matching) == ([2, 3, 4, 5, 6], 2)

    def test_leaves_a_choice_where_the_rule_finds_nothing(self, shop) -> None:
        steps = iter([np.zeros(0, dtype=np.int32), np.arange(2, 66)])
        found, num_matching = eligibility(shop.catalogue()).gather(steps, cap=20, minimum=5)
        assert (len(found), num_matching) == (20, 0)
