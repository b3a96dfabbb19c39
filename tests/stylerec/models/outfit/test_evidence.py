import math

import numpy as np
import pandas as pd
import pytest

from stylerec.models.outfit.evidence import pair_evidence

ITEMS = pd.DataFrame(
    {
        "item_index": np.arange(2, 7),
        "product_type": ["bag", "dress", "bag", "dress", "hat"],
        "colour": ["red", "red", "blue", "blue", "red"],
    }
)
TRAIN = [np.array([2, 3]), np.array([2, 3, 6]), np.array([4, 5])]


def channels(groups, left, right, train=TRAIN):
    evidence = pair_evidence(train, ITEMS, num_items=7, groups=groups)
    return evidence.channels(np.array(left), np.array(right))


class TestChannels:
    def test_together_counts_the_outfits_that_are_shared(self):
        found = channels(("together",), [2, 2], [3, 5])
        # Items 2 and 3 are worn twice each, both times together.
        assert found[0] == pytest.approx([1, math.log(3), 2 / 2.5])
        assert found[1] == pytest.approx([0, 0, 0])

    def test_paths_reach_items_that_were_never_worn_together(self):
        train = [np.array([2, 3]), np.array([3, 4])]
        found = channels(("paths",), [2], [4], train)
        # 2 - 3 - 4: each step weighs 1 / sqrt(1 * 2).
        assert found[0] == pytest.approx([math.log(0.5 + 1e-3), math.log(1e-3)], rel=1e-4)

    def test_traits_tell_matching_colours_from_others(self):
        # Neither pair was worn together; red meets red in training, red never meets blue.
        matching, clashing = channels(("traits",), [6, 6], [2, 4], [TRAIN[0], TRAIN[2]])
        assert matching[-1] > clashing[-1]

    def test_the_order_of_a_pair_does_not_matter(self):
        groups = ("together", "paths", "traits")
        assert channels(groups, [2, 5, 6], [3, 4, 5]) == pytest.approx(
            channels(groups, [3, 4, 5], [2, 5, 6])
        )

    def test_takes_no_training_outfit(self):
        found = channels(("together", "paths", "traits"), [2], [3], [])
        assert np.isfinite(found).all()


class TestMaxPartners:
    # Item 2 was worn with 3 twice, with 4 and 5 once, 3 with 4 once.
    def evidence(self, max_partners):
        return pair_evidence(
            [np.array([2, 3, 4]), np.array([2, 3]), np.array([2, 5])],
            ITEMS,
            num_items=7,
            groups=("together", "paths"),
            max_partners=max_partners,
        )

    def test_the_strongest_are_remembered(self):
        companions = self.evidence(1).companions
        assert companions.index_VM[2:4].tolist() == [[3], [2]]
        assert companions.values[0][2:4].tolist() == [[2.0], [2.0]]
        assert companions.index_VM[6].tolist() == [0]

    def test_a_pair_is_known_if_either_remembers_it(self):
        found = self.evidence(1).channels(np.array([2, 3]), np.array([5, 4]))
        # 5 remembers 2, its only companion; 4 remembers one of 2 and 3, which it met once each.
        assert found[0, 0] == 1
        assert self.evidence(2).channels(np.array([3]), np.array([4]))[0, 0] == 1

    def test_enough_partners_leave_nothing_out(self):
        left, right = np.triu_indices(5, k=1)
        one, other = (self.evidence(m).channels(left + 2, right + 2) for m in (6, 100))
        np.testing.assert_array_equal(one, other)

    def test_rare_values_of_a_trait_count_as_none(self, monkeypatch):
        monkeypatch.setattr("stylerec.models.outfit.evidence._MAX_VALUES", 1)
        evidence = pair_evidence(TRAIN, ITEMS, num_items=7)
        # Red is worn five times, blue twice.
        assert evidence.information["colour"].code_V.tolist() == [0, 0, 1, 1, 0, 0, 1]
