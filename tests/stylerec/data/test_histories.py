import numpy as np

from stylerec.data.histories import Histories


def _histories(lengths):
    total = sum(lengths)
    return Histories(
        item_index=np.arange(2, 2 + total, dtype=np.int32),
        event_type=np.ones(total, dtype=np.int8),
        timestamp_s=np.arange(total, dtype=np.int64) + 1_700_000_000,
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )


class TestHistories:
    def test_counts_customers_and_lengths(self):
        histories = _histories([2, 1, 4])
        assert histories.num_customers == 3
        assert histories.lengths.tolist() == [2, 1, 4]

    def test_reloads_equal_as_memory_maps(self, tmp_path):
        histories = _histories([2, 1, 4])
        histories.save(tmp_path / "histories")
        loaded = Histories.load(tmp_path / "histories")
        for name, array in vars(histories).items():
            mapped = getattr(loaded, name)
            assert isinstance(mapped, np.memmap)
            assert mapped.dtype == array.dtype
            np.testing.assert_array_equal(mapped, array)

    def test_no_customers_reload_too(self, tmp_path):
        _histories([]).save(tmp_path)
        loaded = Histories.load(tmp_path)
        assert loaded.num_customers == 0
        assert loaded.item_index.shape == (0,)

    def test_save_brings_arrays_to_their_stored_types(self, tmp_path):
        Histories(*(np.array([0, 1], dtype=np.int64) for _ in range(4))).save(tmp_path)
        loaded = Histories.load(tmp_path)
        assert loaded.item_index.dtype == np.int32
        assert loaded.event_type.dtype == np.int8
