"""Each rule has a bad manifest: production with one fault, which this rule finds and no other."""

import os
from pathlib import Path

import pytest
import yaml

from manifests.checks.finding import Finding
from manifests.checks.rendering import MANIFESTS, render_folder
from manifests.checks.table import RULES, judge

FILES = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


def findings_of(patches: Path, folder: Path) -> list[Finding]:
    overlay = os.path.relpath(MANIFESTS / "overlays" / "production", folder.resolve())
    document = {
        "resources": [overlay],
        "buildMetadata": ["originAnnotations"],
        **yaml.safe_load(patches.read_text()),
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(document))
    return judge(render_folder(folder, patches.stem))


class TestBadManifests:
    def test_every_rule_has_one(self):
        assert {path.stem for path in FILES} == set(RULES)

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_only_its_rule_catches_it_and_says_how_to_mend_it(self, path, tmp_path):
        findings = findings_of(path, tmp_path)
        assert {finding.rule for finding in findings} == {path.stem}, "\n".join(map(str, findings))
        for finding in findings:
            parts = (finding.object, finding.path, finding.expected, finding.got, finding.fix)
            assert all(parts), finding
            if not finding.object.startswith("NetworkPolicy/*"):
                assert finding.file.startswith("manifests/"), finding
