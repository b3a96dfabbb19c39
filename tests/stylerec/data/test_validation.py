from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stylerec.data.validation import validate_tables
from stylerec.errors import DataError

BOTH_FORMATS = pytest.mark.parametrize("suffix", [".parquet", ".csv"])


def _refusal(folder, now) -> str:
    with pytest.raises(DataError) as caught:
        validate_tables(folder, now=now)
    return str(caught.value)


class TestValidTables:
    @BOTH_FORMATS
    def test_counts_rows_and_columns(self, frames, save, now, suffix):
        report = validate_tables(save(frames, suffix), now=now)
        assert report.rows == {"interactions": 4, "items": 3, "outfits": 2, "impressions": 2}
        assert report.columns["outfits"] == ("outfit_id", "item_id", "is_hero")
        assert report.warnings == ()

    def test_needs_neither_event_types_nor_timestamps(self, frames, save, now):
        frames["interactions"] = frames["interactions"][["customer_id", "item_id"]]
        report = validate_tables(save(frames), now=now)
        assert report.columns["interactions"] == ("customer_id", "item_id")

    def test_outfits_make_up_for_interactions(self, frames, save, now):
        report = validate_tables(
            save({name: frames[name] for name in ("items", "outfits")}), now=now
        )
        assert set(report.rows) == {"items", "outfits"}

    def test_allows_a_clock_five_minutes_ahead(self, frames, save, now):
        frames["interactions"].loc[3, "timestamp"] = now + timedelta(minutes=5)
        assert validate_tables(save(frames), now=now).rows["interactions"] == 4

    def test_missing_event_ids_do_not_repeat(self, frames, save, now):
        frames["interactions"]["event_id"] = ["e1", None, None, None]
        assert validate_tables(save(frames), now=now).rows["interactions"] == 4

    def test_raises_when_now_has_no_zone(self, frames, save, now):
        with pytest.raises(ValueError, match="with a zone"):
            validate_tables(save(frames), now=now.replace(tzinfo=None))

    def test_prefers_parquet(self, frames, save, now):
        folder = save(frames)
        (folder / "items.csv").write_text("nonsense")
        assert validate_tables(folder, now=now).rows["items"] == 3

    def test_accepts_what_spark_and_polars_write(self, frames, save, now):
        folder = save(frames)
        table = pq.read_table(folder / "items.parquet")
        fields = [
            pa.field(f.name, {pa.string(): pa.large_string()}.get(f.type, f.type))
            for f in table.schema.with_metadata(None)
        ]
        decimal = table.column("price").cast(pa.decimal128(10, 2))
        large = table.cast(pa.schema(fields))
        pq.write_table(large.set_column(2, "price", decimal), folder / "items.parquet")
        assert validate_tables(folder, now=now).rows["items"] == 3

    def test_checks_every_batch_of_a_large_file(self, frames, save, now):
        count = 300_000
        frames["interactions"] = pd.DataFrame(
            {"customer_id": "c1", "item_id": "01", "price": [1.0] * (count - 1) + [-1.0]}
        )
        assert f"1 row (row {count})" in _refusal(save(frames), now)


