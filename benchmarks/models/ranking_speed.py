"""Examples per second of the ranking model against a plain Keras `fit` of the same towers.

`python -m benchmarks.models.ranking_speed --prepared <folder> [--threads 1] [--output <file>]`

Both train in one process, in turn, on the same examples; ours assembles them from the histories
while the peer gets finished arrays. Before that the peer is given our weights and must give our
scores. The profile is TensorFlow's own, one short run of each after the measurement.
"""

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

# Before TensorFlow is imported: its level cannot be changed later.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.machine import describe_machine, machine_line
from benchmarks.models.ranking_keras import (
    AGE_DAYS,
    EVENT_TYPE,
    HISTORY_ROW,
    compiled_peer,
    copy_weights,
)
from benchmarks.models.table import markdown
from benchmarks.models.xplane import op_milliseconds
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import training_counts
from stylerec.features.item_features import ItemFeatures
from stylerec.models.ranking.batches import (
    Batch,
    iterate_epoch,
)
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel
from stylerec.models.ranking.negatives import FullSoftmaxItems
from stylerec.models.ranking.prefetch import prefetched
from stylerec.models.ranking.step import StepInputs, TrainStep, step_inputs
from stylerec.schema.tensors import (
    HISTORY_AGE_DAYS,
    HISTORY_EVENT_TYPE,
)

STEPS, ROUNDS, PROFILED_STEPS = 10, 5, 4
_WARM_STEPS = 3
_TOP_OPS = 10
_SCHEDULED_STEPS = 10_000


@dataclass(frozen=True)
class Pass:
    """One timed run: wall and processor seconds."""

    wall_s: float
    cpu_s: float


class OurSide:
    """Our model's training steps, histories to changed weights."""

    def __init__(self, config: RankingConfig, data: PreparedData) -> None:
        self.config, self.histories, self.split = config, data.histories, data.split
        features = data.item_features
        counts = training_counts(self.histories, self.split, num_items=len(features.text_tokens))
        self.item_index = np.flatnonzero(counts)
        self.model = RankingModel(config, features, has_id=counts > 0)
        self.items = FullSoftmaxItems(counts > 0)
        self.step = TrainStep(self.model, self.items, num_steps=_SCHEDULED_STEPS)

    def batches(self, num_batches: int) -> Iterator[Batch]:
        """Yields the first batches of an epoch, the same at every call."""
        batches = iterate_epoch(
            self.histories,
            self.split,
            examples_per_customer=self.config.examples_per_customer,
            batch_size=self.config.batch_size,
            max_len=self.config.max_history_len,
            rng=np.random.default_rng(self.config.seed),
        )
        return (batch for _, batch in zip(range(num_batches), batches, strict=False))

    def run(self, num_steps: int) -> Pass:
        """Trains so many steps, as `trainer.Trainer` does."""

        def inputs() -> Iterator[StepInputs]:
            for number, batch in enumerate(self.batches(num_steps)):
                yield step_inputs(batch, self.items(batch, step=number))

        wall, cpu = time.perf_counter(), time.process_time()
        with closing(prefetched(inputs())) as ahead:
            for number, made in enumerate(ahead):
                self.step(made, step=number)
        return Pass(time.perf_counter() - wall, time.process_time() - cpu)

    def scores(self, batch: Batch) -> NDArray[np.float32]:
        """Returns the scores of all candidates as training computes them, without dropout."""
        made = step_inputs(batch, self.items(batch, step=0))
        tables = self.model.item_tower.embed(tf.constant(made.item_N), tf.ones(len(made.item_N)))
        query_BE = self.model.query_tower.of_interactions(
            tables.of_history(made.history_F),
            row_F=made.row_F,
            from_newest_F=made.from_newest_F,
            event_type_F=made.event_type_F,
            age_days_F=made.age_days_F,
            num_rows=len(made.target_B),
        )
        items_ND = tables.output_ND.numpy()
        scores: NDArray[np.float32] = query_BE.numpy() @ items_ND[:, :-1].T + items_ND[:, -1]
        return scores


class KerasSide:
    """The peer's `fit` on the same examples as finished arrays."""

    def __init__(self, ours: OurSide, data: PreparedData) -> None:
        self.batch_size = ours.config.batch_size
        features = data.item_features
        own = ItemFeatures(**{k: v[ours.item_index] for k, v in vars(features).items()})
        self.model = compiled_peer(
            ours.config,
            own,
            text_weights=features.text_weights()[ours.item_index],
            num_steps=_SCHEDULED_STEPS,
        )
        batches = list(ours.batches(STEPS))
        self.inputs = _joined([self.arrays(ours, batch) for batch in batches])
        self.target = np.concatenate([ours.items(b, step=0).target_row for b in batches])
        self.difference = self._difference_after_copying(ours, batches[0])

    @staticmethod
    def arrays(ours: OurSide, batch: Batch) -> dict[str, NDArray[Any]]:
        """Returns the peer's inputs of a batch."""
        rows = ours.items(batch, step=0).history_row
        return {
            HISTORY_ROW: (rows + 1).astype(np.int32),
            EVENT_TYPE: batch.history[HISTORY_EVENT_TYPE].astype(np.int32),
            AGE_DAYS: batch.history[HISTORY_AGE_DAYS],
        }

    def _difference_after_copying(self, ours: OurSide, batch: Batch) -> float:
        inputs = self.arrays(ours, batch)
        # The small and zero weights that training starts from would hide a difference.
        for number, weight in enumerate(ours.model.parameters.trainable):
            noise = tf.random.stateless_normal(weight.shape, seed=(number, 0), stddev=0.2)
            weight.assign(noise)
        self.model(inputs)
        copy_weights(ours.model, self.model, ours.item_index)
        return float(np.abs(self.model(inputs).numpy() - ours.scores(batch)).max())

    def run(self, num_steps: int) -> Pass:
        """Fits so many steps; at most `STEPS`."""
        last = num_steps * self.batch_size
        inputs = {name: array[:last] for name, array in self.inputs.items()}
        wall, cpu = time.perf_counter(), time.process_time()
        self.model.fit(
            inputs, self.target[:last], batch_size=self.batch_size, shuffle=False, verbose=0
        )
        return Pass(time.perf_counter() - wall, time.process_time() - cpu)


