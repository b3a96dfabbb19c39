import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import BaseModel

from stylerec.data.prepared import DatasetSummary
from stylerec.data.splits import Split, Targets
from stylerec.errors import ReleaseError
from stylerec.models import checkpoint as checkpoint_module
from stylerec.models.checkpoint import (
    CHECKPOINT_FILE,
    Checkpoint,
    discard_checkpoint,
    read_checkpoint,
    run_fingerprint,
    run_folder,
    write_checkpoint,
)

CHECKPOINT = Checkpoint(
    arrays={
        "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
        "step": np.asarray(7, dtype=np.float32),
        "nothing": np.zeros((0, 3), dtype=np.int64),
        "transposed": np.arange(6, dtype=np.float64).reshape(2, 3).T,
        "generator": np.arange(5, dtype=np.uint8),
    },
    state={"epoch": 3, "loss": 0.1 + 0.2, "records": [{"epoch": 1}], "name": "ß"},
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def written(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    write_checkpoint(folder, CHECKPOINT, fingerprint="mine")
    return folder


class TestReadCheckpoint:
    def test_gives_back_what_was_written(self, written: Path) -> None:
        found = read_checkpoint(written, fingerprint="mine")
        assert found is not None
        assert found.state == CHECKPOINT.state
        assert found.arrays.keys() == CHECKPOINT.arrays.keys()
        for name, array in CHECKPOINT.arrays.items():
            assert found.arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(found.arrays[name], array, strict=True)

    def test_is_none_where_there_is_none(self, tmp_path: Path) -> None:
        assert read_checkpoint(tmp_path, fingerprint="mine") is None
        assert read_checkpoint(tmp_path / "missing", fingerprint="mine") is None

    def test_raises_for_another_run(self, written: Path) -> None:
        with pytest.raises(ReleaseError, match=r"one of another config or other data \(mine\); re"):
            read_checkpoint(written, fingerprint="other")

    @pytest.mark.parametrize("place", [3, 100, -1])
    def test_raises_when_a_byte_is_damaged(self, written: Path, place: int) -> None:
        path = written / CHECKPOINT_FILE
        content = bytearray(path.read_bytes())
        content[place] ^= 0xFF
        path.write_bytes(content)
        with pytest.raises(ReleaseError, match=r"checkpoint\.safetensors: expected a"):
            read_checkpoint(written, fingerprint="mine")

    @pytest.mark.parametrize("length", [0, 5, 200, -1])
    def test_raises_when_cut_short(self, written: Path, length: int) -> None:
        path = written / CHECKPOINT_FILE
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(ReleaseError, match="expected a whole checkpoint"):
            read_checkpoint(written, fingerprint="mine")

    def test_raises_when_it_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / CHECKPOINT_FILE).mkdir()
        with pytest.raises(ReleaseError, match="expected a whole checkpoint"):
            read_checkpoint(tmp_path, fingerprint="mine")

    def test_raises_for_another_format(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checkpoint_module, "_FORMAT", "0")
        write_checkpoint(tmp_path, CHECKPOINT, fingerprint="mine")
        monkeypatch.undo()
        with pytest.raises(ReleaseError, match="got format 0, not 1"):
            read_checkpoint(tmp_path, fingerprint="mine")


class TestWriteCheckpoint:
    def test_replaces_the_one_before_and_what_a_killed_process_left(self, written: Path) -> None:
        (written / f".0123abcd-{CHECKPOINT_FILE}").write_text("half")
        write_checkpoint(written, Checkpoint({}, {"epoch": 4}), fingerprint="mine")
        assert read_checkpoint(written, fingerprint="mine") == Checkpoint({}, {"epoch": 4})
        assert names(written) == [CHECKPOINT_FILE]

    def test_a_full_disk_leaves_the_one_before(
        self, written: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(arrays: object, path: Path, metadata: object) -> None:
            path.write_text("half")
            raise checkpoint_module.SafetensorError("No space left on device")

        monkeypatch.setattr(checkpoint_module, "save_file", full)
        with pytest.raises(ReleaseError, match="got No space left on device"):
            write_checkpoint(written, Checkpoint({}, {}), fingerprint="mine")
        monkeypatch.undo()
        found = read_checkpoint(written, fingerprint="mine")
        assert found is not None
        assert found.state == CHECKPOINT.state
        assert names(written) == [CHECKPOINT_FILE]

    def test_raises_where_a_file_stands(self, tmp_path: Path) -> None:
        (tmp_path / "checkpoint").write_text("a file")
        with pytest.raises(ReleaseError, match="room and permission"):
            write_checkpoint(tmp_path / "checkpoint", CHECKPOINT, fingerprint="mine")

    def test_a_killed_writer_leaves_a_whole_checkpoint(self, tmp_path: Path) -> None:
        program = """
            import sys
            from pathlib import Path
            import numpy as np
            from stylerec.models.checkpoint import Checkpoint, write_checkpoint
            for number in range(10**6):
                arrays = {"weights": np.full(50_000, number)}
                write_checkpoint(Path(sys.argv[1]), Checkpoint(arrays, {"number": number}),
                    fingerprint="mine")
            """
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "checkpoint")]
        )
        try:
            deadline = time.monotonic() + 60
            while not (tmp_path / "checkpoint" / CHECKPOINT_FILE).exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
            time.sleep(0.05)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        found = read_checkpoint(tmp_path / "checkpoint", fingerprint="mine")
        assert found is not None
        assert np.all(found.arrays["weights"] == found.state["number"])


class TestDiscardCheckpoint:
    def test_removes_the_folder(self, written: Path) -> None:
        (written / f".0123abcd-{CHECKPOINT_FILE}").write_text("half")
        discard_checkpoint(written)
        assert not written.exists()
        discard_checkpoint(written)

    def test_leaves_what_is_not_its_own(self, written: Path) -> None:
        (written / "notes.txt").write_text("mine")
        discard_checkpoint(written)
        assert names(written) == ["notes.txt"]


class TestRunFingerprint:
    class Config(BaseModel):
        dim: int = 8

    def prepared(self, *, num_items: int = 5, trained: int = 2) -> SimpleNamespace:
        summary = DatasetSummary(
            num_customers=1,
            num_items=num_items,
            num_interactions=4,
            num_outfits=0,
            has_timestamps=True,
            has_event_types=True,
            has_outfits=False,
            has_images=False,
            has_prices=False,
            markets=(),
            latest_timestamp_s=0,
            dropped={},
            omitted={},
        )
        one = Targets(np.array([0]), np.array([3]))
        return SimpleNamespace(summary=summary, split=Split(np.array([trained]), one, one))

    def test_differs_by_config_data_and_split_only(self) -> None:
        prepared = self.prepared
        fingerprints = [
            run_fingerprint(self.Config(), prepared()),
            run_fingerprint(self.Config(dim=9), prepared()),
            run_fingerprint(self.Config(), prepared(num_items=6)),
            run_fingerprint(self.Config(), prepared(trained=1)),
        ]
        assert len(set(fingerprints)) == 4
        assert run_fingerprint(self.Config(), prepared()) == fingerprints[0]

    def test_names_the_folder_of_a_pipelines_run(self, tmp_path: Path) -> None:
        config, prepared = self.Config(), self.prepared()
        folder = run_folder(str(tmp_path), "ranking", config, prepared)
        assert folder is not None
        assert folder.parent == tmp_path
        assert folder.name == f"ranking-{run_fingerprint(config, prepared)[:16]}"
        assert run_folder(str(tmp_path), "ranking", self.Config(dim=9), prepared) != folder
        assert run_folder("", "ranking", config, prepared) is None