class TestRefusals:
    """Each message names the file, the column, the number of rows and the first of them."""

    @BOTH_FORMATS
    @pytest.mark.parametrize(
        ("table", "column", "values", "message"),
        [
            ("interactions", "event_id", ["e1", "e1", "e1", "e4"], "a repeat in 2 rows (row 2, 3)"),
            ("items", "item_id", ["01", "i2", "01"], "a repeat in 1 row (row 3)"),
            (
                "interactions",
                "event_type",
                ["view", "click", "click", "like"],
                "expected one of view, save, add_to_bag, purchase, "
                "got other values (click, like) in 3 rows (row 2, 3, 4)",
            ),
            (
                "interactions",
                "customer_id",
                ["a", None, "a", None],
                "no value in 2 rows (row 2, 4)",
            ),
            ("interactions", "event_type", ["view", None, "save", "view"], "no value in 1 row"),
            ("interactions", "item_id", ["01", " ", "01", "01"], "blank text in 1 row (row 2)"),
            ("items", "price", [1.0, -2.5, 0.0], "expected 0 or more, got less (-2.5) in 1 row"),
            ("impressions", "position", [-1, 0], "got less (-1) in 1 row (row 1)"),
            ("outfits", "is_hero", [True, None], "no value in 1 row (row 2)"),
        ],
    )
    def test_names_what_is_wrong(self, frames, save, now, suffix, table, column, values, message):
        frames[table][column] = values
        text = _refusal(save(frames, suffix), now)
        assert f"{table}{suffix}, column {column}: " in text
        assert message in text

    @BOTH_FORMATS
    def test_repeated_items_of_an_outfit(self, frames, save, now, suffix):
        frames["outfits"]["item_id"] = ["01", "01"]
        text = _refusal(save(frames, suffix), now)
        assert f"outfits{suffix}, column outfit_id and item_id" in text
        assert "a repeat in 1 row (row 2)" in text

    @BOTH_FORMATS
    def test_timestamps_in_the_future(self, frames, save, now, suffix):
        late = now + timedelta(minutes=6)
        frames["interactions"]["timestamp"] = [now, now, late, late]
        text = _refusal(save(frames, suffix), now)
        assert f"interactions{suffix}, column timestamp" in text
        assert "no time after 2026-11-21 12:00 UTC" in text
        assert "2 rows (row 3, 4)" in text

    @BOTH_FORMATS
    def test_missing_required_column(self, frames, save, now, suffix):
        frames["interactions"] = frames["interactions"].drop(columns=["item_id", "customer_id"])
        text = _refusal(save(frames, suffix), now)
        assert "expected the required columns customer_id, item_id" in text
        assert "got only event_type, timestamp, price, event_id" in text

    def test_wrong_type_in_parquet(self, frames, save, now):
        frames["interactions"]["customer_id"] = [1, 2, 3, 4]
        text = _refusal(save(frames), now)
        assert "interactions.parquet, column customer_id" in text
        assert "expected string, got int64 in all 4 rows" in text

    @pytest.mark.parametrize(
        ("column", "values", "expected"),
        [
            ("timestamp", ["2026-01-01", "1511544070", "soon", "2026-01-02"], "ISO 8601"),
            ("price", ["1.0", "1,5", "abc", ""], "numbers such as 12.5"),
        ],
    )
    def test_wrong_type_in_csv(self, frames, save, now, column, values, expected):
        frames["interactions"][column] = values
        text = _refusal(save(frames, ".csv"), now)
        assert f"interactions.csv, column {column}: expected {expected}" in text
        assert "2 rows (row 2, 3)" in text

    def test_tells_every_broken_column_at_once(self, frames, save, now):
        frames["interactions"]["price"] = -1.0
        frames["interactions"]["event_type"] = "click"
        text = _refusal(save(frames), now)
        assert "column event_type" in text
        assert "also wrong: price: less (-1.0) in 4 rows" in text

    def test_names_the_first_of_many_rows(self, frames, save, now):
        count = 300_000
        frames["interactions"] = pd.DataFrame(
            {"customer_id": "c1", "item_id": "01", "event_type": ["view"] + ["click"] * count}
        )
        text = _refusal(save(frames), now)
        assert "(click) in 300,000 rows (row 2, 3, 4, 5, 6, ...)" in text

    def test_never_names_a_customer(self, frames, save, now):
        frames["interactions"]["customer_id"] = ["secret", "secret", "secret", None]
        frames["interactions"]["event_type"] = "click"
        assert "secret" not in _refusal(save(frames), now)

    def test_infinite_price(self, frames, save, now):
        frames["items"]["price"] = [1.0, float("inf"), 2.0]
        assert "infinity in 1 row (row 2)" in _refusal(save(frames), now)

    def test_required_table_missing(self, frames, save, now):
        del frames["items"]
        assert "expected items.parquet or items.csv, got only" in _refusal(save(frames), now)

    def test_neither_interactions_nor_outfits(self, frames, save, now):
        text = _refusal(save({"items": frames["items"]}), now)
        assert "expected interactions.parquet or interactions.csv, or outfits" in text

    def test_no_folder(self, tmp_path, now):
        assert "got no such folder" in _refusal(tmp_path / "nowhere", now)

    @BOTH_FORMATS
    @pytest.mark.parametrize("table", ["items", "interactions"])
    def test_empty_required_table(self, frames, save, now, suffix, table):
        schema = pq.read_schema(save(frames) / f"{table}.parquet")
        frames[table] = frames[table].iloc[:0]
        folder = save(frames, suffix, "empty")
        if suffix == ".parquet":
            pq.write_table(schema.empty_table(), folder / f"{table}.parquet")
        text = _refusal(folder, now)
        assert f"{table}{suffix}: expected at least one row, got 0 rows" in text

    def test_empty_outfits_do_not_make_up_for_interactions(self, frames, save, now):
        folder = save({"items": frames["items"]})
        (folder / "outfits.csv").write_text("outfit_id,item_id\n")
        assert "expected interactions.parquet" in _refusal(folder, now)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "expected a parquet file, got an empty file"),
            (b"item_id,title\n1,x\n", "expected a parquet file, got a file of another format"),
        ],
    )
    def test_not_a_parquet_file(self, frames, save, now, content, message):
        folder = save(frames)
        (folder / "items.parquet").write_bytes(content)
        text = _refusal(folder, now)
        assert "items.parquet: " in text
        assert message in text

    @pytest.mark.parametrize("kept", [0.5, 0.99])
    def test_truncated_parquet(self, frames, save, now, kept):
        path = save(frames) / "items.parquet"
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * kept)])
        assert "truncated or damaged" in _refusal(path.parent, now)

    def test_damage_inside_a_parquet_file(self, frames, save, now):
        path = save(frames) / "interactions.parquet"
        content = bytearray(path.read_bytes())
        content[4:200] = bytes(196)
        path.write_bytes(content)
        assert "interactions.parquet" in _refusal(path.parent, now)

    def test_a_folder_where_a_file_belongs(self, frames, save, now):
        folder = save(frames)
        (folder / "items.parquet").unlink()
        (folder / "items.parquet").mkdir()
        assert "expected a readable parquet file" in _refusal(folder, now)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"item_id,title\n1,caf\xe9\n", "text that is not UTF-8"),
            (b"item_id,title\n1\n2,b\n3,c,d\n", "expected 2 cells in every row"),
            (b'item_id,title\n1,"open\n2,b\n', "a quote that is opened and never closed"),
            (b"item_id;title\n1;b\n", "separate the columns with commas"),
            (b"item_id,item_id\n1,2\n", "item_id more than once"),
            (b"", "an empty file"),
        ],
    )
    def test_unreadable_csv(self, frames, save, now, content, message):
        del frames["items"]
        folder = save(frames)
        (folder / "items.csv").write_bytes(content)
        text = _refusal(folder, now)
        assert "items.csv" in text
        assert message in text

    def test_mostly_unknown_items(self, frames, save, now):
        frames["interactions"]["item_id"] = ["x", "01", "y", "z"]
        text = _refusal(save(frames), now)
        assert "unknown items in 3 rows (row 1, 3, 4), 75% of all" in text

    @pytest.mark.parametrize("path", ["../secret.png", "/etc/picture.png"])
    def test_pictures_outside_the_folder(self, frames, save, now, path):
        frames["items"]["image_path"] = [None, path, None]
        assert "1 row (row 2)" in _refusal(save(frames), now)


