import pytest

from stylerec.evaluation.report_html import facts, figure, folded, heading, section, table


class TestTable:
    def test_columns_of_numbers_are_right_aligned(self):
        html = table(["name", "figure"], [["a", "1.5"], ["b", "2,000"]])
        assert '<th class="number">figure</th>' in html
        assert '<td class="number">2,000</td>' in html
        assert '<td class="">a</td>' in html

    @pytest.mark.parametrize("text", ["0.1 (0.05 to 0.2)", "+0.1", "-3.2%", "1 ± 0.1", "n/a"])
    def test_figures_in_any_form_are_numbers(self, text):
        assert '<td class="number">' in table(["x"], [[text]])

    @pytest.mark.parametrize("text", ["", "1 customer of 2", "3rd"])
    def test_words_are_not(self, text):
        assert '<td class="number">' not in table(["x"], [[text]])

    def test_intervals_are_smaller(self):
        assert "0.1<small> (0.05 to 0.2)</small>" in table(["x"], [["0.1 (0.05 to 0.2)"]])

    def test_rows_may_have_classes(self):
        html = table(["x"], [["a"], ["b"]], row_classes=["model", ""])
        assert '<tr class="model"><td class="">a' in html

    def test_verdicts_are_marked(self):
        html = table(["x"], [["passed"], ["failed"]])
        assert '<td class="yes">passed' in html
        assert '<td class="no">failed' in html


class TestEscaping:
    def test_a_retailers_words_cannot_become_markup(self):
        evil = "<b>&"
        for html in (
            table([evil], [[evil]]),
            section(evil, evil, ""),
            heading(evil, evil),
            folded(evil, ""),
            facts({evil: 1}),
        ):
            assert "<b>&" not in html.replace("<b>1</b>", "")
            assert "&lt;b&gt;&amp;" in html


class TestFigure:
    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.12345, "0.1235"), (2.0, "2"), (12_345, "12,345"), (None, "n/a"), ("as is", "as is")],
    )
    def test_reads_as_text(self, value, text):
        assert figure(value) == text
