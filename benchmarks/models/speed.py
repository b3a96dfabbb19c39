"""Time to the peer's best validation NDCG@10, and training throughput."""

import os
from pathlib import Path
from typing import Any

from benchmarks.models.parts import Bench
from benchmarks.models.runs import Run, Runner, run_json

PEER_PYTHON = Path(".venv/bench/bin/python")
ALL_CUSTOMERS = 10**9


def speed(bench: Bench) -> dict[str, Any]:
    """Returns how long our model and the peer train until they are as good as the peer gets.

    Both have all cores to themselves, one after the other, on the same data and customers, and
    both clocks leave validation out. Ours includes what comes before the first epoch.
    """
    threads = len(os.sched_getaffinity(0))
    peer = run_json(
        "benchmarks.models.peer",
        [
            *("--data", str(bench.prepared), "--threads", str(threads)),
            *("--time-limit", str(bench.effort.peer_seconds)),
            *("--patience", str(bench.effort.peer_patience)),
        ],
        bench.work / "peer.json",
        python=str(PEER_PYTHON),
    )
    config = bench.config("next_item_ids", seed=bench.effort.seeds[0])
    run = Run(
        "speed, next_item without content",
        "next_item",
        bench.prepared,
        config | {"max_validation_customers": ALL_CUSTOMERS},
    )
    runner = Runner(bench.work / "speed", parallel=1, progress=bench.runner.progress)
    training = runner.results([run])[0]["training"]
    best = max(peer["epochs"], key=lambda epoch: epoch["ndcg_at_10"])
    ours = seconds_to_reach(training, best["ndcg_at_10"])
    return {
        "peer_best_validation_ndcg_at_10": best["ndcg_at_10"],
        "peer_seconds": best["seconds"],
        "peer_epochs": best["epoch"],
        "peer_was_cut_off": peer["stopped_by"] == "time limit",
        "peer_test": peer["test"],
        "peer_versions": peer["versions"],
        "our_seconds": ours,
        "our_best_validation_ndcg_at_10": training["validation_ndcg_at_10"],
        "threads": threads,
        "training_time_ratio_to_peer": None if ours is None else ours / best["seconds"],
        "ranking": run_json(
            "benchmarks.models.ranking_speed",
            ["--prepared", str(bench.prepared)],
            bench.work / "ranking_speed.json",
        ),
    }


def seconds_to_reach(training: dict[str, Any], ndcg: float) -> float | None:
    """Returns the training seconds until an epoch's validation NDCG@10 was at least this much.

    What happens before the first epoch counts, validation does not.

    Args:
        training: A `TrainingResult`.
        ndcg: What to reach; None is returned if no epoch does.
    """
    seconds: float = training["seconds"] - sum(epoch["seconds"] for epoch in training["epochs"])
    for epoch in training["epochs"]:
        seconds += training["num_examples"] / epoch["examples_per_s"]
        if epoch["validation_ndcg_at_10"] >= ndcg:
            return seconds
    return None
