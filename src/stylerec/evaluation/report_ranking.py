"""The report's sections on ranking: accuracy, what is beyond it, calibration."""

from collections.abc import Mapping

from stylerec.evaluation.bootstrap import Interval, PairedDifference
from stylerec.evaluation.detail_plots import calibration_chart, popularity_chart
from stylerec.evaluation.gates import AMF
from stylerec.evaluation.plot_style import readable_name
from stylerec.evaluation.plots import comparison_chart
from stylerec.evaluation.report_html import figure, folded, heading, section, table
from stylerec.evaluation.report_slices import slices_section
from stylerec.evaluation.results import Evaluation, RankingMetrics


def ranking_sections(evaluation: Evaluation) -> list[str]:
    """Returns the sections on ranking, those without figures left out."""
    if not evaluation.models and not evaluation.baselines:
        return []
    return [
        _comparison(evaluation),
        slices_section(evaluation),
        _beyond_accuracy(evaluation),
        _calibration(evaluation),
    ]


def _comparison(evaluation: Evaluation) -> str:
    note = (
        f"Each customer's held-out {evaluation.split} item, ranked among all items (full candidate "
        "set). Items already seen are filtered and ties count against the model. Customers whose "
        "target they had seen before are left out and counted as repeat targets. Lines and "
        "brackets are 95 % bootstrap intervals over customers. Coloured: models; grey: baselines."
    )
    chart = comparison_chart(_readable(evaluation.models), _readable(evaluation.baselines))
    listed = _listed(evaluation)
    rows = [
        [
            readable_name(name),
            *(
                f"{getattr(m, metric):.4f}{_bracket(m.intervals.get(metric))}"
                for metric in ("ndcg_at_10", "hit_rate_at_10", "mrr_at_10")
            ),
            f"{m.num_customers:,}",
            f"{m.num_repeat_targets:,}",
        ]
        for name, m in listed.items()
    ]
    header = ["", "NDCG@10", "hit rate@10", "MRR@10", "customers", "repeat targets"]
    body = chart + table(header, rows, row_classes=_classes(evaluation, listed))
    body += _differences(evaluation.differences) + _corrected(evaluation)
    body += _cutoffs(evaluation) + _settings(evaluation)
    return section("Ranking", note, body)


def _differences(differences: tuple[PairedDifference, ...]) -> str:
    if not differences:
        return ""
    rows = [
        [
            f"{readable_name(d.model)} against {readable_name(d.reference)}",
            readable_name(d.metric),
            f"{d.difference:+.4f} ({d.interval.low:+.4f} to {d.interval.high:+.4f})",
            _percent(d.uplift, d.uplift_interval),
        ]
        for d in differences
    ]
    note = (
        "Paired: in each of the bootstrap's draws both models meet the same customers, so a "
        "difference can be certain where the intervals above overlap."
    )
    header = ["", "metric", "difference", "uplift"]
    return heading("Differences", note) + table(header, rows)


def _corrected(evaluation: Evaluation) -> str:
    if not evaluation.position_corrected:
        return ""
    rows = [
        [
            readable_name(name),
            f"{m.ndcg_at_10:.4f}{_bracket(m.intervals.get('ndcg_at_10'))}",
            f"{m.hit_rate_at_10:.4f}{_bracket(m.intervals.get('hit_rate_at_10'))}",
        ]
        for name, m in evaluation.position_corrected.items()
    ]
    note = (
        "Targets weighted by the inverse of the probability that the position they were shown at "
        "is examined, self-normalised: what was chosen from low on a page counts for more."
    )
    return heading("Corrected for position", note) + table(["", "NDCG@10", "hit rate@10"], rows)


def _cutoffs(evaluation: Evaluation) -> str:
    listed = {name: m for name, m in _listed(evaluation).items() if m.at}
    if not listed:
        return ""
    cutoffs = sorted({k for m in listed.values() for k in m.at})
    header = ["", *(f"hit rate@{k}" for k in cutoffs), *(f"NDCG@{k}" for k in cutoffs if k > 1)]
    rows = [
        [
            readable_name(name),
            *(f"{m.at[k].hit_rate:.4f}" for k in cutoffs),
            *(f"{m.at[k].ndcg:.4f}" for k in cutoffs if k > 1),
        ]
        for name, m in listed.items()
    ]
    body = table(header, rows, row_classes=_classes(evaluation, listed))
    return folded("Other cut-offs", body)


