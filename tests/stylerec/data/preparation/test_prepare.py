import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stylerec.data.importing import import_tables
from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.errors import DataError
from stylerec.schema.events import EVENT_CODES

VIEW, PURCHASE = EVENT_CODES["view"], EVENT_CODES["purchase"]


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _history(prepared, customer):
    """Returns a customer's item ids, event codes and times."""
    row = prepared.customers.customer_id.tolist().index(customer)
    histories, vocabulary = prepared.histories, prepared.vocabulary
    start, end = histories.offsets[row : row + 2]
    return (
        [vocabulary.item_id(int(i)) for i in histories.item_index[start:end]],
        histories.event_type[start:end].tolist(),
        histories.timestamp_s[start:end].tolist(),
    )


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
class TestPrepare:
    def test_histories_are_in_time_order_with_ties_in_file_order(self, prepared, retailer, suffix):
        result = prepared(retailer, suffix)
        noon = 1_772_366_400
        items, events, times = _history(result, "ann")
        assert items == ["a", "b", "a"]
        assert events == [VIEW, PURCHASE, PURCHASE]
        assert times == [noon + 1 * 3600, noon + 2 * 3600, noon + 2 * 3600]
        assert _history(result, "bob")[0] == ["a", "b", "c"]

    def test_summary_counts_and_says_what_was_left_out(self, prepared, retailer, suffix):
        summary = prepared(retailer, suffix).summary
        assert summary.num_customers == 2
        assert summary.num_items == 4
        assert summary.num_interactions == 3 + 3
        assert summary.num_outfits == 2
        assert summary.markets == ("DE", "FR", "GB")
        assert summary.latest_timestamp_s == 1_772_366_400 + 5 * 3600
        assert summary.dropped == {
            "interactions_with_repeated_event_id": 1,
            "interactions_with_unknown_items": 1,
            "pictures_missing": 1,
            "pictures_corrupt": 1,
            "outfit_rows_with_unknown_items": 1,
            "outfits_with_fewer_than_two_items": 1,
        }
        assert summary.omitted == {"position_bias": "there is no impressions table"}

    def test_every_array_has_a_row_per_item(self, prepared, retailer, suffix):
        result = prepared(retailer, suffix)
        rows = result.vocabulary.num_items
        assert rows == 2 + 4
        arrays = result.catalogue_arrays
        assert arrays["popularity"].shape == (1 + 3, rows)
        assert arrays["neighbour_index"].shape == arrays["neighbour_score"].shape == (rows, 50)
        assert arrays["content_embedding"].shape[0] == rows
        assert result.images.shape == (rows, 64, 64, 3)
        assert {len(array) for array in vars(result.item_features).values()} == {rows}
        assert result.items.item_index.tolist() == [2, 3, 4, 5]
        assert result.items.item_id.tolist() == ["a", "b", "c", "cold"]
        assert result.items.in_stock.tolist() == [False, True, True, True]

    def test_popularity_counts_customers(self, prepared, retailer, suffix):
        popularity = prepared(retailer, suffix).catalogue_arrays["popularity"]
        # Items a, b, c, cold; a and b were met by both customers.
        assert popularity[0, 2:].tolist() == [2, 2, 1, 0]
        assert popularity[1, 2:].tolist() == [1, 1, 0, 0]
        assert popularity[2].tolist() == popularity[0].tolist()
        assert popularity[3, 2:].tolist() == [1, 1, 1, 0]

    def test_neighbours_were_bought_together(self, prepared, retailer, suffix):
        arrays = prepared(retailer, suffix, neighbour_shrinkage=1.0).catalogue_arrays
        # Bought: ann a and b, bob b and c; so b with a and with c, a and c never.
        assert arrays["neighbour_index"][2, :2].tolist() == [3, 0]
        assert arrays["neighbour_index"][3, :3].tolist() == [2, 4, 0]
        assert arrays["neighbour_score"][2, 0] == pytest.approx(1 / (np.sqrt(1 * 2) + 1))
        assert not arrays["neighbour_index"][5].any()

    def test_both_formats_give_the_same_bytes(self, prepared, retailer, suffix):
        first = _hashes(prepared(retailer, suffix).folder)
        assert _hashes(prepared(retailer, suffix).folder) == first
        other = ".csv" if suffix == ".parquet" else ".parquet"
        assert _hashes(prepared(retailer, other).folder) == first


