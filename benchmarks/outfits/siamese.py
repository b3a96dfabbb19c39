"""The Siamese models on MANGO: the paper's config, ours, and ours with fewer inputs.

Each is measured by its sum of pairwise products, and as one more channel of the set model.
`python -m benchmarks.outfits.siamese --data <folder> --split random --seed 0 --config siamese ...`
measures one. The picture network names product types and reads no outfit: one serves every seed.
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

from benchmarks.outfits.mango import (
    TASKS,
    Task,
    fitted_figures,
    measure,
    pooled_path,
    pooled_task,
    read_tables,
)
from stylerec.data.outfits import ITEM_INDEX, Outfit, OutfitSplit
from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.models.outfit.catalogue import product_type_index
from stylerec.models.outfit.config import OutfitConfig
from stylerec.models.outfit.evidence_scorer import MEAN_AND_BEST, PooledDraws, pool_draws
from stylerec.models.outfit.image_training import set_statistics, typed_pictures
from stylerec.models.outfit.images import PictureNetwork
from stylerec.models.outfit.set_scorer import pairwise_score
from stylerec.models.outfit.train import fit_outfit_model, train_pictures
from stylerec.schema.columns import ITEM_ID, PRODUCT_TYPE
from stylerec.schema.tensors import FIRST_ITEM_INDEX

PAPER = Path(__file__).resolve().parents[1] / "configs" / "mango" / "outfit_paper.json"
CONFIGS: dict[str, dict[str, Any]] = {
    "paper": json.loads(PAPER.read_text()),
    "category": {"use_attributes": False, "use_pictures": False},
    "attributes": {"use_pictures": False},
    "whole_picture": {"picture_pooling": "whole"},
    "siamese": {},
}
"""Name to the fields that differ from the default config."""
WITH_SET = "set_with_"
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class StyleProduct:
    """The product of two items' style embeddings, as evidence of one channel.

    Attributes:
        style_VD: Style embeddings, float32 `[V, D]`.
    """

    style_VD: NDArray[np.float32]

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns the product of each pair, `[P, 1]`."""
        product_P = np.einsum("pd,pd->p", self.style_VD[left_P], self.style_VD[right_P])
        return product_P[:, None].astype(np.float64)


def prepared_mango(tables: Path) -> PreparedData:
    """Returns MANGO prepared with pictures, made by the first call."""
    prepared = tables.with_name(tables.name + "-prepared")
    if not (prepared / "dataset.json").exists():
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
    network = PictureNetwork(
        data.vocabulary.category_size(PRODUCT_TYPE),
        config.picture_channels,
        is_localised=config.picture_pooling == "localised",
    )
    network.load_state_dict(load_file(path))
    if not network.is_localised:
        types, images = product_type_index(data.item_features), data.images
        assert images is not None
        set_statistics(network, images, types, typed_pictures(images, types))
    return network.eval()


def trained_style(data: PreparedData, own: Task, config: OutfitConfig) -> NDArray[np.float32]:
    """Returns the style embeddings of a Siamese model of a task's outfits, `[V, D]`.

    The task numbers the items in file order, the prepared data as its vocabulary does.
    """
    place_V = np.zeros(own.num_items, dtype=np.int64)
    place_V[own.items[ITEM_INDEX]] = data.vocabulary.encode_items(own.items[ITEM_ID])

    def placed(outfits: list[Outfit]) -> list[Outfit]:
        return [place_V[outfit] for outfit in outfits]

    split = OutfitSplit(placed(own.fitting), placed(own.validation), [], {})
    pictures = picture_network(data, config) if config.use_pictures else None
    torch.manual_seed(config.seed)
    fitted = fit_outfit_model(data, split, config, pictures=pictures, device=_CPU, progress=_say)
    style_VD: NDArray[np.float32] = fitted.model.style_table().numpy()[place_V]
    style_VD[:FIRST_ITEM_INDEX] = 0.0
    return style_VD


def with_style(own: Task, style_VD: NDArray[np.float32], kept: Path) -> dict[str, float]:
    """Returns what the set model reaches with the style product among its evidence.

    The style knows the items of `other_fittings`, so that weights are fitted without those.
    """
    evidence, product = pooled_task(own, kept), StyleProduct(style_VD)
    sides = (
        (evidence.fitting, own.fitting_draws),
        (evidence.held_out, own.comparisons),
    )
    joined = [_joined(side, pool_draws(product, draws, MEAN_AND_BEST)) for side, draws in sides]
    return fitted_figures(*joined)


def _joined(one: PooledDraws, other: PooledDraws) -> PooledDraws:
    """Returns both ones' channels of the comparisons that `other` has, which `one` has first."""
    pairs = zip(vars(one).values(), vars(other).values(), strict=True)
    return PooledDraws(*(np.concatenate([a[: len(b)], b], axis=-1) for a, b in pairs))


def main() -> None:
    """Measures one config on one split and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="MANGO's folder")
    parser.add_argument("--tables", type=Path, required=True, help="where its tables are kept")
    parser.add_argument("--split", choices=TASKS, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--config", choices=CONFIGS, required=True)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    items, outfits = read_tables(arguments.data, arguments.tables)
    data = prepared_mango(arguments.tables)
    own = TASKS[arguments.split](items, outfits, seed=arguments.seed)
    cut = {
        "seed": arguments.seed,
        "max_epochs": arguments.epochs,
        "patience": arguments.epochs,
    }
    config = OutfitConfig(**{**CONFIGS[arguments.config], **cut})
    style_VD = trained_style(data, own, config)
    kept = pooled_path(arguments.tables, arguments.split, arguments.seed)
    results = {
        arguments.config: measure(own, partial(pairwise_score, style_VD)),
        WITH_SET + arguments.config: with_style(own, style_VD, kept),
    }
    _say(f"{arguments.split}, seed {arguments.seed}: {results}")
    arguments.output.write_text(json.dumps(results, indent=1) + "\n")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
