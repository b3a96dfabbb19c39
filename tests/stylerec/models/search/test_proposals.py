import math

import pytest

from stylerec.models.search.proposals import (
    NUM_RANDOM_TRIALS,
    NUM_UNPRUNED_EPOCHS,
    NUM_UNPRUNED_TRIALS,
    is_hopeless,
    propose,
    propose_batch,
)
from stylerec.models.search.study import Study, TrialRecord


def _search(study: Study, make_record, *, num_trials: int) -> list[TrialRecord]:
    records: list[TrialRecord] = []
    for _ in range(num_trials):
        proposal = propose(study.description, records)
        value = 1.0 - (proposal.parameters["x"] - 0.7) ** 2
        records.append(make_record(proposal.number, value, parameters=proposal.parameters))
    return records


class TestPropose:
    def test_begins_with_the_default(self, study: Study, space) -> None:
        first = propose(study.description, [])
        assert (first.number, first.parameters) == (0, space.default)

    def test_stays_within_the_space(self, study: Study, space, make_record) -> None:
        for record in _search(study, make_record, num_trials=20):
            for name, parameter in space.parameters.items():
                assert parameter.contains(record.parameters[name])

    def test_learns_from_the_trials_before(self, study: Study, make_record) -> None:
        records = _search(study, make_record, num_trials=40)
        informed = [r.parameters["x"] for r in records[2 * NUM_RANDOM_TRIALS :]]
        # A uniform draw is 0.29 away on average: (0.7^2 + 0.3^2) / 2.
        assert sum(abs(x - 0.7) for x in informed) / len(informed) < 0.29 / 2

    def test_follows_from_the_log_alone(self, study: Study, make_record) -> None:
        records = _search(study, make_record, num_trials=12)
        assert propose(study.description, records) == propose(study.description, records[::-1])
        other = study.description.model_copy(update={"seed": 4})
        assert propose(other, records) != propose(study.description, records)

    def test_uses_failed_and_pruned_trials(self, study: Study, make_record) -> None:
        records = _search(study, make_record, num_trials=10)
        records.append(make_record(10, None))
        records.append(make_record(11, None, state="pruned", curve=(0.1, 0.2)))
        assert propose(study.description, records).number == 12

    def test_keeps_away_from_running_trials(self, study: Study, make_record) -> None:
        records = _search(study, make_record, num_trials=12)
        alone = propose(study.description, records)
        beside = propose(study.description, records, running=[alone])
        assert beside.number == alone.number + 1
        assert beside.parameters != alone.parameters


class TestProposeBatch:
    def test_is_what_one_by_one_would_be(self, study: Study) -> None:
        batch = propose_batch(study.description, [], num_trials=3)
        assert [proposal.number for proposal in batch] == [0, 1, 2]
        assert batch[2] == propose(study.description, [], running=batch[:2])


class TestIsHopeless:
    @pytest.fixture
    def records(self, make_record) -> list[TrialRecord]:
        """Straight lines in eight epochs to 0.1, 0.2, 0.3 and 0.4."""
        return [
            make_record(number, value, curve=tuple(value * epoch / 8 for epoch in range(1, 9)))
            for number, value in enumerate([0.1, 0.2, 0.3, 0.4])
        ]

    def test_is_behind_the_median_of_the_same_epoch(self, records) -> None:
        assert math.isclose((0.2 + 0.3) / 2 * 4 / 8, 0.125)
        assert is_hopeless(records, curve=(0.0, 0.0, 0.0, 0.124))
        assert not is_hopeless(records, curve=(0.0, 0.0, 0.0, 0.126))

    def test_counts_the_best_epoch_so_far(self, records) -> None:
        assert not is_hopeless(records, curve=(0.0, 0.2, 0.0, 0.0))

    def test_waits_for_epochs_and_trials(self, records) -> None:
        assert not is_hopeless(records, curve=(0.0,) * (NUM_UNPRUNED_EPOCHS - 1))
        assert not is_hopeless(records[: NUM_UNPRUNED_TRIALS - 1], curve=(0.0,) * 8)
