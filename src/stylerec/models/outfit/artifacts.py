"""The trained model's folder.

`config.json`, `weights.safetensors`, `training.json`, and `set_scorer.safetensors` where the set
scorer scores outfits.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from stylerec.aside import written_aside
from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError, shortened
from stylerec.models.outfit.catalogue import build_model
from stylerec.models.outfit.config import OutfitConfig
from stylerec.models.outfit.images import PictureNetwork
from stylerec.models.outfit.model import OutfitModel
from stylerec.models.outfit.set_scorer import ScorerFigures, ScorerName, SetTables

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "weights.safetensors"
TRAINING_FILE = "training.json"
SET_SCORER_FILE = "set_scorer.safetensors"
_PICTURES = "pictures."
_PICTURE_TYPES = "classify.weight"


class EpochRecord(BaseModel):
    """What one epoch did."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    loss: float
    """Mean training loss, in nats."""
    validation_auc: float
    """Compatibility AUC of the validation outfits against fixed counter-examples."""
    outfits_per_s: float
    seconds: float
    """Training and validation together."""


class TrainingResult(BaseModel):
    """How a model was trained; written as `training.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    num_weights: int
    """Of the item embedder; the picture network has its own."""
    best_epoch: int
    """The epoch whose weights were kept, from 1."""
    validation_auc: float
    """Of the best epoch, by the sum of pairs."""
    scorer: ScorerName
    """What scores whole outfits."""
    validation: dict[ScorerName, ScorerFigures]
    """What each scorer reaches on validation outfits; empty where they are too few to say."""
    num_train_outfits: int
    num_validation_outfits: int
    dropped_outfits: dict[str, int]
    """Outfits left out, by reason."""
    has_pictures: bool
    picture_seconds: float
    """Training the picture network and reading every picture once."""
    seconds: float
    epochs: tuple[EpochRecord, ...]


def save_trained(
    model: OutfitModel,
    output: Path,
    *,
    config: OutfitConfig,
    result: TrainingResult,
    tables: SetTables | None,
) -> None:
    """Writes a trained model's folder, whole or not at all.

    Args:
        model: The Siamese model.
        output: The folder.
        config: What it was trained with.
        result: How training went.
        tables: Of the set scorer, None where the sum of pairs scores outfits.

    Raises:
        ReleaseError: The disk is full or the place cannot be written.
    """
    weights = {name: w.detach().cpu().contiguous() for name, w in model.state_dict().items()}
    with written_aside(output, error=ReleaseError, write_errors=(SafetensorError,)) as folder:
        save_file(weights, folder / WEIGHTS_FILE)
        if tables is not None:
            tables.save(folder / SET_SCORER_FILE)
        (folder / CONFIG_FILE).write_text(config.model_dump_json(indent=2))
        (folder / TRAINING_FILE).write_text(result.model_dump_json(indent=2))


def load_trained(trained: Path, prepared: PreparedData) -> tuple[OutfitModel, OutfitConfig]:
    """Returns the model that `save_trained` wrote, on the CPU, not training, and its config.

    Args:
        trained: Its folder.
        prepared: The data it was trained on: item features are not stored twice, and localised
            picture features are computed again from the stored picture network.

    Raises:
        ReleaseError: The folder is incomplete, or was trained on other categories or pictures.
    """
    try:
        config = OutfitConfig.model_validate_json((trained / CONFIG_FILE).read_text())
        weights = load_file(trained / WEIGHTS_FILE)
    except (OSError, ValidationError, SafetensorError) as error:
        raise ReleaseError(
            str(trained),
            expected=f"{CONFIG_FILE} and {WEIGHTS_FILE} of a trained outfit model",
            got=shortened(str(error).splitlines(), limit=1),
            fix="train the outfit model again",
        ) from error
    pictures = _load_pictures(weights, config)
    if pictures is not None and prepared.images is None:
        raise _other_data(trained, "pictures", "none")
    model = build_model(prepared, config, pictures=pictures)
    expected = {name: w.shape for name, w in model.state_dict().items()}
    found = {name: w.shape for name, w in weights.items()}
    if expected != found:
        names = {name for name, _ in expected.items() ^ found.items()}
        raise _other_data(trained, "the same categories", f"others in {shortened(sorted(names))}")
    model.load_state_dict(weights)
    return model.eval(), config


def load_set_tables(trained: Path, *, num_items: int) -> SetTables | None:
    """Returns the set scorer that `save_trained` wrote, None where the sum of pairs scores.

    Raises:
        ReleaseError: The file cannot be read, or is of another catalogue.
    """
    path = trained / SET_SCORER_FILE
    if not path.exists():
        return None
    try:
        tables = SetTables.load(path)
    except (OSError, SafetensorError, TypeError) as error:
        raise ReleaseError(
            str(path),
            expected="the tables of a set scorer",
            got=shortened(str(error).splitlines(), limit=1),
            fix="train the outfit model again",
        ) from error
    if len(tables.row_V) != num_items:
        raise ReleaseError(
            str(path),
            expected=f"{num_items} items, as in the prepared data",
            got=f"{len(tables.row_V)}",
            fix="train the outfit model again on this prepared data",
        )
    return tables


def _load_pictures(weights: dict[str, Tensor], config: OutfitConfig) -> PictureNetwork | None:
    own = {n.removeprefix(_PICTURES): w for n, w in weights.items() if n.startswith(_PICTURES)}
    if not own:
        return None
    network = PictureNetwork(
        len(own[_PICTURE_TYPES]),
        config.picture_channels,
        is_localised=config.picture_pooling == "localised",
    )
    network.load_state_dict(own)
    return network.eval()


def _other_data(trained: Path, expected: str, got: str) -> ReleaseError:
    return ReleaseError(
        str(trained / WEIGHTS_FILE),
        expected=f"{expected} in the prepared data, as in training",
        got=got,
        fix="train the outfit model again on this prepared data",
    )
