import pandas as pd
import pytest

from stylerec.data.readers.tables import read
from stylerec.data.tables import read_tables
from stylerec.errors import DataError


class TestRead:
    @pytest.mark.parametrize("suffix", [".parquet", ".csv"])
    def test_copies_every_table_as_parquet(self, frames, save, tmp_path, suffix):
        source, output = save(frames, suffix), tmp_path / "out"
        output.mkdir()
        read(source, output)
        assert sorted(path.name for path in output.iterdir()) == sorted(
            f"{name}.parquet" for name in frames
        )
        before, after = read_tables(source), read_tables(output)
        for name in frames:
            pd.testing.assert_frame_equal(getattr(after, name), getattr(before, name))

    def test_leaves_unknown_columns_behind(self, frames, save, tmp_path):
        frames["interactions"]["email"] = "someone"
        (tmp_path / "out").mkdir()
        result = read(save(frames), tmp_path / "out")
        content = (tmp_path / "out" / "interactions.parquet").read_bytes()
        assert b"someone" not in content
        assert any("email" in note for note in result.notes)

    def test_copies_the_pictures_inside_the_folder_only(self, frames, save, tmp_path):
        (tmp_path / "secret.png").write_bytes(b"secret")
        frames["items"]["image_path"] = ["images/a.png", "../secret.png", "images/none.png"]
        folder = save(frames)
        (folder / "images").mkdir()
        (folder / "images" / "a.png").write_bytes(b"a")
        output = tmp_path / "deep" / "out"
        output.mkdir(parents=True)
        read(folder, output)
        assert (output / "images" / "a.png").read_bytes() == b"a"
        assert [path.name for path in output.parent.iterdir()] == ["out"]
        assert len(list((output / "images").iterdir())) == 1

    def test_empty_optional_tables_are_left_out(self, frames, save, tmp_path):
        folder = save({name: frames[name] for name in ("items", "interactions")})
        (folder / "outfits.csv").write_text("outfit_id,item_id\n")
        (tmp_path / "out").mkdir()
        result = read(folder, tmp_path / "out")
        assert not (tmp_path / "out" / "outfits.parquet").exists()
        assert result.notes == ("outfits.csv: no rows; it counts as absent",)

    def test_refuses_a_folder_without_tables(self, tmp_path):
        with pytest.raises(DataError, match="none of StyleRec's tables"):
            read(tmp_path, tmp_path)
