"""Which trial to run next, and which to give up: pure functions of the study's log.

Optuna's tree-structured Parzen estimator (Bergstra et al. 2011, "Algorithms for hyper-parameter
optimization"; joint over parameters as in Falkner et al. 2018, BOHB) proposes, and its median rule
(Golovin et al. 2017, "Google Vizier", section 3.2) gives up. Neither keeps state between calls.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from stylerec.models.search.space import Choice, FloatRange, Parameter
from stylerec.models.search.study import Proposal, StudyDescription, TrialRecord

NUM_RANDOM_TRIALS = 8
"""Trials at random before the first one that learns from the others, the default included."""
NUM_UNPRUNED_TRIALS = 4
"""Complete trials before the first one is given up."""
NUM_UNPRUNED_EPOCHS = 4
"""Epochs that every trial may train: fast starters are not the best ones in the end."""

_STATES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


def propose(
    description: StudyDescription,
    records: Sequence[TrialRecord],
    *,
    running: Sequence[Proposal] = (),
) -> Proposal:
    """Returns the next trial; trial 0 is the default configuration.

    The same arguments give the same proposal. One trial at a time, or whole batches, therefore
    search alike in every run; trials that run side by side and are replaced as they end do not,
    since what is known when the next one starts depends on their speed.

    Args:
        description: What is searched.
        records: Trials that have ended, in any order.
        running: Trials that have not; they are taken for bad ones, so that the next one is
            somewhere else (the constant liar of Ginsbourger et al. 2010).
    """
    taken = [*(record.number for record in records), *(trial.number for trial in running)]
    number = 1 + max(taken, default=-1)
    parameters = description.parameters
    if number == 0:
        return Proposal(number=0, parameters={name: description.base[name] for name in parameters})
    distributions = {name: _distribution(parameter) for name, parameter in parameters.items()}
    seed = int(np.random.SeedSequence((description.seed, number)).generate_state(1)[0])
    sampler = optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=NUM_RANDOM_TRIALS, constant_liar=True
    )
    study = _study(records, distributions, sampler=sampler)
    study.add_trials(
        [
            create_trial(
                state=TrialState.RUNNING,
                params=dict(proposal.parameters),
                distributions=distributions,
            )
            for proposal in sorted(running, key=lambda each: each.number)
        ]
    )
    drawn = study.ask(distributions).params
    readable = {name: parameters[name].readable(value) for name, value in drawn.items()}
    return Proposal(number=number, parameters=readable)


def propose_batch(
    description: StudyDescription, records: Sequence[TrialRecord], *, num_trials: int
) -> list[Proposal]:
    """Returns trials to run side by side."""
    batch: list[Proposal] = []
    for _ in range(num_trials):
        batch.append(propose(description, records, running=batch))
    return batch


def is_hopeless(records: Sequence[TrialRecord], *, curve: Sequence[float]) -> bool:
    """Returns whether a trial is behind the median of the complete ones after as many epochs.

    Args:
        records: Trials that have ended.
        curve: The trial's validation NDCG@10 after each epoch so far.
    """
    pruner = optuna.pruners.MedianPruner(
        n_startup_trials=NUM_UNPRUNED_TRIALS, n_warmup_steps=NUM_UNPRUNED_EPOCHS
    )
    trial = create_trial(
        state=TrialState.RUNNING, intermediate_values=dict(enumerate(curve, start=1))
    )
    return pruner.prune(_study(records, {}), trial)


def _study(
    records: Sequence[TrialRecord],
    distributions: Mapping[str, BaseDistribution],
    *,
    sampler: optuna.samplers.BaseSampler | None = None,
) -> optuna.Study:
    # Otherwise it reports every study it creates.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    ordered = sorted(records, key=lambda record: record.number)
    study.add_trials([_frozen(record, distributions) for record in ordered])
    return study


def _frozen(record: TrialRecord, distributions: Mapping[str, BaseDistribution]) -> FrozenTrial:
    return create_trial(
        state=_STATES[record.state],
        value=record.value,
        params={name: record.parameters[name] for name in distributions},
        distributions=dict(distributions),
        intermediate_values=dict(enumerate(record.curve, start=1)),
    )


def _distribution(parameter: Parameter) -> BaseDistribution:
    if isinstance(parameter, Choice):
        return CategoricalDistribution(parameter.values)
    if isinstance(parameter, FloatRange):
        return FloatDistribution(parameter.low, parameter.high, log=parameter.is_log)
    return IntDistribution(parameter.low, parameter.high, log=parameter.is_log)
