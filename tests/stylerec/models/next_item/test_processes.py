import numpy as np

from stylerec.models.checkpoint import Checkpoint
from stylerec.models.next_item.processes import ALONE, joined


class TestAlone:
    """What several processes tell each other is tried with real ones in `test_distributed.py`."""

    def test_is_first_and_sums_to_itself(self):
        assert ALONE.is_first
        assert ALONE.summed(1.5, True, 2) == [1.5, 1.0, 2.0]
        ALONE.wait()

    def test_keeps_its_own_checkpoint(self):
        checkpoint = Checkpoint({"weights": np.ones(2)}, {"epoch": 1})
        assert ALONE.shared(checkpoint) is checkpoint
        assert ALONE.shared(None) is None

    def test_is_what_joins_without_torchrun(self, monkeypatch):
        monkeypatch.delenv("WORLD_SIZE", raising=False)
        with joined() as processes:
            assert processes == ALONE
