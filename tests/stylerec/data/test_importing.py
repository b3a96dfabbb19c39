import os
from datetime import timedelta

import pytest

from stylerec.data import importing
from stylerec.data.importing import READERS, import_tables
from stylerec.data.tables import read_tables
from stylerec.data.validation import validate_tables
from stylerec.errors import ConfigError, DataError


def _content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class TestImportTables:
    @pytest.fixture
    def log(self, tmp_path):
        path = tmp_path / "UserBehavior.csv"
        path.write_text("u1,i1,c1,pv,1511544070\nu1,i2,c1,buy,1511547670\n")
        return path

    def test_writes_valid_tables_and_reports(self, log, tmp_path, now):
        report = import_tables("taobao", log, tmp_path / "out", now=now)
        assert report.rows == {"interactions": 2, "items": 2}
        assert {"outfits", "impressions", "prices", "pictures"} < set(report.lacks)
        assert not {"timestamps", "event types", "categories"} & set(report.lacks)
        assert validate_tables(tmp_path / "out", now=now).rows == report.rows

    def test_shifts_the_newest_interaction_to_now(self, log, tmp_path, now):
        report = import_tables("taobao", log, tmp_path / "out", shift_to_now=True, now=now)
        interactions = read_tables(tmp_path / "out").interactions
        assert interactions is not None
        assert interactions["timestamp"].tolist() == [now - timedelta(hours=1), now]
        assert any("all times moved by +3," in note for note in report.notes)

    def test_says_when_there_is_nothing_to_shift(self, tmp_path, now):
        (tmp_path / "Shop.txt").write_text("u1 1 2\n")
        report = import_tables(
            "s3rec", tmp_path / "Shop.txt", tmp_path / "out", shift_to_now=True, now=now
        )
        assert any("nothing to shift" in note for note in report.notes)

    def test_replaces_earlier_tables(self, log, frames, save, now):
        folder = save(frames)
        import_tables("taobao", log, folder, now=now)
        assert sorted(_content(folder)) == ["interactions.parquet", "items.parquet"]

    @pytest.mark.parametrize(
        "content", ["", "nothing like it\n", "u1,i1,c1,pv,0\n", 'u1,i1,c1,"pv,1\n2\n']
    )
    def test_a_failed_import_leaves_what_was_there(self, log, frames, save, now, content):
        folder = save(frames)
        before = _content(folder)
        log.write_text(content)
        with pytest.raises(DataError, match=r"UserBehavior\.csv"):
            import_tables("taobao", log, folder, now=now)
        assert _content(folder) == before
        assert sorted(path.name for path in folder.parent.iterdir()) == [log.name, folder.name]

    def test_refusals_name_the_source(self, frames, save, tmp_path, now):
        frames["interactions"]["event_type"] = "click"
        source = save(frames, ".csv")
        with pytest.raises(DataError) as caught:
            import_tables("tables", source, tmp_path / "out", now=now)
        assert str(caught.value).startswith(
            f"{source}, read as interactions.parquet, column event_type: expected one of view"
        )
        assert not (tmp_path / "out").exists()

    def test_refuses_a_folder_with_something_else(self, log, tmp_path, now):
        folder = tmp_path / "home"
        folder.mkdir()
        (folder / "letter.txt").write_text("dear")
        with pytest.raises(DataError, match=r"letter\.txt"):
            import_tables("taobao", log, folder, now=now)
        assert _content(folder) == {"letter.txt": b"dear"}

    @pytest.mark.parametrize("inside", [".", "images"])
    def test_refuses_a_folder_that_holds_the_source(self, frames, save, now, inside):
        folder = save(frames)
        (folder / "images").mkdir()
        with pytest.raises(DataError, match="outside the source"):
            import_tables("tables", folder / inside, folder, now=now)

    def test_refuses_an_unknown_format(self, log, tmp_path):
        with pytest.raises(ConfigError, match="expected one of mango, polyvore, rees46, s3rec"):
            import_tables("xlsx", log, tmp_path / "out")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_closed_parent_is_one_message(self, log, tmp_path, now):
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
        with pytest.raises(DataError, match="check the permissions"):
            import_tables("taobao", log, closed / "out", now=now)

    @pytest.mark.parametrize("format", sorted(READERS))
    def test_a_missing_source_is_one_message(self, format, tmp_path, now):
        with pytest.raises(DataError):
            import_tables(format, tmp_path / "nowhere", tmp_path / "out", now=now)
        assert list(tmp_path.iterdir()) == []

    def test_uses_the_clock_by_default(self, frames, save, tmp_path):
        frames["interactions"]["timestamp"] += timedelta(days=36_500)
        with pytest.raises(DataError, match="no time after"):
            importing.import_tables("tables", save(frames), tmp_path / "out")
