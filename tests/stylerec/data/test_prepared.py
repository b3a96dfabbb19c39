import numpy as np
import pandas as pd
import pytest

from stylerec.data.histories import Histories
from stylerec.data.prepared import DatasetSummary, PreparedData
from stylerec.features.content import build_item_features
from stylerec.features.vocabulary import Vocabulary

SUMMARY = DatasetSummary(
    num_customers=1,
    num_items=2,
    num_interactions=2,
    num_outfits=0,
    has_timestamps=True,
    has_event_types=True,
    has_outfits=False,
    has_images=False,
    has_prices=True,
    markets=("DE", "GB"),
    latest_timestamp_s=1_700_000_000,
    dropped={"interactions_with_unknown_items": 3},
    omitted={"outfit": "there is no outfit"},
)


@pytest.fixture
def written(tmp_path):
    """Returns a function that writes a small prepared folder with extra parts."""

    def write(**extra):
        items = pd.DataFrame({"item_index": [2, 3], "item_id": ["a", "b"], "price": [1.0, None]})
        vocabulary = Vocabulary(
            ("a", "b"),
            dict.fromkeys(("brand", "category", "product_type", "department", "colour"), ()),
        )
        prepared = PreparedData(tmp_path / "prepared")
        prepared.write(
            summary=SUMMARY,
            vocabulary=vocabulary,
            items=items,
            item_features=build_item_features(items, vocabulary, None),
            histories=Histories(
                np.array([2, 3], np.int32),
                np.array([1, 4], np.int8),
                np.array([5, 6], np.int64),
                np.array([0, 2], np.int64),
            ),
            customers=pd.DataFrame({"customer_id": ["c"], "market": ["GB"]}),
            # A transposed array must not be written in the order of its memory.
            catalogue_arrays={"popularity": np.arange(8, dtype=np.float32).reshape(4, 2).T},
            **extra,
        )
        return prepared

    return write


class TestPreparedData:
    def test_reads_what_it_wrote(self, written):
        prepared = written()
        assert prepared.summary == SUMMARY
        assert prepared.vocabulary.item_ids == ("a", "b")
        assert prepared.items.item_index.tolist() == [2, 3]
        assert prepared.histories.lengths.tolist() == [2]
        assert prepared.customers.market.tolist() == ["GB"]
        assert prepared.item_features.text_tokens.shape[0] == 4
        np.testing.assert_array_equal(
            prepared.catalogue_arrays["popularity"], [[0, 2, 4, 6], [1, 3, 5, 7]]
        )

    def test_optional_parts_are_empty_when_absent(self, written):
        prepared = written()
        assert prepared.images is None
        assert prepared.outfits.empty
        assert list(prepared.outfits.columns) == ["outfit_id", "item_index", "is_hero"]

    def test_optional_parts_are_read_back(self, written):
        outfits = pd.DataFrame({"outfit_id": ["o"], "item_index": [2], "is_hero": [True]})
        images = np.full((4, 64, 64, 3), 7, np.uint8)
        prepared = written(outfits=outfits, images=images)
        pd.testing.assert_frame_equal(prepared.outfits, outfits)
        np.testing.assert_array_equal(prepared.images, images)

    def test_a_failed_write_leaves_no_summary(self, written, monkeypatch, tmp_path):
        def fail(*_, **__):
            raise OSError("disk full")

        monkeypatch.setattr(np, "save", fail)
        with pytest.raises(OSError, match="disk full"):
            written(images=np.zeros((4, 64, 64, 3), np.uint8))
        assert (tmp_path / "prepared" / "items.parquet").exists()
        assert not (tmp_path / "prepared" / "dataset.json").exists()


class TestDatasetSummary:
    def test_reloads_equal(self):
        assert DatasetSummary.model_validate_json(SUMMARY.model_dump_json()) == SUMMARY

    def test_refuses_unknown_fields(self):
        with pytest.raises(ValueError, match="extra"):
            DatasetSummary.model_validate({**SUMMARY.model_dump(), "extra": 1})
