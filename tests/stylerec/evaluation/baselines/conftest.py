from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from stylerec.data.histories import Histories
from stylerec.data.splits import leave_one_out
from stylerec.evaluation.blocks import Block
from stylerec.features.vocabulary import Vocabulary


@pytest.fixture(scope="session")
def prepared():
    """Returns the parts of prepared data that baselines read, from lists of item indices."""

    def build(*customers, num_items, times=None, split=None, items=None):
        flat = [item for history in customers for item in history]
        histories = Histories(
            item_index=np.array(flat, np.int32),
            event_type=np.full(len(flat), 4, np.int8),
            timestamp_s=np.array(times if times else [0] * len(flat), np.int64),
            offsets=np.concatenate([[0], np.cumsum([len(h) for h in customers])]).astype(np.int64),
        )
        return SimpleNamespace(
            histories=histories,
            split=leave_one_out(histories) if split is None else split(histories),
            vocabulary=Vocabulary(tuple(f"i{n:05d}" for n in range(num_items - 2))),
            items=pd.DataFrame({"title": [None] * (num_items - 2)}) if items is None else items,
        )

    return build


@pytest.fixture(scope="session")
def block():
    """Returns a block of customers with the given histories."""

    def build(*histories, as_of_s=0):
        return Block(
            item_index=np.array([item for history in histories for item in history]),
            event_type=np.ones(sum(map(len, histories)), int),
            timestamp_s=np.zeros(sum(map(len, histories)), int),
            lengths=np.array([len(history) for history in histories]),
            targets=np.full(len(histories), 2),
            as_of_s=np.broadcast_to(as_of_s, len(histories)),
        )

    return build
