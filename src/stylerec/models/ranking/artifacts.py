"""The trained model's folder: `config.json`, `weights.safetensors`, `training.json`."""

from pathlib import Path

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from stylerec.aside import written_aside
from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError, shortened
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel
from stylerec.models.records import TrainingResult

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "weights.safetensors"
TRAINING_FILE = "training.json"
_HAS_ID = "item.has_id"


def save_trained(model: RankingModel, output: Path, result: TrainingResult) -> None:
    """Writes a trained model's folder, whole or not at all.

    Raises:
        ReleaseError: The disk is full or the place cannot be written.
    """
    weights = {name: w.numpy() for name, w in model.parameters.variables.items()}
    with written_aside(output, error=ReleaseError, write_errors=(SafetensorError,)) as folder:
        save_file(weights, folder / WEIGHTS_FILE)
        (folder / CONFIG_FILE).write_text(model.config.model_dump_json(indent=2))
        (folder / TRAINING_FILE).write_text(result.model_dump_json(indent=2))


def load_trained(trained: Path, prepared: PreparedData) -> RankingModel:
    """Returns the model that `save_trained` wrote.

    Args:
        trained: Its folder.
        prepared: The data it was trained on: item features are not stored twice.

    Raises:
        ReleaseError: The folder is incomplete or was trained on other prepared data.
    """
    try:
        config = RankingConfig.model_validate_json((trained / CONFIG_FILE).read_text())
        weights = load_file(trained / WEIGHTS_FILE)
    except (OSError, ValidationError, SafetensorError) as error:
        raise ReleaseError(
            str(trained),
            expected=f"{CONFIG_FILE} and {WEIGHTS_FILE} of a trained ranking model",
            got=shortened(str(error).splitlines(), limit=1),
            fix="train the ranking model again",
        ) from error
    features = prepared.item_features
    num_items = len(features.text_tokens)
    has_id = weights.get(_HAS_ID, np.zeros(0, np.float32)) > 0
    if len(has_id) != num_items:
        raise _other_data(trained, f"{num_items} items", f"{len(has_id)}")
    model = RankingModel(config, features, has_id=has_id)
    shapes = {name: tuple(w.shape) for name, w in model.parameters.variables.items()}
    found = {name: w.shape for name, w in weights.items()}
    if shapes != found:
        names = {name for name, _ in shapes.items() ^ found.items()}
        raise _other_data(
            trained, "the same content columns", f"others: {shortened(sorted(names))}"
        )
    for name, variable in model.parameters.variables.items():
        variable.assign(weights[name])
    return model


def _other_data(trained: Path, expected: str, got: str) -> ReleaseError:
    return ReleaseError(
        f"{trained / WEIGHTS_FILE}",
        expected=f"{expected} as in the prepared data",
        got=got,
        fix="train the ranking model again on this prepared data",
    )
