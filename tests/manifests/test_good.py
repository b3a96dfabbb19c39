"""Every overlay and component combination renders and breaks no rule."""

import pytest

from manifests.checks.cel_rules import unevaluated
from manifests.checks.rendering import combinations, render, representative
from manifests.checks.table import judge

# Kubernetes' own extension of CEL, which no evaluator for Python has.
LEFT_TO_THE_API_SERVER = {'url(self).getScheme() in ["http", "https"]'}


# `make manifests-check` judges all combinations; that takes too long here.
@pytest.mark.parametrize(
    "combination", representative(list(combinations())), ids=lambda each: each.name
)
def test_breaks_no_rule(combination):
    build = render(combination)
    findings = judge(build)
    assert findings == [], "\n".join(map(str, findings))
    left = {rule.split(":")[0] for document in build.documents for rule in unevaluated(document)}
    assert left <= LEFT_TO_THE_API_SERVER
