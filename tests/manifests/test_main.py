from manifests.checks import __main__ as checks
from manifests.checks.rendering import Combination


class TestFindingsOf:
    def test_a_combination_that_does_not_render_is_a_finding(self):
        (finding,) = checks.findings_of(Combination("staging", ("no-such-component",)))
        assert finding.rule == "renders"
        assert "no-such-component" in finding.got

    def test_a_good_one_has_none(self, monkeypatch):
        monkeypatch.delenv("KUBECONFIG", raising=False)
        assert checks.findings_of(Combination("local")) == []


class TestMain:
    def test_says_what_was_judged_and_fails_where_something_is_found(self, monkeypatch, capsys):
        monkeypatch.delenv("KUBECONFIG", raising=False)
        wrong = Combination("local", ("no-such-component",))
        monkeypatch.setattr(checks, "combinations", lambda: [Combination("local"), wrong])
        assert checks.main() == 1
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 2
        assert lines[0].endswith("[renders]")
        assert lines[1].startswith("2 combinations, ")
        assert lines[1].endswith(": 1 findings")
