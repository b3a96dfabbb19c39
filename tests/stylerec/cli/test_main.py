import os
import subprocess
import sys
from pathlib import Path


def _stylerec(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from stylerec.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )


class TestMain:
    def test_a_bad_file_is_one_line_and_exit_code_2(self, tmp_path):
        (tmp_path / "items.parquet").write_text("not parquet")
        (tmp_path / "outfits.csv").write_text("outfit_id,item_id\no,i\n")
        result = _stylerec("validate", tmp_path, folder=tmp_path)
        assert result.returncode == 2
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith(f"error: {tmp_path}/items.parquet: expected a parquet file")

    def test_pipelines_outside_the_checkout(self, tmp_path):
        result = _stylerec("pipelines", "compile", "--help", folder=tmp_path)
        assert result.returncode == 2
        assert result.stderr.startswith("error: stylerec pipelines: expected StyleRec's checkout")

    def test_good_tables_exit_with_0_and_no_noise(self, tmp_path):
        (tmp_path / "items.csv").write_text("item_id\ni\n")
        (tmp_path / "outfits.csv").write_text("outfit_id,item_id\no,i\n")
        result = _stylerec("validate", tmp_path, folder=tmp_path)
        assert result.returncode == 0
        assert result.stderr == ""
