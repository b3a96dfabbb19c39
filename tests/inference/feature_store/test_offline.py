from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from inference.feature_store.offline import (
    HISTORY_SCHEMA,
    history_blocks,
    item_table,
    log_end,
    prepared_at,
)
from stylerec.data.histories import Histories
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.events import EVENT_CODES
from stylerec.schema.features import MAX_STORED_HISTORY

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
EVENTS = list(EVENT_CODES)
interactions = st.tuples(st.integers(0, 6), st.integers(1, 4), st.integers(0, 1_000))


def prepared_of(histories: list[list[tuple[int, int, int]]]) -> SimpleNamespace:
    """Interactions are (item index, event code, timestamp); index 0 and 1 name no item."""
    rows = [row for history in histories for row in history]
    item, event, time = zip(*rows, strict=True) if rows else ((), (), ())
    return SimpleNamespace(
        histories=Histories(
            np.array(item, np.int32),
            np.array(event, np.int8),
            np.array(time, np.int64),
            np.cumsum([0, *(len(history) for history in histories)]),
        ),
        customers=pd.DataFrame({"customer_id": [f"c{n}" for n in range(len(histories))]}),
        vocabulary=Vocabulary(tuple(f"i{index}" for index in range(2, 7))),
    )


def rows_of(prepared: SimpleNamespace, *, block: int) -> list[dict]:
    blocks = list(history_blocks(prepared, as_of=AS_OF, now_s=9_999.0, block=block))
    return pa.concat_tables(blocks).to_pylist() if blocks else []


class TestHistoryBlocks:
    def test_holds_strings_oldest_first(self):
        history = [(2, EVENT_CODES["view"], 100), (4, EVENT_CODES["purchase"], 200)]
        assert rows_of(prepared_of([history]), block=10) == [
            {
                "customer_id": "c0",
                "item_ids": ["i2", "i4"],
                "event_types": ["view", "purchase"],
                "timestamps_s": [100, 200],
                "updated_s": 200.0,
                "event_timestamp": AS_OF,
            }
        ]

    def test_keeps_the_newest(self):
        history = [(2 + n % 5, 1, n) for n in range(1, MAX_STORED_HISTORY + 4)]
        (row,) = rows_of(prepared_of([history]), block=10)
        assert row["timestamps_s"] == list(range(4, MAX_STORED_HISTORY + 4))

    def test_is_updated_now_when_the_log_has_no_times(self):
        (row,) = rows_of(prepared_of([[(2, 4, 0), (3, 4, 0)]]), block=10)
        assert row["updated_s"] == 9_999.0
        assert row["timestamps_s"] == [0, 0]

    def test_leaves_out_customers_without_a_known_item(self):
        rows = rows_of(prepared_of([[(1, 1, 5)], [], [(2, 1, 6)]]), block=1)
        assert [row["customer_id"] for row in rows] == ["c2"]

    @given(st.lists(st.lists(interactions, max_size=8), max_size=7), st.integers(1, 4))
    def test_equals_the_plain_loop_whatever_the_block(self, histories, block):
        expected = []
        for number, history in enumerate(histories):
            known = [row for row in history if row[0] >= 2]
            if known:
                newest = max(row[2] for row in known)
                expected.append(
                    {
                        "customer_id": f"c{number}",
                        "item_ids": [f"i{row[0]}" for row in known],
                        "event_types": [EVENTS[row[1] - 1] for row in known],
                        "timestamps_s": [row[2] for row in known],
                        "updated_s": float(newest) if newest else 9_999.0,
                        "event_timestamp": AS_OF,
                    }
                )
        assert rows_of(prepared_of(histories), block=block) == expected

    def test_yields_no_more_customers_than_the_block(self):
        prepared = prepared_of([[(2, 1, 1)]] * 5)
        blocks = list(history_blocks(prepared, as_of=AS_OF, now_s=0.0, block=2))
        assert [block.num_rows for block in blocks] == [2, 2, 1]
        assert all(block.schema == HISTORY_SCHEMA for block in blocks)


class TestItemTable:
    def test_fills_what_the_retailer_lacks_with_null(self, prepare):
        rows = item_table(prepare({"c1": [(0, "view", 1)]}), as_of=AS_OF).to_pylist()
        assert rows[1] == {
            "item_id": "i1",
            "category": "category 1",
            "product_type": "type 1",
            "department": None,
            "price": 10.0 + 1,
            "sale_price": None,
            "in_stock": True,
            "event_timestamp": AS_OF,
        }


class TestLogEnd:
    def test_is_the_newest_timestamp(self, prepare):
        prepared = prepare({"c1": [(0, "view", 1)]}, log_end_s=1_700_000_000)
        assert log_end(prepared).timestamp() == 1_700_000_000

    def test_is_when_it_was_prepared_when_the_log_has_no_times(self, prepare):
        prepared = prepare({"c1": [(0, "view", 0)]}, has_timestamps=False)
        assert log_end(prepared) == prepared_at(prepared)
