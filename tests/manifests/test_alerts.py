"""The alerts fire when they should and only then: Prometheus' own promtool says so."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from manifests.checks.rendering import MANIFESTS, Combination, render

CASES = Path(__file__).with_name("alerts.promtool.yaml")


@pytest.fixture
def promtool() -> str:
    installed = MANIFESTS.parent / ".venv" / "promtool"
    found = str(installed) if installed.exists() else shutil.which("promtool")
    if found is None and "CI" not in os.environ:
        pytest.skip("no promtool: run `make .venv/promtool`")
    assert found, "no promtool: `make test` downloads it"
    return found


class TestAlerts:
    def test_every_case_holds(self, promtool, tmp_path):
        rules = render(Combination("production")).of_kind("PrometheusRule")
        groups = [group for rule in rules for group in rule["spec"]["groups"]]
        (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
        shutil.copyfile(CASES, tmp_path / "cases.yaml")
        done = subprocess.run(
            [promtool, "test", "rules", "cases.yaml"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def test_there_is_a_case_in_which_each_alert_fires(self):
        rules = render(Combination("production")).of_kind("PrometheusRule")
        alerts = {
            each["alert"]
            for rule in rules
            for group in rule["spec"]["groups"]
            for each in group["rules"]
            if "alert" in each
        }
        text = CASES.read_text()
        assert {alert for alert in alerts if f'alertname="{alert}"' not in text} == set()
