"""The tuning pipeline: tables in, a model's best configuration and the log of its search out."""

from typing import NamedTuple

from kfp import dsl

from components.choose_config import choose_config
from components.collect_trials import collect_trials
from components.ingest import ingest
from components.prepare import prepare
from components.propose_trials import propose_trials
from components.run_trial import run_trial
from components.start_search import start_search
from components.validate import validate
from pipelines.resources import on_gpu_pool, with_retries

NUM_ROUNDS = 4
"""Each round learns from the ones before it."""
MAX_PARALLEL_TRIALS = 4
"""Devices of the GPU pool that one search may hold at a time."""


class Chosen(NamedTuple):
    """What a search ends with: the best configuration, and one line per trial."""

    config: dsl.Artifact
    log: dsl.Artifact


@dsl.pipeline(
    name="tuning",
    description="Searches for the configuration of a model with the best validation NDCG@10",
)
def tuning(
    source: str,
    space: str = "next_item",
    trials_per_round: int = 8,
    seed: int = 7,
    base: str = "{}",
    prepare_config: str = "{}",
    checkpoints: str = "",
) -> Chosen:
    """Ingests, validates, prepares, then proposes, trains and collects trials in four rounds.

    The trials of a round train side by side and are proposed together, so that the same seed and
    data search alike whichever of them is faster. The first trial is the default configuration.

    Args:
        source: Folder of canonical tables.
        space: Search space: next_item, next_item_ids, ranking or amf.
        trials_per_round: Trials of each round.
        seed: Of the proposals.
        base: JSON of configuration fields that differ from the default; trial 0.
        prepare_config: JSON of `PrepareConfig` fields that differ from the default.
        checkpoints: Folder in which interrupted trials leave their state, as in `training`.

    Returns:
        JSON of the best configuration, and one JSON line per trial.
    """
    ingested = with_retries(ingest(source=source)).outputs["tables"]
    checked = validate(tables=ingested)
    prepared_task = prepare(tables=ingested, config=prepare_config).after(checked)
    prepared = prepared_task.outputs["prepared"]
    study = start_search(prepared=prepared, space=space, base=base, seed=seed).outputs["study"]
    for _ in range(NUM_ROUNDS):
        proposed = propose_trials(study=study, space=space, num_trials=trials_per_round)
        with dsl.ParallelFor(proposed.output, parallelism=MAX_PARALLEL_TRIALS) as proposal:
            trial = on_gpu_pool(
                run_trial(
                    prepared=prepared,
                    study=study,
                    space=space,
                    proposal=proposal,
                    checkpoints=checkpoints,
                )
            )
        collected = collect_trials(study=study, space=space, records=dsl.Collected(trial.output))
        study = collected.outputs["collected"]
    chosen = choose_config(study=study, space=space)
    return Chosen(chosen.outputs["config"], chosen.outputs["log"])
