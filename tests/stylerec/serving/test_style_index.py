import numpy as np
import pytest

from stylerec.serving.style_index import StyleIndex, best_places, dot_products

NUM_ITEMS, DIM = 24, 6


@pytest.fixture
def style() -> np.ndarray:
    table = np.random.default_rng(0).standard_normal((NUM_ITEMS + 2, DIM)).astype(np.float32)
    table[:2] = 0
    return table


def index_of(style: np.ndarray) -> StyleIndex:
    order = np.array([*range(18, 26), *range(2, 18)], dtype=np.int32)
    return StyleIndex.build(style, order, customer_norm=2.0)


class TestStyleIndex:
    def test_finds_rows_whatever_their_order(self, style) -> None:
        items = np.array([5, 0, 25, 1, 10])
        np.testing.assert_array_equal(index_of(style).rows(items), style[items])

    def test_a_customers_style_is_as_long_as_an_items(self, style) -> None:
        history = np.array([0, 0, 5, 8, 8])
        hero, customer = index_of(style).start(7, history, customer_weight=0.4)
        np.testing.assert_array_equal(hero, style[7])
        mean = style[[5, 8, 8]].mean(axis=0)
        np.testing.assert_allclose(customer, 0.4 * 2.0 * mean / np.linalg.norm(mean), rtol=1e-5)

    @pytest.mark.parametrize(("history", "weight"), [([], 1.0), ([0, 1], 1.0), ([5, 8], 0.0)])
    def test_neither_weight_0_nor_an_empty_history_counts(self, style, history, weight) -> None:
        items = np.array(history, dtype=np.int64)
        _, customer = index_of(style).start(7, items, customer_weight=weight)
        assert not customer.any()

    @pytest.mark.parametrize("items", [[18, 19, 20], [19, 23], [18, 17], [4]])
    def test_a_slot_holds_its_items_and_no_other(self, style, items) -> None:
        slot = index_of(style).slot(np.array(items))
        is_open = slot.penalty_C == 0
        assert slot.items_C[is_open].tolist() == items
        assert (slot.penalty_C[~is_open] == -np.inf).all()
        np.testing.assert_array_equal(slot.rows_CD[is_open], style[items])

    def test_a_sparse_slot_is_gathered(self, style) -> None:
        assert len(index_of(style).slot(np.array([18, 17])).items_C) == 2

    def test_the_nearest_items_stay(self, style) -> None:
        slot = index_of(style).slot(np.arange(2, 10)).nearest(style[25], 3)
        expected = sorted(range(2, 10), key=lambda item: -style[25] @ style[item])[:3]
        assert set(slot.items_C) == set(expected)


class TestDotProducts:
    @pytest.mark.parametrize("num_queries", [1, 3, 20])
    @pytest.mark.parametrize("num_rows", [0, 5, 512, 1_300])
    def test_are_those_of_a_matrix_product(self, num_queries, num_rows) -> None:
        generator = np.random.default_rng(2)
        rows = generator.standard_normal((num_rows, DIM)).astype(np.float32)
        queries = generator.standard_normal((num_queries, DIM)).astype(np.float32)
        found = dot_products(rows, queries)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, queries @ rows.T, rtol=1e-5, atol=1e-5)


class TestBestPlaces:
    @pytest.mark.parametrize("count", [1, 3, 40, 5_000])
    def test_are_those_of_a_stable_sort(self, count) -> None:
        scores = np.random.default_rng(1).integers(0, 60, 2_000).astype(np.float32)
        scores[::7] = -np.inf
        expected = np.argsort(-scores, kind="stable")[:count]
        expected = expected[scores[expected] > -np.inf]
        assert best_places(scores, count).tolist() == expected.tolist()
