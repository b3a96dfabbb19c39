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


class TestModelsOfARelease:
    def test_a_triton_whose_model_the_release_lacks_is_a_finding(self, monkeypatch):
        monkeypatch.delenv("KUBECONFIG", raising=False)
        found = checks.findings_of(Combination("production"), frozenset({"ranking", "next_item"}))
        assert [(each.object, each.rule) for each in found] == [
            ("InferenceService/outfit", "models-beside")
        ]

    def test_a_folder_without_a_release_is_one_message(self, tmp_path, capsys):
        assert checks.main(["--release", str(tmp_path)]) == 2
        assert "release.json" in capsys.readouterr().err


class TestMain:
    def test_says_what_was_judged_and_fails_where_something_is_found(self, monkeypatch, capsys):
        monkeypatch.delenv("KUBECONFIG", raising=False)
        wrong = Combination("local", ("no-such-component",))
        monkeypatch.setattr(checks, "combinations", lambda: [Combination("local"), wrong])
        assert checks.main() == 1
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 2
        assert lines[0].endswith("[renders, in local + no-such-component]")
        assert lines[1].startswith("2 combinations, ")
        assert lines[1].endswith(": 1 findings")
