import re
from pathlib import Path

import pytest

from manifests.checks.rendering import Combination, component_names, overlay_names, render

DOCS = Path(__file__).parents[2] / "docs" / "cluster"
FILES = sorted(DOCS.rglob("*.md"))


def alerts():
    build = render(Combination("production"))
    for document in build.of_kind("PrometheusRule"):
        for group in document["spec"]["groups"]:
            yield from (rule for rule in group["rules"] if "alert" in rule)


class TestRunbooks:
    def test_each_names_the_alerts_that_lead_to_it(self):
        for rule in alerts():
            text = (DOCS.parents[1] / rule["annotations"]["runbook_url"]).read_text()
            assert f"`{rule['alert']}`" in text, rule["alert"]

    def test_none_is_left_over(self):
        used = {Path(rule["annotations"]["runbook_url"]).name for rule in alerts()}
        assert used == {path.name for path in (DOCS / "runbooks").iterdir()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestPages:
    def test_links_lead_somewhere(self, path):
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
            assert (path.parent / link).exists(), link

    def test_components_and_overlays_that_are_named_exist(self, path):
        text = path.read_text()
        assert set(re.findall(r"components/([a-z-]+)", text)) <= set(component_names())
        assert set(re.findall(r"overlays/([a-z]+)", text)) <= set(overlay_names())
