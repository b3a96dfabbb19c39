from datetime import timedelta

import pandas as pd

from stylerec.data.tables import read_tables
from stylerec.data.time_shift import shift_times


class TestShiftTimes:
    def test_keeps_every_gap(self, frames, save, now):
        frames["items"]["first_seen"] = [now - timedelta(days=9), None, now]
        folder = save(frames)
        before = read_tables(folder)
        later = now + timedelta(days=1000)
        span = shift_times(folder, newest=later)
        after = read_tables(folder)
        assert span == later - (now - timedelta(hours=1))
        assert before.interactions is not None
        assert after.interactions is not None
        assert after.interactions["timestamp"].max() == later
        assert (after.interactions["timestamp"] - before.interactions["timestamp"] == span).all()
        moved = after.items["first_seen"] - before.items["first_seen"]
        assert moved.tolist() == [span, pd.NaT, span]

    def test_is_none_without_timestamps(self, frames, save, now):
        del frames["interactions"]["timestamp"]
        folder = save(frames)
        before = (folder / "interactions.parquet").read_bytes()
        assert shift_times(folder, newest=now) is None
        assert (folder / "interactions.parquet").read_bytes() == before

    def test_is_none_without_interactions(self, frames, save, now):
        del frames["interactions"]
        assert shift_times(save(frames), newest=now) is None
