"""Real processes: started, killed and started again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from stylerec.data.target_weights import EventWeights
from stylerec.errors import ConfigError
from stylerec.models.checkpoint import CHECKPOINT_FILE
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.distributed import read_config
from stylerec.models.next_item.train import train_next_item

MODULE = "stylerec.models.next_item.distributed"
PATIENCE_S = 120.0


def started(prepared, output, config, *, num_processes=1, checkpoint=None, interval_s=0):
    """Starts training, by default with a checkpoint after each step."""
    command = [sys.executable, "-m", MODULE]
    if num_processes > 1:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node", str(num_processes), "-m", MODULE]
    command += ["--prepared", prepared, "--output", output, "--device", "cpu"]
    command += ["--config", config.model_dump_json()]
    if checkpoint:
        command += ["--checkpoint", checkpoint, "--checkpoint-interval-s", interval_s]
    return subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
    )


def ended(process):
    output, _ = process.communicate(timeout=PATIENCE_S)
    return process.returncode, output


def wait_for(condition: Callable[[], object], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.002)


def place_in(folder: Path) -> tuple[int, int]:
    """Returns epoch and step of the checkpoint, (0, 0) before there is one."""
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return 0, 0
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        state = json.loads(json.loads(file.read(size))["__metadata__"]["state"])
    return state["epoch"], state["step"]


def weights_of(folder):
    return (folder / "weights.safetensors").read_bytes()


@pytest.fixture
def config(small_config):
    return small_config.model_copy(
        update={"max_epochs": 4, "loss": "sampled_softmax", "batch_targets": 64, "dropout": 0.3}
    )


@pytest.fixture
def whole(prepared, tmp_path, config):
    """The folder of an uninterrupted run."""
    train_next_item(prepared, tmp_path / "whole", config, device="cpu", progress=len)
    return tmp_path / "whole"


class TestOneProcess:
    def test_killed_in_the_middle_of_an_epoch_it_goes_on_to_equal_weights(
        self, prepared, tmp_path, config, whole
    ):
        output, checkpoint = tmp_path / "model", tmp_path / "kept"
        for epoch, step in ((1, 3), (3, 7)):
            process = started(prepared, output, config, checkpoint=checkpoint)
            wait_for(lambda e=epoch, s=step: place_in(checkpoint) >= (e, s), process)
            process.kill()
            assert ended(process)[0] == -signal.SIGKILL
            assert not output.exists()
        assert place_in(checkpoint)[1] > 0
        code, printed = ended(started(prepared, output, config, checkpoint=checkpoint))
        assert code == 0, printed
        assert "epoch 4 of 4" in printed
        assert "epoch 1 of 4" not in printed
        assert weights_of(output) == weights_of(whole)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "whole"]

    def test_asked_to_end_it_writes_a_checkpoint_first(self, prepared, tmp_path, config, whole):
        output, checkpoint = tmp_path / "model", tmp_path / "kept"
        process = started(prepared, output, config, checkpoint=checkpoint, interval_s=3_600)
        assert "epoch 1 of 4" in process.stdout.readline()
        assert not checkpoint.exists()
        process.terminate()
        # 128 + 15: not 0, so that a scheduler knows that it is not done.
        assert ended(process)[0] == 143
        assert place_in(checkpoint) >= (2, 0)
        train_next_item(prepared, output, config, device="cpu", checkpoint=checkpoint, progress=len)
        assert weights_of(output) == weights_of(whole)

    def test_a_users_mistake_is_one_line(self, prepared, tmp_path, config):
        checkpoint = tmp_path / "kept"
        checkpoint.mkdir()
        (checkpoint / CHECKPOINT_FILE).write_text("nonsense")
        code, printed = ended(started(prepared, tmp_path / "model", config, checkpoint=checkpoint))
        assert code == 2
        (line,) = printed.splitlines()
        assert line.startswith("error: ")
        assert "expected a whole checkpoint" in line


class TestTwoProcesses:
    @pytest.mark.parametrize(
        "changes",
        [
            {"loss": "sampled_softmax"},
            # Batches of few windows, most of them of little weight or none at all.
            {
                "loss": "full_softmax",
                "batch_targets": 5,
                "max_epochs": 1,
                "event_weights": EventWeights(view=0.0, save=0.0, purchase=7.0),
            },
        ],
        ids=["sampled", "weighted"],
    )
    def test_train_the_same_model_as_one(self, prepared, tmp_path, config, changes):
        # Dropped parts differ by process; everything else must not.
        alike = {"dropout": 0.0, "id_dropout": 0.0, "precision": "float32"}
        config = config.model_copy(update={**alike, **changes})
        one, two = tmp_path / "one", tmp_path / "two"
        code, printed = ended(started(prepared, two, config, num_processes=2))
        assert code == 0, printed
        # One of them reports.
        assert printed.count(", validation NDCG@10") == config.max_epochs
        expected = train_next_item(prepared, one, config, device="cpu", progress=len)
        record = json.loads((two / "training.json").read_text())
        for epoch, other in zip(record["epochs"], expected.epochs, strict=True):
            assert epoch["loss"] == pytest.approx(other.loss, abs=1e-5)
            assert epoch["validation_ndcg_at_10"] == pytest.approx(other.validation_ndcg_at_10)
        weights = load_file(two / "weights.safetensors")
        for name, weight in load_file(one / "weights.safetensors").items():
            np.testing.assert_allclose(weights[name], weight, atol=1e-5, rtol=0, err_msg=name)

    def test_one_killed_ends_all_and_together_they_go_on(self, prepared, tmp_path, config):
        config = config.model_copy(
            update={"dropout": 0.0, "id_dropout": 0.0, "precision": "float32"}
        )
        output, checkpoint = tmp_path / "model", tmp_path / "kept"
        process = started(prepared, output, config, num_processes=2, checkpoint=checkpoint)
        wait_for(lambda: place_in(checkpoint) >= (2, 1), process)
        workers = workers_of(process.pid)
        assert sorted(workers) == [0, 1]
        os.kill(workers[1], signal.SIGKILL)
        code, _ = ended(process)
        assert code != 0
        assert not any(Path(f"/proc/{worker}").exists() for worker in workers.values())
        assert not output.exists()
        code, printed = ended(
            started(prepared, output, config, num_processes=2, checkpoint=checkpoint)
        )
        assert code == 0, printed
        assert "epoch 1 of 4" not in printed
        assert not checkpoint.exists()
        train_next_item(prepared, tmp_path / "one", config, device="cpu", progress=len)
        weights = load_file(output / "weights.safetensors")
        for name, weight in load_file(tmp_path / "one" / "weights.safetensors").items():
            np.testing.assert_allclose(weights[name], weight, atol=1e-5, rtol=0, err_msg=name)

    def test_asked_to_end_they_write_a_checkpoint_first(self, prepared, tmp_path, config):
        output, checkpoint = tmp_path / "model", tmp_path / "kept"
        process = started(
            prepared, output, config, num_processes=2, checkpoint=checkpoint, interval_s=3_600
        )
        while "epoch 1 of 4" not in process.stdout.readline():
            assert process.poll() is None
        assert not checkpoint.exists()
        process.terminate()
        assert ended(process)[0] != 0
        assert place_in(checkpoint) >= (2, 0)
        assert not output.exists()


def workers_of(parent: int) -> dict[int, int]:
    """Returns the process id of each rank that torchrun started."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"PPid:\t{parent}\n" in status:
            ranks = [int(line[5:]) for line in environment if line.startswith(b"RANK=")]
            found |= {rank: int(folder.name) for rank in ranks}
    return found


class TestReadConfig:
    def test_takes_json_or_a_file_of_it(self, tmp_path):
        (tmp_path / "config.json").write_text('{"max_len": 20}')
        expected = NextItemConfig(max_len=20)
        assert read_config('{"max_len": 20}') == expected
        assert read_config(str(tmp_path / "config.json")) == expected

    @pytest.mark.parametrize("text", ['{"max_length": 20}', "missing.json", "{"])
    def test_raises_for_wrong_fields_and_missing_files(self, text):
        with pytest.raises(ConfigError, match="--config: expected JSON of NextItemConfig fields"):
            read_config(text)
