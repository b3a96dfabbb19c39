import numpy as np
import pandas as pd
import pytest

from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import is_within
from stylerec.errors import ConfigError
from stylerec.evaluation.cold_start import cold_items, evaluate_cold_start, hold_out_items
from stylerec.evaluation.context import evaluation_context

NUM_ITEMS = 20
NUM_CUSTOMERS = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Prepares random customers of 20 items; a 21st is never met, some markets are missing."""
    tables = tmp_path_factory.mktemp("tables")
    generator = np.random.default_rng(0)
    rows = [
        (f"c{customer:02d}", f"i{item:02d}", "GB" if customer % 2 else "DE")
        for customer in range(NUM_CUSTOMERS)
        for item in generator.permutation(NUM_ITEMS)[: generator.integers(1, 12)]
    ]
    pd.DataFrame(rows, columns=["customer_id", "item_id", "market"]).to_parquet(
        tables / "interactions.parquet"
    )
    items = [f"i{n:02d}" for n in range(NUM_ITEMS + 1)]
    pd.DataFrame({"item_id": items, "title": [f"thing {i}" for i in items]}).to_parquet(
        tables / "items.parquet"
    )
    output = tmp_path_factory.mktemp("prepared") / "prepared"
    prepare(tables, output, PrepareConfig(), progress=lambda line: None)
    return output


@pytest.fixture(scope="module")
def derived(folder, tmp_path_factory):
    """Holds out a fourth of the items; returns both data and the items."""
    output = tmp_path_factory.mktemp("derived") / "cold"
    cold = hold_out_items(folder, output, share=0.25, seed=3)
    return PreparedData(folder), PreparedData(output), cold


def _interactions(data, targets):
    """Returns (customer, item, items before it) of each target."""
    histories = data.histories
    return {
        int(customer): (
            int(histories.item_index[place]),
            histories.item_index[histories.offsets[customer] : place].tolist(),
        )
        for customer, place in zip(targets.customer, targets.place, strict=True)
    }


class TestHoldOutItems:
    def test_draws_a_share_of_the_items_that_were_met(self, derived):
        before, _, cold = derived
        assert len(cold) == round(0.25 * NUM_ITEMS) == len(set(cold))
        assert cold.tolist() == sorted(cold)
        assert before.vocabulary.item_index("i20") not in cold

    def test_the_seed_decides(self, folder, tmp_path, derived):
        _, _, cold = derived
        again = hold_out_items(folder, tmp_path / "again", share=0.25, seed=3)
        other = hold_out_items(folder, tmp_path / "other", share=0.25, seed=4)
        assert again.tolist() == cold.tolist() != other.tolist()

    def test_the_items_are_beside_the_data(self, derived):
        _, after, cold = derived
        assert cold_items(after.folder).tolist() == cold.tolist()

    def test_training_never_holds_a_cold_item_and_every_other_one(self, derived):
        before, after, cold = derived

        def trained(data):
            is_trained = is_within(data.histories.lengths, data.split.train_lengths)
            return data.histories.item_index[is_trained]

        assert not np.isin(trained(after), cold).any()
        kept = trained(before)[~np.isin(trained(before), cold)]
        assert trained(after).tolist() == kept.tolist()

    def test_validation_targets_are_the_warm_ones(self, derived):
        before, after, cold = derived
        was = _interactions(before, before.split.validation)
        expected = {
            customer: (item, [i for i in history if i not in cold])
            for customer, (item, history) in was.items()
            if item not in cold
        }
        # A customer of whom nothing warm is left has nothing to predict from.
        expected = {c: (item, history) for c, (item, history) in expected.items() if history}
        assert _interactions(after, after.split.validation) == expected

    def test_test_targets_all_stay_and_their_histories_may_be_cold(self, derived):
        before, after, cold = derived
        was = _interactions(before, before.split.test)
        expected = {
            # The interaction right before the test target is the validation one, which stays.
            customer: (item, [i for i in history[:-1] if i not in cold] + history[-1:])
            for customer, (item, history) in was.items()
        }
        assert _interactions(after, after.split.test) == expected
        assert any(set(history) & set(cold.tolist()) for _, history in expected.values())

    def test_customers_keep_their_rows(self, derived):
        before, after, _ = derived
        pd.testing.assert_frame_equal(after.customers, before.customers)
        assert after.histories.num_customers == before.histories.num_customers
        assert len(after.split.train_lengths) == after.histories.num_customers

    def test_the_summary_counts_what_went(self, derived):
        before, after, _ = derived
        num_dropped = len(before.histories.item_index) - len(after.histories.item_index)
        assert after.summary.dropped["interactions_with_held_out_items"] == num_dropped > 0
        assert after.summary.num_interactions == len(after.histories.item_index)

    def test_the_catalogue_knows_cold_items_by_content_alone(self, derived):
        before, after, cold = derived
        was, arrays = before.catalogue_arrays, after.catalogue_arrays
        np.testing.assert_array_equal(arrays["content_embedding"], was["content_embedding"])
        assert not arrays["popularity"][:, cold].any()
        assert not arrays["neighbour_index"][cold].any()
        assert not np.isin(arrays["neighbour_index"], cold).any()
        item = int(np.setdiff1d(before.histories.item_index, cold)[0])
        left = [i for i in was["neighbour_index"][item] if i and i not in cold]
        assert [i for i in arrays["neighbour_index"][item] if i] == left
        assert arrays["neighbour_score"][item, len(left) :].sum() == 0

    def test_is_complete_prepared_data(self, derived):
        before, after, cold = derived
        assert {p.name for p in after.folder.iterdir()} == {
            p.name for p in before.folder.iterdir()
        } | {"cold_items.npy"}
        context = evaluation_context(after)
        assert not context.train_counts[cold].any()

    @pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 0.01, 0.99])
    def test_refuses_a_share_that_holds_out_none_or_all(self, folder, tmp_path, share):
        with pytest.raises(ConfigError, match=r"cold_start\.share"):
            hold_out_items(folder, tmp_path / "cold", share=share)
        assert not (tmp_path / "cold").exists()

    def test_refuses_to_overwrite_its_input(self, folder):
        with pytest.raises(ConfigError, match="another folder than the prepared data"):
            hold_out_items(folder, folder)


class TestEvaluateColdStart:
    def test_ranks_cold_targets_among_all_items(self, derived):
        _, after, cold = derived
        asked = []

        def scorer(block):
            asked.extend(block.targets.tolist())
            scores = np.zeros((len(block.lengths), after.vocabulary.num_items))
            scores[np.arange(len(block.targets)), block.targets] = 1.0
            # Every warm item is ahead of the target.
            scores[:, 2:][:, ~np.isin(np.arange(2, scores.shape[1]), cold)] += 2.0
            return scores

        metrics = evaluate_cold_start(scorer, after, cold)
        assert set(asked) <= set(cold.tolist())
        is_cold = [
            item in cold and item not in history
            for item, history in _interactions(after, after.split.test).values()
        ]
        assert metrics.num_customers == sum(is_cold) > 0
        # Fewer than ten warm items are left for customers with long histories only.
        assert metrics.hit_rate_at_10 < 1.0

    def test_a_model_of_ids_alone_finds_none(self, derived):
        _, after, cold = derived

        def scorer(block):
            counts = evaluation_context(after).train_counts
            return np.tile(counts.astype(np.float32), (len(block.lengths), 1))

        metrics = evaluate_cold_start(scorer, after, cold, context=evaluation_context(after))
        assert metrics.at[1].hit_rate == 0.0
        assert set(metrics.slices) & {"items_head", "items_tail", "items_cold"} == {"items_cold"}
