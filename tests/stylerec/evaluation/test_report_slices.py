from stylerec.evaluation.report_slices import slices_section
from stylerec.evaluation.results import Evaluation


def _page(metrics, **slices):
    some = metrics.model_copy(
        update={"slices": {**metrics.slices, **slices}} if slices else {"slices": {}}
    )
    return slices_section(Evaluation(models={"ranking": some}))


class TestSlicesSection:
    def test_is_empty_without_slices(self, metrics):
        assert slices_section(Evaluation(models={"ranking": metrics(0.05)})) == ""

    def test_names_groups_slices_and_sizes(self, full_metrics):
        html = slices_section(Evaluation(models={"ranking": full_metrics}))
        assert "Customers by history" in html
        assert "short, under 5, n = 40" in html
        assert "Customers by history: short, under 5" in html

    def test_the_only_market_is_left_out(self, full_metrics):
        part = full_metrics.slices["history_short"]
        assert "Markets" not in _page(full_metrics, **{"market=GB": part})
        html = _page(full_metrics, **{"market=GB": part, "market=DE": part})
        assert "Markets: GB" in html

    def test_long_names_are_cut_in_the_chart_and_whole_in_the_table(self, full_metrics):
        part, name = full_metrics.slices["history_short"], "x" * 60
        html = _page(full_metrics, **{f"department={name}": part, "department=y": part})
        assert f"{'x' * 27}…, n = 40" in html
        assert f"Departments: {name}" in html

    def test_small_slices_are_marked(self, full_metrics):
        small = full_metrics.slices["history_short"].model_copy(
            update={"num_customers": 5, "is_too_small": True}
        )
        html = _page(full_metrics, items_cold=small)
        assert "cold: never trained, n = 5: too few" in html
        assert '<td class="">too few</td>' in html