class TestPrepareWithMissingPieces:
    def test_no_event_types_count_as_purchases(self, prepared, retailer):
        retailer["interactions"] = retailer["interactions"].drop(columns="event_type")
        result = prepared(retailer)
        assert set(result.histories.event_type) == {PURCHASE}
        assert "purchase" in result.summary.omitted["event_types"]
        assert not result.summary.has_event_types

    def test_no_timestamps_keep_the_file_order(self, prepared, retailer):
        retailer["interactions"] = retailer["interactions"].drop(columns="timestamp")
        result = prepared(retailer)
        assert _history(result, "ann") == (["a", "b", "a"], [VIEW, PURCHASE, PURCHASE], [0, 0, 0])
        assert result.summary.latest_timestamp_s == 0
        assert "time_gaps" in result.summary.omitted

    def test_no_purchases_take_what_was_met_together(self, prepared, retailer):
        retailer["interactions"]["event_type"] = "view"
        arrays = prepared(retailer).catalogue_arrays
        assert sorted(arrays["neighbour_index"][2, :2]) == [3, 4]

    def test_items_of_nothing_but_ids_are_enough(self, prepared, retailer):
        bare = {
            "interactions": retailer["interactions"][["customer_id", "item_id"]],
            "items": retailer["items"][["item_id"]],
        }
        result = prepared(bare)
        assert set(result.summary.omitted) == {
            "outfit",
            "event_types",
            "time_gaps",
            "markets",
            "prices",
            "pictures",
            "content",
            "position_bias",
        }
        assert result.images is None
        assert result.outfits.empty
        assert result.customers.market.tolist() == ["", ""]
        assert result.items.in_stock.all()

    def test_outfits_alone_are_enough(self, prepared, retailer):
        del retailer["interactions"]
        result = prepared(retailer)
        summary = result.summary
        assert summary.num_customers == 0
        assert {"ranking", "next_item", "event_types", "time_gaps"} <= set(summary.omitted)
        assert result.histories.num_customers == 0
        assert list(result.customers.columns) == ["customer_id", "market"]
        # Items a, b, c, cold: a once, b once, c in both outfits.
        assert result.catalogue_arrays["popularity"][0, 2:].tolist() == [1, 1, 2, 0]
        assert result.catalogue_arrays["neighbour_index"][2, 0] == 4

    def test_long_histories_keep_the_newest(self, prepared, retailer):
        rows = pd.DataFrame({"customer_id": "c", "item_id": list("abcabcabc")})
        result = prepared({**retailer, "interactions": rows}, max_history_len=4)
        assert _history(result, "c")[0] == ["c", "a", "b", "c"]
        assert result.summary.dropped["interactions_beyond_max_history_len"] == 9 - 4

    def test_popularity_is_of_recent_days(self, prepared, retailer):
        retailer["interactions"].loc[0, "timestamp"] -= pd.Timedelta(days=400)
        popularity = prepared(retailer).catalogue_arrays["popularity"]
        assert popularity[0, 2] == 1

    def test_a_bad_row_is_counted_not_fatal(self, prepared, retailer):
        retailer["interactions"]["event_type"] = ["wink"] + ["view"] * 7
        retailer["interactions"].loc[1, "timestamp"] = pd.NaT
        dropped = prepared(retailer).summary.dropped
        assert dropped["interactions_with_unknown_event_type"] == 1
        assert dropped["interactions_without_timestamp"] == 1


