"""The outfit benchmark's results as Markdown and as one JSON object."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.models.table import markdown, spread
from benchmarks.outfits.generation_report import generation_section

Result = Mapping[str, Mapping[str, float]]
"""Model to `auc` and `fitb` of one seed."""
METRICS = ("auc", "fitb")
LABELS = {
    "attribute_pmi": "floor: attribute-pair PMI",
    "cooccurrence": "floor: co-occurrence",
    "spectral_pairs": "sum of pairwise products, spectral embeddings",
    "set_traits": "set model, attributes of items and of their company",
    "set_together": "set model, worn together alone",
    "set_together_paths": "set model, worn together and paths",
    "pairs": "all evidence, mean over pairs",
    "set": "set model, all evidence",
    "paper": "Siamese, the paper's config",
    "category": "Siamese, ours: category",
    "attributes": "Siamese, ours: category, text, attributes",
    "whole_picture": "Siamese, ours: category, text, attributes, whole picture",
    "siamese": "Siamese, ours: category, text, attributes, localised picture",
    "set_with_paper": "set model, all evidence and style of the paper's config",
    "set_with_category": "set model, all evidence and style of category",
    "set_with_attributes": "set model, all evidence and style of category, text, attributes",
    "set_with_whole_picture": "set model, all evidence and style with whole picture",
    "set_with_siamese": "full model: set model, all evidence and style with localised picture",
}
FULL = "set_with_siamese"
"""What the training pipeline builds and serves."""
ABLATION = ("set_traits", "set_together", "set_together_paths", "pairs", "set")
TARGETS = {"random": (0.85, 0.58), "polyvore": (0.89, 0.58)}


def spreads(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """Returns every model's metrics as mean, deviation and number of the seeds that have it."""
    models = dict.fromkeys(model for result in results for model in result)
    return {
        model: {
            metric: spread([result[model][metric] for result in results if model in result])
            for metric in METRICS
        }
        for model in models
    }


def gain(results: Sequence[Result]) -> dict[str, Any]:
    """Returns how much FITB the full model gains on the paper's, seed by seed."""
    both = [result for result in results if FULL in result and "paper" in result]
    return spread([result[FULL]["fitb"] - result["paper"]["fitb"] for result in both])


def headline(results: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the object of the last line; a part that was not run is null."""
    mango = {name: spreads(runs) for name, runs in results.get("mango", {}).items()}
    siamese = {name: spreads(runs) for name, runs in results.get("siamese", {}).items()}
    random = mango.get("random", {})
    ablation = {name: random[name] for name in ABLATION if name in random}
    ablation |= siamese.get("random", {})
    polyvore, generated = results.get("polyvore"), results.get("generated")
    latency = results.get("generation")
    return {
        "mango": {
            "random": random.get("set"),
            "item_disjoint": mango.get("item_disjoint", {}).get("set"),
            "ablation": ablation or None,
        },
        "polyvore": polyvore and spreads(polyvore)["set"],
        "set_encoder_gain_fitb": gain(results["siamese"]["random"]) if siamese else None,
        "generated_preferred_share": generated
        and spread([result["preferred_share"] for result in generated]),
        "generation_p99_ms": latency and spread([run["p99_ms"] for run in latency["runs"]]),
    }


def markdown_report(results: Mapping[str, Any]) -> str:
    """Returns the tables, one per part that was run."""
    parts = []
    for name, runs in results.get("mango", {}).items():
        models = spreads(runs)
        siamese = results.get("siamese", {}).get(name)
        models |= spreads(siamese) if siamese else {}
        parts.append(f"## mango, {name.replace('_', '-')} split\n\n{_model_table(models)}")
    if results.get("polyvore"):
        parts.append(f"## Polyvore-T, text\n\n{_model_table(spreads(results['polyvore']))}")
    if results.get("generation"):
        parts.append(f"## Generation\n\n{generation_section(results['generation'])}")
    line = headline(results)
    parts.append(f"## Targets\n\n{_target_table(line)}")
    return "\n\n".join(parts)


def is_outside_spread(difference: Mapping[str, Any]) -> bool:
    """Returns whether a mean difference is more than its deviation over several seeds."""
    return bool(difference["seeds"] > 1 and difference["mean"] > difference["std"])


def _model_table(models: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [
            LABELS[name],
            *(_cell(metrics[metric]) for metric in METRICS),
            str(metrics[METRICS[0]]["seeds"]),
        ]
        for name, metrics in models.items()
    ]
    return markdown(["model", "AUC", "FITB", "seeds"], rows)


def _target_table(line: Mapping[str, Any]) -> str:
    rows = []
    for name, found in (("random", line["mango"]["random"]), ("polyvore", line["polyvore"])):
        for metric, target in zip(METRICS, TARGETS[name], strict=True):
            if found:
                is_met = found[metric]["mean"] >= target
                label = f"{'mango, random' if name == 'random' else name}, {metric.upper()}"
                rows.append([label, _cell(found[metric]), f"at least {target:.2f}", _met(is_met)])
    difference = line["set_encoder_gain_fitb"]
    if difference:
        is_met = is_outside_spread(difference)
        rows.append(
            [
                "full model over the paper's, FITB",
                _cell(difference),
                "outside the seeds' spread",
                _met(is_met),
            ]
        )
    share, latency = line["generated_preferred_share"], line["generation_p99_ms"]
    if share:
        is_met = share["mean"] >= 0.75
        rows.append(["generated outfits preferred", _cell(share), "at least 0.75", _met(is_met)])
    if latency:
        is_met = latency["mean"] <= 15.0
        rows.append(["generation p99", f"{latency['mean']:.1f} ms", "at most 15 ms", _met(is_met)])
    return markdown(["what", "measured", "target", ""], rows)


def _cell(metric: Mapping[str, Any]) -> str:
    return f"{metric['mean']:.4f} ± {metric['std']:.4f}".replace("0.", ".")


def _met(is_met: bool) -> str:
    return "met" if is_met else "not met"