def _settings(evaluation: Evaluation) -> str:
    if not evaluation.baseline_settings:
        return ""
    rows = [[readable_name(name), text] for name, text in evaluation.baseline_settings.items()]
    body = table(["", "setting"], rows)
    return folded("Settings of the baselines, chosen on validation", body)


def _beyond_accuracy(evaluation: Evaluation) -> str:
    listed = {name: m for name, m in _listed(evaluation).items() if m.at}
    if not listed:
        return ""
    rows = [
        [
            readable_name(name),
            f"{100 * m.at[10].coverage:.1f}%",
            "n/a" if m.novelty_at_10 is None else f"{m.novelty_at_10:.2f}",
            "n/a" if m.popularity_bias_at_10 is None else f"{m.popularity_bias_at_10:.2f}",
        ]
        for name, m in listed.items()
    ]
    note = (
        "Coverage: share of the catalogue in anybody's top ten. Novelty: mean information of a "
        "recommended item, -log2 of its share of the training interactions, in bits. Popularity "
        "bias: mean training interactions of recommended items over those of the items in the "
        "customers' histories; above 1 the recommendations are more popular than what the same "
        "customers choose."
    )
    header = ["", "coverage@10", "novelty@10", "popularity bias@10"]
    body = table(header, rows, row_classes=_classes(evaluation, listed))
    shown = {**evaluation.models, **_amf(evaluation)}
    shares = {name: m.popularity for name, m in shown.items() if m.popularity is not None}
    if shares:
        models = {readable_name(name): found for name, found in shares.items() if name != AMF}
        reference = {readable_name(name): found for name, found in shares.items() if name == AMF}
        body += heading("Where recommendations fall") + popularity_chart(models, reference)
    return section("Coverage, novelty and popularity", note, body)


def _calibration(evaluation: Evaluation) -> str:
    found = {
        name: m.calibration for name, m in evaluation.models.items() if m.calibration is not None
    }
    if not found:
        return ""
    rows = [
        [
            readable_name(name),
            f"{c.expected_calibration_error:.5f}",
            f"{c.predicted_hit_rate:.4f}",
            f"{c.observed_hit_rate:.4f}",
        ]
        for name, c in found.items()
    ]
    note = (
        "Scores read as logits: a recommendation's predicted probability is the softmax of the "
        "scores of all items that the customer has not seen. The top ten recommendations of all "
        "customers are cut into ten bins of equally many by that probability; each point is a "
        "bin's mean probability against the share of its recommendations that were the target. "
        "Above the dashed line a model is too modest, below it too sure. The expected calibration "
        "error is the mean distance, over recommendations. A hollow triangle is a bin without a "
        "hit. Only the order of scores decides what is recommended, so this shows whether a score "
        "may be read as a probability, not whether the ranking is good."
    )
    header = ["", "expected calibration error", "predicted hit rate@10", "hit rate@10"]
    chart = calibration_chart({readable_name(name): c for name, c in found.items()})
    return section("Calibration", note, table(header, rows) + chart)


def _listed(evaluation: Evaluation) -> dict[str, RankingMetrics]:
    """Returns models and baselines, the best first."""
    everything = {**evaluation.models, **evaluation.baselines}
    return dict(sorted(everything.items(), key=lambda row: -row[1].ndcg_at_10))


def _amf(evaluation: Evaluation) -> dict[str, RankingMetrics]:
    return {name: m for name, m in evaluation.baselines.items() if name == AMF}


def _classes(evaluation: Evaluation, names: Mapping[str, object]) -> list[str]:
    return ["model" if name in evaluation.models else "" for name in names]


def _readable(metrics: Mapping[str, RankingMetrics]) -> dict[str, RankingMetrics]:
    return {readable_name(name): found for name, found in metrics.items()}


def _bracket(interval: Interval | None) -> str:
    return "" if interval is None else f" ({interval.low:.4f} to {interval.high:.4f})"


def _percent(share: float | None, interval: Interval | None) -> str:
    if share is None:
        return figure(None)
    around = (
        "" if interval is None else f" ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"
    )
    return f"{100 * share:+.1f}%{around}"