class TestPrepareRefuses:
    @pytest.fixture
    def run(self, tmp_path, tables):
        output = tmp_path / "out"
        return lambda frames: prepare(
            tables(frames), output, PrepareConfig(), progress=lambda line: None
        )

    def test_a_folder_without_items(self, run, retailer):
        del retailer["items"]
        with pytest.raises(DataError, match="items table"):
            run(retailer)

    def test_a_folder_without_interactions_and_outfits(self, run, retailer):
        with pytest.raises(DataError, match="got neither"):
            run({"items": retailer["items"]})

    def test_interactions_with_unknown_items_only(self, run, retailer):
        retailer["items"]["item_id"] = ["w", "x", "y", "z"]
        with pytest.raises(DataError, match="none in 8 rows"):
            run(retailer)

    def test_to_replace_what_is_not_prepared_data(self, run, retailer, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "thesis.txt").write_text("mine")
        with pytest.raises(DataError, match="something else"):
            run(retailer)
        assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


class TestPrepareFailing:
    @pytest.fixture
    def earlier(self, prepared, retailer):
        result = prepared(retailer)
        return result, _hashes(result.folder)

    def _nothing_changed(self, earlier):
        result, hashes = earlier
        beside = [p.name for p in result.folder.parent.iterdir() if p.name.endswith(".partial")]
        return _hashes(result.folder) == hashes and not beside

    def test_a_full_disk_leaves_what_was_there(self, earlier, prepared, retailer, monkeypatch):
        def fail(*_, **__):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(PreparedData, "write", fail)
        with pytest.raises(DataError, match="No space left on device"):
            prepared(retailer)
        assert self._nothing_changed(earlier)

    def test_a_damaged_table_leaves_what_was_there(self, earlier, tables, retailer):
        folder = tables(retailer)
        (folder / "interactions.parquet").write_bytes(b"PAR1 and nothing else PAR1")
        with pytest.raises(DataError, match=r"interactions\.parquet"):
            prepare(folder, earlier[0].folder, PrepareConfig(), progress=lambda line: None)
        assert self._nothing_changed(earlier)

    def test_success_replaces_what_was_there(self, earlier, prepared, retailer):
        retailer["items"] = retailer["items"][retailer["items"].item_id != "cold"]
        assert prepared(retailer).summary.num_items == 3


class TestPrepareRealData:
    @pytest.fixture
    def real(self, tmp_path, real_data):
        def run(format, name):
            tables = tmp_path / "real"
            import_tables(format, real_data(name), tables)
            output = tmp_path / "real_prepared"
            prepare(tables, output, PrepareConfig(), progress=lambda line: None)
            return PreparedData(output)

        return run

    def test_beauty_keeps_the_exact_order(self, real, real_data):
        lines = (real_data("beauty") / "Beauty.txt").read_text().splitlines()
        sequences = dict(line.split(maxsplit=1) for line in lines)
        result = real("s3rec", "beauty")
        summary = result.summary
        assert (summary.num_customers, summary.num_items) == (22_363, 12_101)
        assert summary.num_interactions == 198_502
        assert {"event_types", "time_gaps", "outfit"} <= set(summary.omitted)
        ids = np.array(("", "", *result.vocabulary.item_ids), dtype=object)
        item_ids = ids[np.asarray(result.histories.item_index)]
        for row, customer in enumerate(result.customers.customer_id):
            start, end = result.histories.offsets[row : row + 2]
            assert " ".join(item_ids[start:end]) == sequences[customer]

    def test_taobao_is_ordered_by_time(self, real):
        result = real("taobao", "taobao_815")
        assert result.summary.num_customers == 815
        assert result.summary.has_event_types
        histories = result.histories
        gaps = np.diff(histories.timestamp_s)
        is_inside = np.ones(len(gaps), dtype=bool)
        is_inside[histories.offsets[1:-1] - 1] = False
        assert (gaps[is_inside] >= 0).all()

    def test_mango_has_outfits_and_pictures_only(self, real):
        result = real("mango", "mango")
        assert result.summary.num_outfits == 7_842
        assert result.summary.has_images
        assert {"ranking", "next_item"} <= set(result.summary.omitted)
        assert result.images[2:].any(axis=(1, 2, 3)).all()
