"""Every random draw of training as a function of the seed and of where it is made.

So a run that goes on from a checkpoint draws what it would have drawn without the interruption, and
processes that train together agree on what they share.
"""

from enum import IntEnum

import numpy as np
import torch


class Stream(IntEnum):
    """What is drawn."""

    WEIGHTS = 0
    VALIDATION = 1
    ORDER = 2
    NEGATIVES = 3
    DROPOUT = 4


def derived_seed(seed: int, stream: Stream, *numbers: int) -> int:
    """Returns a seed for one purpose, unlike those of other purposes and numbers."""
    sequence = np.random.SeedSequence((seed, stream, *numbers))
    return int(sequence.generate_state(1, np.uint32)[0])


def generator_of(seed: int, stream: Stream, *numbers: int) -> torch.Generator:
    """Returns a new generator on the CPU for one purpose."""
    return torch.Generator().manual_seed(derived_seed(seed, stream, *numbers))
