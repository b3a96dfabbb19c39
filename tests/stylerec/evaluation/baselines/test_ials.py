import sys

import numpy as np
import pytest

from stylerec.errors import ConfigError
from stylerec.evaluation.baselines.ials import IalsSettings, ials_scorer
from stylerec.evaluation.baselines.known import Known

SETTINGS = IalsSettings(factors=2, regularisation=0.1, confidence=10.0, iterations=10)


@pytest.fixture
def known(prepared):
    """Two groups of customers, each with four items of its own, of whom the last is held out."""
    groups = [[2, 3, 4, 5], [6, 7, 8, 9]]
    customers = [group[skip:] + group[:skip] for group in groups for skip in range(4)] * 5
    return Known(prepared(*customers, num_items=10), "test")


class TestIalsScorer:
    def test_prefers_what_like_customers_met(self, known, block):
        scores = ials_scorer(known, settings=SETTINGS)(block([2, 3], [7, 8]))
        assert scores[0, 4:6].min() > scores[0, 6:].max()
        assert scores[1, [6, 9]].min() > scores[1, 2:6].max()

    def test_solves_a_customer_from_the_history_given(self, known, block):
        # Score = Y x with x = (Y'Y + (alpha - 1) sum y y' + l I)^-1 alpha sum y, all in the span of
        # the item factors, so that any two solutions of the same history are the same.
        scorer = ials_scorer(known, settings=SETTINGS)
        once, twice, other = scorer(block([2, 3], [3, 2, 2], [2]))
        np.testing.assert_allclose(once, twice, rtol=1e-4)
        assert not np.allclose(once, other, rtol=1e-2)

    def test_is_the_same_with_the_same_seed(self, known, block):
        first, again = (ials_scorer(known, settings=SETTINGS)(block([2])) for _ in range(2))
        np.testing.assert_array_equal(first, again)

    def test_raises_without_the_package(self, known, monkeypatch):
        monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
        with pytest.raises(ConfigError, match=r"the package implicit, got none; .*\[bench\]"):
            ials_scorer(known, settings=SETTINGS)