def measure(config: RankingConfig, data: PreparedData) -> dict[str, Any]:
    """Returns examples per second of both sides, their ratio round by round, and both profiles.

    Raises:
        ValueError: The two do not compute the same, or the data is too small to fill the steps.
    """
    ours = OurSide(config, data)
    if sum(1 for _ in ours.batches(STEPS)) < STEPS:
        raise ValueError(f"prepared data: expected {STEPS} batches of {config.batch_size}")
    if len(ours.item_index) > config.max_full_softmax_items:
        raise ValueError(f"prepared data: expected at most {config.max_full_softmax_items} items")
    peer = KerasSide(ours, data)
    if not peer.difference < 1e-3:
        raise ValueError(f"peer: expected our scores, got a difference of {peer.difference}")
    for side in (ours, peer):
        side.run(_WARM_STEPS)
    rounds = [(ours.run(STEPS), peer.run(STEPS)) for _ in range(ROUNDS)]
    num_examples = len(peer.target)
    return {
        "num_items": len(ours.item_index),
        "batch_size": config.batch_size,
        "max_score_difference": peer.difference,
        "ours": _speeds([one for one, _ in rounds], num_examples),
        "keras_fit": _speeds([other for _, other in rounds], num_examples),
        "ratio": _spread([other.wall_s / one.wall_s for one, other in rounds]),
        "ratio_of_cpu_time": _spread([other.cpu_s / one.cpu_s for one, other in rounds]),
        "profile_ms_per_step": {"ours": _profile(ours), "keras_fit": _profile(peer)},
    }


def _profile(side: OurSide | KerasSide) -> dict[str, float]:
    """Returns the milliseconds of the costliest kinds of operation, and of all others."""
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        side.run(PROFILED_STEPS)
        tf.profiler.experimental.stop()
        total = op_milliseconds(Path(folder))
    per_step = Counter({name: ms / PROFILED_STEPS for name, ms in total.items()})
    top = dict(per_step.most_common(_TOP_OPS))
    return top | {"other operations": sum(per_step.values()) - sum(top.values())}


def _speeds(passes: list[Pass], num_examples: int) -> dict[str, Any]:
    return {
        "examples_per_s": _spread([num_examples / one.wall_s for one in passes]),
        "examples_per_cpu_s": _spread([num_examples / one.cpu_s for one in passes]),
    }


def _spread(values: list[float]) -> dict[str, float]:
    return {"min": min(values), "median": median(values), "max": max(values)}


def _joined(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def speed_table(results: dict[str, Any]) -> str:
    """Returns the speeds and the profiles of all measured models as Markdown."""
    speeds = markdown(
        ["examples/s: median (min to max)", "ours", "Keras `fit`", "ratio", "ratio of CPU time"],
        [
            (
                name,
                _range(result["ours"]["examples_per_s"], ",.0f"),
                _range(result["keras_fit"]["examples_per_s"], ",.0f"),
                _range(result["ratio"], ".2f"),
                _range(result["ratio_of_cpu_time"], ".2f"),
            )
            for name, result in results["models"].items()
        ],
    )
    return "\n\n".join([speeds, *(_profile_table(*item) for item in results["models"].items())])


def _profile_table(name: str, result: dict[str, Any]) -> str:
    ours, peer = (result["profile_ms_per_step"][side] for side in ("ours", "keras_fit"))
    rows = [
        (*_cells(one), *_cells(other))
        for one, other in zip(list(ours.items()), list(peer.items()), strict=True)
    ]
    return markdown([f"{name}: ours", "ms a step", "Keras `fit`", "ms a step"], rows)


def _cells(entry: tuple[str, float]) -> tuple[str, str]:
    return entry[0], f"{entry[1]:.1f}"


def _range(spread: dict[str, float], form: str) -> str:
    return f"{spread['median']:{form}} ({spread['min']:{form}} to {spread['max']:{form}})"


def main() -> None:
    """Measures the full model and the baseline, prints Markdown and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    data = PreparedData(arguments.prepared)
    results = {
        "machine": describe_machine(),
        "threads": arguments.threads,
        "models": {
            "ranking": measure(RankingConfig(), data),
            "amf": measure(RankingConfig.amf(), data),
        },
    }
    print(f"{machine_line(results['machine'])}; {arguments.threads} thread(s)\n")
    print(speed_table(results))
    text = json.dumps(results)
    if arguments.output:
        arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
