"""Trains, exports and evaluates one model in this process: `python -m ... <json> <folder>`."""

import json
import resource
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stylerec.data.prepared import PreparedData
from stylerec.evaluation.blocks import Block, BlockScorer
from stylerec.evaluation.cold_start import evaluate_cold_start
from stylerec.evaluation.onnx_scorer import onnx_scorer
from stylerec.evaluation.ranking import evaluate_ranking, evaluate_scorer

_BOOST = "new_item_boost"
_BOOSTS = (0.0, 0.5, 1.0, 1.25, 1.5)
_KNOWN_TARGETS = 5_000


def main(spec: dict[str, Any], folder: Path) -> None:
    """Writes `result.json`: the training record, test metrics, cold-start figures and memory."""
    trained, exported = folder / "trained", folder / "exported"
    prepared = Path(spec["prepared"])
    training = _train(spec["model"], prepared, trained, spec["config"])
    training_rss_mib = _peak_rss_mib()
    _export(spec["model"], trained, prepared, exported)
    data = PreparedData(prepared)
    result: dict[str, Any] = {
        "training": training,
        "training_peak_rss_mib": training_rss_mib,
        "test": evaluate_ranking(exported, data, split="test").model_dump(),
    }
    if spec["cold_items"]:
        cold = np.load(spec["cold_items"], allow_pickle=False)
        scorer = onnx_scorer(exported, num_items=data.vocabulary.num_items)
        result["cold_start"] = evaluate_cold_start(scorer, data, cold).model_dump()
        result["boosts"] = _by_boost(scorer, data, cold, own=spec["config"].get(_BOOST, 0.0))
    aside = folder / "result.json.part"
    aside.write_text(json.dumps(result, indent=2))
    aside.rename(folder / "result.json")
    if not spec["keep"]:
        shutil.rmtree(trained)
        shutil.rmtree(exported)


def _by_boost(
    scorer: BlockScorer, data: PreparedData, cold: NDArray[np.int64], *, own: float
) -> list[dict[str, float]]:
    """Returns recall@10 of cold and of known test targets at several boosts of the cold items."""
    is_cold_V = np.isin(np.arange(data.vocabulary.num_items), cold)
    test = data.split.test
    known = test[~is_cold_V[data.histories.item_index[test.place]]]
    rows = []
    for boost in _BOOSTS:
        shift_V = (boost - own) * is_cold_V.astype(np.float32)

        def shifted(part: Block, shift_V: NDArray[np.float32] = shift_V) -> NDArray[np.floating]:
            return scorer(part) + shift_V

        of_cold = evaluate_cold_start(shifted, data, cold)
        of_known = evaluate_scorer(
            shifted, data.histories, known, block=256, max_customers=_KNOWN_TARGETS
        )
        rows.append(
            {
                "boost": boost,
                "cold_recall_at_10": of_cold.hit_rate_at_10,
                "known_recall_at_10": of_known.hit_rate_at_10,
            }
        )
    return rows


def _train(model: str, prepared: Path, output: Path, config: dict[str, Any]) -> dict[str, Any]:
    if model == "next_item":
        from stylerec.models.next_item.config import NextItemConfig
        from stylerec.models.next_item.train import train_next_item

        return train_next_item(prepared, output, NextItemConfig(**config)).model_dump()
    from stylerec.models.ranking.config import RankingConfig
    from stylerec.models.ranking.train import train_ranking

    chosen = RankingConfig.amf(**config) if model == "amf" else RankingConfig(**config)
    return train_ranking(prepared, output, chosen).model_dump()


def _export(model: str, trained: Path, prepared: Path, output: Path) -> None:
    if model == "next_item":
        from stylerec.models.next_item.export import export_next_item

        export_next_item(trained, prepared, output)
    else:
        from stylerec.models.ranking.export import export_ranking

        export_ranking(trained, prepared, output)


def _peak_rss_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Path(sys.argv[2]))
