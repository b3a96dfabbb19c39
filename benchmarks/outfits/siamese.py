"""The Siamese models on MANGO: the paper's config, ours, and both among the set model's evidence.

`python -m benchmarks.outfits.siamese --data <folder> --split random --seed 0 ...`, one seed each.
The picture network names product types and reads no outfit: one serves every seed and split.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from benchmarks.outfits.mango import TASKS, Task, measure
from stylerec.data.importing import import_tables
from stylerec.data.outfits import OutfitSplit, distinct_outfits
from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.evaluation.outfits import sum_of_pairs
from stylerec.models.outfit.config import OutfitConfig
from stylerec.models.outfit.evidence import PairEvidence, pair_evidence
from stylerec.models.outfit.evidence_scorer import fit_evidence_scorer
from stylerec.models.outfit.images import PictureNetwork
from stylerec.models.outfit.train import fit_outfit_model, train_pictures
from stylerec.schema.columns import IS_HERO, PRODUCT_TYPE

PAPER = Path(__file__).resolve().parents[1] / "configs" / "mango" / "outfit_paper.json"
CONFIGS: dict[str, dict[str, Any]] = {
    "paper": json.loads(PAPER.read_text()),
    "siamese": {},
    "siamese_no_picture": {"use_pictures": False},
}
"""Name to the fields that differ from the default config."""
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class WithStyle:
    """Evidence with the product of two items' style embeddings as one more channel.

    Attributes:
        evidence: The other channels.
        style_VD: Style embeddings, float32 `[V, D]`.
    """

    evidence: PairEvidence
    style_VD: NDArray[np.float32]

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns the evidence about each pair, `[P, F + 1]`."""
        product_P = (self.style_VD[left_P] * self.style_VD[right_P]).sum(axis=1)
        return np.column_stack([self.evidence.channels(left_P, right_P), product_P])


def prepared_mango(source: Path, tables: Path) -> PreparedData:
    """Returns MANGO prepared with pictures, made by the first call."""
    prepared = tables.with_name(tables.name + "-prepared")
    if not (prepared / "dataset.json").exists():
        if not tables.exists():
            import_tables("mango", source, tables)
        prepare(tables, prepared, PrepareConfig(), progress=_say)
    return PreparedData(prepared)


def picture_network(data: PreparedData, config: OutfitConfig) -> PictureNetwork | None:
    """Returns the picture network of a config, trained by the first call."""
    path = data.folder / "picture_network.safetensors"
    if not path.exists():
        torch.manual_seed(config.seed)
        network = train_pictures(data, config, device=_CPU, progress=_say)
        if network is None:
            return None
        save_file(network.state_dict(), path)
    network = PictureNetwork(data.vocabulary.category_size(PRODUCT_TYPE), config.picture_channels)
    network.load_state_dict(load_file(path))
    return network.eval()


def measure_siamese(
    data: PreparedData, own: Task, *, seed: int, epochs: int
) -> dict[str, dict[str, float]]:
    """Returns what each config reaches, by sums over pairs and among the set model's evidence."""
    results = {}
    styles = {}
    cut = {"seed": seed, "max_epochs": epochs, "patience": epochs}
    for name, fields in CONFIGS.items():
        config = OutfitConfig(**{**fields, **cut})
        pictures = picture_network(data, config) if config.use_pictures else None
        split = OutfitSplit(own.fitting, own.validation, [], {})
        torch.manual_seed(seed)
        fitted = fit_outfit_model(
            data, split, config, pictures=pictures, device=_CPU, progress=_say
        )
        styles[name] = style_VD = fitted.model.style_table().numpy()
        results[name] = measure(own, partial(_pair_score, style_VD))
        _say(f"seed {seed}, {name}: {results[name]}")
    plain = partial(pair_evidence, items=own.items, num_items=own.num_items)
    score = fit_evidence_scorer(
        lambda outfits: WithStyle(plain(outfits), styles["siamese"]),
        own.fitting,
        own.fitting_draws,
        own.counted,
    )
    results["set_with_siamese"] = measure(own, score)
    _say(f"seed {seed}, set_with_siamese: {results['set_with_siamese']}")
    return results


def _pair_score(
    style_VD: NDArray[np.float32], outfits_BN: NDArray[np.int64]
) -> NDArray[np.float64]:
    return sum_of_pairs(style_VD[outfits_BN]).astype(np.float64)


def main() -> None:
    """Measures one split and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="MANGO's folder")
    parser.add_argument("--tables", type=Path, required=True, help="where its tables are kept")
    parser.add_argument("--split", choices=TASKS, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    data = prepared_mango(arguments.data, arguments.tables)
    outfits, _ = distinct_outfits(data.outfits.drop(columns=IS_HERO))
    own = TASKS[arguments.split](data.items, outfits, seed=arguments.seed)
    results = measure_siamese(data, own, seed=arguments.seed, epochs=arguments.epochs)
    arguments.output.write_text(json.dumps(results, indent=1) + "\n")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
