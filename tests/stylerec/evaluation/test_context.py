import numpy as np
import pandas as pd
import pytest

from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.evaluation.context import evaluation_context


@pytest.fixture
def prepared_tables(tmp_path):
    """Prepares an interactions and an items table."""

    def run(interactions, items):
        tables = tmp_path / "tables"
        tables.mkdir()
        pd.DataFrame(interactions).to_parquet(tables / "interactions.parquet")
        pd.DataFrame(items).to_parquet(tables / "items.parquet")
        prepare(tables, tmp_path / "prepared", PrepareConfig(), progress=lambda line: None)
        return PreparedData(tmp_path / "prepared")

    return run


class TestEvaluationContext:
    def test_counts_training_and_names_groups(self, prepared_tables):
        data = prepared_tables(
            {
                "customer_id": ["ann"] * 4 + ["bob"],
                "item_id": ["a", "b", "a", "c", "b"],
                "market": ["GB"] * 4 + [None],
            },
            {"item_id": ["a", "b", "c"], "department": ["men", None, "women"]},
        )
        context = evaluation_context(data)
        index = {item: data.vocabulary.item_index(item) for item in "abc"}
        # Ann's last two are held out; Bob only trains.
        assert context.train_lengths.tolist() == [2, 1]
        assert {item: context.train_counts[i] for item, i in index.items()} == {
            "a": 1,
            "b": 1 + 1,
            "c": 0,
        }
        assert context.departments[context.department[index["a"]]] == "men"
        assert context.departments[context.department[index["c"]]] == "women"
        assert context.department[index["b"]] < 0
        assert context.markets == ("GB",)
        assert [code >= 0 for code in context.market] == [True, False]

    def test_has_no_groups_where_the_tables_name_none(self, prepared_tables):
        data = prepared_tables(
            {"customer_id": ["ann"] * 3, "item_id": ["a", "b", "c"]}, {"item_id": ["a", "b", "c"]}
        )
        context = evaluation_context(data)
        assert context.markets == context.departments == ()
        assert np.all(context.market < 0)
        assert np.all(context.department < 0)
