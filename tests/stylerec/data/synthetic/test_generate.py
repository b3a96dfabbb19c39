import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from stylerec.data.synthetic import generate as module
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.generate import generate
from stylerec.data.validation import validate_tables
from stylerec.errors import DataError
from stylerec.schema.columns import TABLES

SMALL = SyntheticConfig(num_customers=60, num_items=250, num_outfits=40)
PLAIN = SMALL.model_copy(update={"has_pictures": False})


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class TestGenerate:
    def test_same_config_same_bytes_whatever_the_process_and_the_block(self, tmp_path):
        generate(tmp_path / "a", SMALL, customers_per_block=60)
        script = (
            "import sys; from pathlib import Path;"
            "from stylerec.data.synthetic.config import SyntheticConfig;"
            "from stylerec.data.synthetic.generate import generate;"
            "generate(Path(sys.argv[1]), SyntheticConfig.model_validate_json(sys.argv[2]),"
            " customers_per_block=7)"
        )
        arguments = [sys.executable, "-c", script, tmp_path / "b", SMALL.model_dump_json()]
        environment = os.environ | {"PYTHONHASHSEED": "123", "OMP_NUM_THREADS": "2"}
        subprocess.run(arguments, check=True, env=environment)
        assert hashes(tmp_path / "a") == hashes(tmp_path / "b")

    def test_another_seed_is_another_retailer(self, tmp_path):
        generate(tmp_path / "a", PLAIN)
        generate(tmp_path / "b", PLAIN.model_copy(update={"seed": 8}))
        first, second = hashes(tmp_path / "a"), hashes(tmp_path / "b")
        assert all(first[f"{name}.parquet"] != second[f"{name}.parquet"] for name in TABLES)

    def test_tables_are_valid_without_a_warning(self, folder, config):
        now = datetime.combine(config.end, time(0), UTC)
        report = validate_tables(folder, now=now)
        assert report.warnings == ()
        assert set(report.rows) == set(TABLES)
        for name, table in TABLES.items():
            assert report.columns[name] == tuple(column.name for column in table.columns)

    def test_report_counts_what_was_written(self, tmp_path):
        report = generate(tmp_path / "a", SMALL)
        for name in ("interactions", "impressions", "items"):
            rows = pq.ParquetFile(tmp_path / "a" / f"{name}.parquet").metadata.num_rows
            assert getattr(report, f"num_{name}") == rows
        outfits = pd.read_parquet(tmp_path / "a" / "outfits.parquet")
        assert report.num_outfits == outfits.outfit_id.nunique() == 40
        assert report.num_pictures == len(list((tmp_path / "a" / "images").iterdir())) == 250

    def test_interactions_per_customer_are_about_as_configured(self, folder, config):
        rows = pq.ParquetFile(folder / "interactions.parquet").metadata.num_rows
        assert rows / config.num_customers == pytest.approx(config.events_per_customer, rel=0.25)

    def test_every_item_has_its_picture(self, folder):
        for path in pd.read_parquet(folder / "items.parquet").image_path:
            with Image.open(folder / path) as picture:
                assert (picture.size, picture.mode, picture.format) == ((64, 64), "RGB", "PNG")

    def test_writes_the_truth(self, folder, config):
        names = {path.name for path in (folder / "truth").iterdir()}
        assert names == {
            "world.safetensors", "truth.json", "items.parquet", "customers.parquet",
            "sessions.parquet", "examination.parquet",
        }  # fmt: skip
        document = json.loads((folder / "truth" / "truth.json").read_text())
        assert SyntheticConfig.model_validate(document["config"]) == config

    def test_leaves_out_what_is_not_asked_for(self, tmp_path):
        config = SMALL.model_copy(
            update={"num_outfits": 0, "impressions_share": 0.0, "has_pictures": False}
        )
        report = generate(tmp_path / "a", config)
        names = {path.name for path in (tmp_path / "a").iterdir()}
        assert names == {"interactions.parquet", "items.parquet", "truth"}
        assert (report.num_impressions, report.num_outfits, report.num_pictures) == (0, 0, 0)

    def test_tells_its_progress(self, tmp_path):
        lines: list[str] = []
        generate(tmp_path / "a", PLAIN, progress=lines.append, customers_per_block=1)
        told = [line for line in lines if "customers" in line]
        assert 20 <= len(told) <= 21
        assert told[-1].startswith("synthetic: 60 of 60 customers")

    def test_replaces_a_folder_of_tables(self, tmp_path):
        generate(tmp_path / "a", PLAIN)
        generate(tmp_path / "a", PLAIN.model_copy(update={"num_outfits": 3}))
        assert pd.read_parquet(tmp_path / "a" / "outfits.parquet").outfit_id.nunique() == 3
        assert [path.name for path in tmp_path.iterdir()] == ["a"]

    def test_refuses_a_folder_with_something_else(self, tmp_path):
        (tmp_path / "thesis.txt").write_text("years of work")
        with pytest.raises(DataError, match=r"thesis\.txt"):
            generate(tmp_path, SMALL)
        assert (tmp_path / "thesis.txt").read_text() == "years of work"

    def test_failed_run_leaves_what_was_there(self, tmp_path, monkeypatch):
        generate(tmp_path / "a", PLAIN)
        before = hashes(tmp_path / "a")

        def full_disk(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(module, "draw_pictures", full_disk)
        with pytest.raises(DataError, match="No space left on device"):
            generate(tmp_path / "a", SMALL.model_copy(update={"seed": 9}))
        assert hashes(tmp_path / "a") == before
        assert [path.name for path in tmp_path.iterdir()] == ["a"]


class TestSequence:
    """The log rewards a model that knows the order, and that one beats popularity."""

    def test_last_item_beats_the_whole_history_beats_popularity(self, tmp_path):
        config = SyntheticConfig(
            num_customers=800, num_items=400, num_outfits=0, has_pictures=False
        )
        generate(tmp_path / "a", config)
        log = pd.read_parquet(tmp_path / "a" / "interactions.parquet")
        log = log.drop_duplicates(["customer_id", "item_id"])
        customer, item = (pd.factorize(log[name])[0] for name in ("customer_id", "item_id"))
        ends = np.append(np.flatnonzero(np.diff(customer)), len(customer) - 1)
        starts = np.append(0, ends[:-1] + 1)
        is_long = ends - starts >= 2
        known = np.ones(len(item), dtype=bool)
        known[ends[is_long]] = False
        met = np.zeros((customer.max() + 1, item.max() + 1), dtype=np.float32)
        met[customer[known], item[known]] = 1
        count = met.sum(axis=0)
        likeness = (met.T @ met) / np.sqrt(np.maximum(np.outer(count, count), 1))
        target, rows = item[ends[is_long]], np.flatnonzero(is_long)
        last = item[ends[is_long] - 1]

        def ndcg_at_10(scores):
            scores = np.where(met[rows] > 0, -1.0, scores)
            own = scores[np.arange(len(rows)), target]
            rank = (scores >= own[:, None]).sum(axis=1)
            return np.where(rank <= 10, 1 / np.log2(rank + 1), 0.0).mean()

        popular = ndcg_at_10(np.broadcast_to(count, (len(rows), len(count))))
        history = ndcg_at_10(met[rows] @ likeness)
        newest = ndcg_at_10(likeness[last])
        assert newest > 1.3 * history > 1.3 * 1.5 * popular