class TestWarnings:
    def _only_warning(self, folder, now) -> str:
        (warning,) = validate_tables(folder, now=now).warnings
        return warning

    @BOTH_FORMATS
    def test_unknown_columns(self, frames, save, now, suffix):
        frames["items"]["weight"] = 1
        warning = self._only_warning(save(frames, suffix), now)
        assert warning == f"items{suffix}: unknown columns are ignored: weight"

    def test_unknown_items_up_to_half(self, frames, save, now):
        frames["interactions"]["item_id"] = ["x", "01", "y", "01"]
        warning = self._only_warning(save(frames), now)
        assert "rows with items that items.parquet lacks: 2 of 4 (50.0%)" in warning

    @BOTH_FORMATS
    def test_times_without_a_zone(self, frames, save, now, suffix):
        column = frames["interactions"]["timestamp"]
        frames["interactions"]["timestamp"] = column.dt.tz_localize(None)
        warning = self._only_warning(save(frames, suffix), now)
        assert "column timestamp: times name no zone and are taken as UTC" in warning

    def test_times_before_2000(self, frames, save, now):
        frames["interactions"].loc[0, "timestamp"] = pd.Timestamp(0, tz="UTC")
        assert "times before 2000: 1" in self._only_warning(save(frames), now)

    def test_missing_pictures(self, frames, save, now):
        frames["items"]["image_path"] = ["images/a.png", "images/b.png", None]
        folder = save(frames)
        (folder / "images").mkdir()
        (folder / "images" / "a.png").write_bytes(b"png")
        assert "missing pictures: 1" in self._only_warning(folder, now)

    def test_sale_price_above_the_price(self, frames, save, now):
        frames["items"]["sale_price"] = [11.0, 70.0, None]
        assert "items dearer in the sale than before it: 1" in self._only_warning(save(frames), now)

    def test_outfits_without_one_hero(self, frames, save, now):
        frames["outfits"]["is_hero"] = [True, True]
        assert "outfits without exactly one hero: 1" in self._only_warning(save(frames), now)
