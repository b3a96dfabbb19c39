"""What a run trains on and validates on: places in the memory-mapped histories, no copies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import Split, Targets, training_counts
from stylerec.data.target_weights import target_weights
from stylerec.errors import DataError
from stylerec.models.next_item.batches import Weigh, Windows, training_windows
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.randomness import Stream, generator_of
from stylerec.models.next_item.validation import validation_targets
from stylerec.schema.tensors import NEXT_ITEM


@dataclass(frozen=True)
class Examples:
    """One run's examples.

    Attributes:
        histories: Memory-mapped.
        split: Memory-mapped.
        counts: Training interactions per item, int64 `[V]`.
        windows: 17 bytes per customer with a history of up to `max_len`; an epoch's order takes 8
            more, 40 while it is drawn.
        targets: Validation targets.
        weigh: How much each training target counts; None for all alike.
    """

    histories: Histories
    split: Split
    counts: NDArray[np.int64]
    windows: Windows
    targets: Targets
    weigh: Weigh | None = None

    @property
    def num_targets(self) -> int:
        """Interactions predicted per epoch."""
        return int(self.windows.num_targets.sum())

    @property
    def num_tokens(self) -> int:
        """Interactions read per epoch."""
        return int((self.windows.length - 1).sum())

    @property
    def num_pairs(self) -> int:
        """Pairs of an interaction and one that it may look at, per epoch; itself counts."""
        read = self.windows.length - 1
        return int((read * (read + 1) // 2).sum())


def read_examples(data: PreparedData, config: NextItemConfig, *, num_items: int) -> Examples:
    """Returns the examples of a run.

    Args:
        data: Prepared data.
        config: Chooses the windows and the targets.
        num_items: V.

    Raises:
        DataError: Nothing to train on, or nobody to validate on.
        ConfigError: The weights of targets do not suit the data.
    """
    histories, split = data.histories, data.split
    examples = Examples(
        histories=histories,
        split=split,
        counts=training_counts(histories, split, num_items=num_items),
        windows=training_windows(histories, split, max_len=config.max_len),
        targets=validation_targets(
            histories,
            split.validation,
            max_customers=config.max_validation_customers,
            generator=generator_of(config.seed, Stream.VALIDATION),
        ),
        weigh=target_weights(
            data,
            model=NEXT_ITEM,
            event_weights=config.event_weights,
            use_propensity=config.use_propensity,
            min_propensity=config.min_propensity,
        ),
    )
    if not len(examples.targets) or not examples.counts.any():
        raise DataError(
            "histories",
            expected="customers with three interactions, the last but one with a new item",
            got=f"none among {histories.num_customers} customers",
            fix="prepare a longer interaction log",
        )
    return examples
