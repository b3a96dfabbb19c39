"""Trains the outfit model on prepared data."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylerec.data.outfit_negatives import Negatives
from stylerec.data.outfits import OutfitSplit, compatibility_auc, split_outfits
from stylerec.data.prepared import PreparedData
from stylerec.errors import ConfigError, DataError
from stylerec.models.outfit.artifacts import EpochRecord, TrainingResult, save_trained
from stylerec.models.outfit.batches import OutfitBatch, OutfitBatches, counter_examples, replaceable
from stylerec.models.outfit.catalogue import build_model, product_type_index
from stylerec.models.outfit.config import OutfitConfig
from stylerec.models.outfit.image_training import train_picture_network, typed_pictures
from stylerec.models.outfit.images import PictureNetwork
from stylerec.models.outfit.loss import outfit_loss
from stylerec.models.outfit.model import OutfitModel, sum_of_pairs
from stylerec.models.outfit.set_scorer import (
    ScorerFigures,
    ScorerName,
    SetTables,
    fit_set_scorer,
    set_tables,
)
from stylerec.models.outfit.style_space import write_style_space
from stylerec.schema.columns import PRODUCT_TYPE
from stylerec.schema.tensors import OUTFIT

_MAX_GRADIENT_NORM = 5.0
_WARM_UP = 0.15
"""Share of all steps in which the learning rate rises; then it falls to nothing."""
_NUM_VALIDATION_NEGATIVES = 5
_VALIDATION_SEED = 11
"""The same counter-examples in every epoch and run, so that runs can be compared."""


def train_outfit(
    prepared: Path,
    output: Path,
    config: OutfitConfig,
    *,
    progress: Callable[[str], None] = print,
) -> TrainingResult:
    """Trains on the training outfits and writes the best epoch's model into `output`.

    First, where there are pictures, a small network that names product types, whose localised
    features are then fixed inputs of the item embedder. Stops when the validation AUC has not
    improved for `patience` epochs; the test outfits are never read. Uses a GPU if there is one. On
    a CPU the same seed, data and thread count give the same weights.

    Args:
        prepared: Folder that the preparation wrote.
        output: Folder for `config.json`, `weights.safetensors`, `training.json`, `style_space.html`
            and `style_space.png`, and `set_scorer.safetensors` where it is chosen; replaced whole.
        config: Architecture and training.
        progress: Takes one line per epoch.

    Raises:
        DataError: There are too few outfits to train and validate on.
        ConfigError: The loss stopped being a number.
    """
    started = time.perf_counter()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = PreparedData(prepared)
    split = split_outfits(data.outfits)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(config.seed)
        pictures = train_pictures(data, config, device=device, progress=progress)
        picture_seconds = time.perf_counter() - started
        fitted = fit_outfit_model(
            data, split, config, pictures=pictures, device=device, progress=progress
        )
    model, epochs = fitted.model, fitted.epochs
    style_VD = model.style_table().cpu().numpy()
    scorer, validation, tables = _choose_scorer(data, split, style_VD, config, progress)
    best = max(epochs, key=lambda record: record.validation_auc)
    result = TrainingResult(
        model=OUTFIT,
        num_weights=sum(weight.numel() for weight in model.embedder.parameters()),
        best_epoch=best.epoch,
        validation_auc=best.validation_auc,
        scorer=scorer,
        validation=validation,
        num_train_outfits=fitted.num_train_outfits,
        num_validation_outfits=fitted.num_validation_outfits,
        dropped_outfits=split.dropped,
        has_pictures=pictures is not None,
        picture_seconds=picture_seconds if pictures is not None else 0.0,
        seconds=time.perf_counter() - started,
        epochs=epochs,
    )
    save_trained(model, output, config=config, result=result, tables=tables)
    scale = float(model.scale.detach())
    write_style_space(style_VD, data, output, scale=scale, seed=config.seed)
    return result


@dataclass(frozen=True)
class Fitted:
    """A trained model.

    Attributes:
        model: With the best epoch's weights, not training.
        epochs: What each epoch did.
        num_train_outfits: Outfits that could be told from a counter-example.
        num_validation_outfits: Likewise.
    """

    model: OutfitModel
    epochs: tuple[EpochRecord, ...]
    num_train_outfits: int
    num_validation_outfits: int


def fit_outfit_model(
    data: PreparedData,
    split: OutfitSplit,
    config: OutfitConfig,
    *,
    pictures: PictureNetwork | None,
    device: torch.device,
    progress: Callable[[str], None],
) -> Fitted:
    """Returns a model trained on a split's training outfits; its test outfits are not read.

    Args:
        data: Item features and pictures.
        split: Outfits; validation decides which epoch's weights are kept.
        config: Architecture and training; the caller seeds torch's own generator.
        pictures: A trained picture network, or None to go without pictures.
        device: Where to train.
        progress: Takes one line per epoch.

    Raises:
        DataError: There are too few outfits to train and validate on.
        ConfigError: The loss stopped being a number.
    """
    num_items = data.vocabulary.num_items
    negatives = Negatives(data.items, split.train, num_items=num_items, rule=config.negative_rule)
    # Whatever trains, validation asks the question that counts.
    strict = Negatives(data.items, split.train, num_items=num_items)
    train_BN = replaceable(split.train, negatives)
    validation_BN = replaceable(split.validation, strict)
    _check(split, train_BN, validation_BN)
    model = build_model(data, config, pictures=pictures, device=device)
    batches = _batches(train_BN, negatives, config, device=device)
    validation_BAN = _with_counter_examples(validation_BN, strict)
    trainer = _Trainer(model, config, batches, validation_BAN, num_outfits=len(train_BN))
    epochs = trainer.run(progress)
    return Fitted(model, epochs, len(train_BN), len(validation_BN))


def _choose_scorer(
    data: PreparedData,
    split: OutfitSplit,
    style_VD: NDArray[np.float32],
    config: OutfitConfig,
    progress: Callable[[str], None],
) -> tuple[ScorerName, dict[ScorerName, ScorerFigures], SetTables | None]:
    """Returns what scores whole outfits, what each scorer reaches, and the set scorer's tables."""
    try:
        scorer, figures = fit_set_scorer(
            data.items, split, style_VD, max_partners=config.max_partners
        )
    except DataError:
        if config.scorer == "set":
            raise
        progress("outfit set scorer: too few validation outfits, so the sum of pairs scores")
        return "pairwise", {}, None
    for name, own in figures.items():
        progress(f"outfit scorer {name}: validation AUC {own.auc:.4f}, FITB {own.fitb:.4f}")
    chosen: ScorerName = (
        max(figures, key=lambda name: figures[name].auc + figures[name].fitb)
        if config.scorer == "best"
        else config.scorer
    )
    return chosen, figures, set_tables(scorer) if chosen == "set" else None


def train_pictures(
    data: PreparedData,
    config: OutfitConfig,
    *,
    device: torch.device,
    progress: Callable[[str], None],
) -> PictureNetwork | None:
    """Returns a trained picture network, None where there is nothing to train it on."""
    images = data.images
    if images is None or not config.use_pictures:
        return None
    product_type = product_type_index(data.item_features)
    if not len(typed_pictures(images, product_type)):
        progress("outfit pictures: none of a known product type, so pictures are left out")
        return None
    return train_picture_network(
        images,
        product_type,
        config,
        num_types=data.vocabulary.category_size(PRODUCT_TYPE),
        device=device,
        progress=progress,
    )


def _batches(
    train_BN: NDArray[np.int64],
    negatives: Negatives,
    config: OutfitConfig,
    *,
    device: torch.device,
) -> OutfitBatches:
    return OutfitBatches(
        train_BN,
        negatives,
        batch_size=config.batch_size,
        num_negatives=config.num_negatives,
        num_single_negatives=config.num_single_negatives * config.hard_negative_draws,
        seed=config.seed,
        device=device,
        is_fixed=config.has_fixed_negatives,
    )


def _with_counter_examples(
    validation_BN: NDArray[np.int64], negatives: Negatives
) -> NDArray[np.int64]:
    """Returns the outfits, each followed by its counter-examples, `[B, 1 + negatives, N]`."""
    false_BKN = counter_examples(
        validation_BN,
        negatives,
        np.random.default_rng(_VALIDATION_SEED),
        num_whole=_NUM_VALIDATION_NEGATIVES,
    )
    return np.concatenate([validation_BN[:, None], false_BKN], axis=1)


class _Trainer:
    """Runs epochs, keeping the weights of the best one."""

    def __init__(
        self,
        model: OutfitModel,
        config: OutfitConfig,
        batches: OutfitBatches,
        validation_BAN: NDArray[np.int64],
        *,
        num_outfits: int,
    ) -> None:
        self._model, self._config = model, config
        self._batches, self._num_outfits = batches, num_outfits
        self._validation_BAN = torch.from_numpy(validation_BAN).to(model.bias.device)
        self._optimiser = torch.optim.AdamW(
            [weight for weight in model.parameters() if weight.requires_grad],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=True,
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser,
            config.learning_rate,
            total_steps=config.max_epochs * len(self._batches),
            pct_start=_WARM_UP,
        )

    def run(self, progress: Callable[[str], None]) -> tuple[EpochRecord, ...]:
        """Trains until the validation AUC stalls and restores the best epoch's weights."""
        config, started = self._config, time.perf_counter()
        records: list[EpochRecord] = []
        best_epoch, best_auc, best = 0, -1.0, self._model.state_dict()
        for epoch in range(1, config.max_epochs + 1):
            records.append(self._run_epoch(epoch))
            if records[-1].validation_auc > best_auc:
                best_epoch, best_auc = epoch, records[-1].validation_auc
                best = {name: w.detach().clone() for name, w in self._model.state_dict().items()}
            left_s = (time.perf_counter() - started) / epoch * (config.max_epochs - epoch)
            progress(
                f"outfit epoch {epoch}/{config.max_epochs}: loss {records[-1].loss:.4f}, "
                f"validation AUC {records[-1].validation_auc:.4f}, "
                f"{records[-1].outfits_per_s:,.0f} outfits/s, at most {left_s:.0f} s left"
            )
            if epoch - best_epoch >= config.patience:
                break
        self._model.load_state_dict(best)
        self._model.eval()
        return tuple(records)

    def _run_epoch(self, epoch: int) -> EpochRecord:
        began = time.perf_counter()
        self._model.embedder.train()
        total = 0.0
        for batch in self._batches.epoch():
            logits_BA = self._logits(batch)
            first_single = 1 + self._config.num_negatives
            loss = outfit_loss(
                logits_BA[:, 0],
                logits_BA[:, 1:first_single],
                logits_BA[:, first_single:],
                single_loss=self._config.single_loss,
            )
            self._step(loss)
            total += float(loss.detach()) * len(batch.true_BN)
        train_seconds = time.perf_counter() - began
        if not np.isfinite(total):
            raise ConfigError(
                "outfit.learning_rate",
                expected="a loss that stays finite",
                got=f"a loss that is not a number in epoch {epoch}",
                fix=f"lower it from {self._config.learning_rate} in the pipeline's config",
            )
        return EpochRecord(
            epoch=epoch,
            loss=total / self._num_outfits,
            validation_auc=self._validation_auc(),
            outfits_per_s=self._num_outfits / train_seconds,
            seconds=time.perf_counter() - began,
        )

    def _logits(self, batch: OutfitBatch) -> Tensor:
        """Returns the logits of outfits and counter-examples, of many draws the hardest singles."""
        outfits_BAN = torch.cat([batch.true_BN[:, None], batch.false_BKN], dim=1)
        if self._config.hard_negative_draws > 1:
            outfits_BAN = self._hardest(outfits_BAN)
        logits_BA: Tensor = self._model(outfits_BAN.flatten(0, 1)).view(outfits_BAN.shape[:2])
        return logits_BA

    @torch.no_grad()
    def _hardest(self, outfits_BAN: Tensor) -> Tensor:
        """Returns the outfits with, of each run of single draws, the one the model likes best."""
        draws = self._config.hard_negative_draws
        kept = 1 + self._config.num_negatives
        num_outfits, _, num_items = outfits_BAN.shape
        single_BRDN = outfits_BAN[:, kept:].reshape(num_outfits, -1, draws, num_items)
        scores_BRD = self._model(single_BRDN.flatten(0, 2)).view(single_BRDN.shape[:3])
        best_BR11 = scores_BRD.argmax(dim=2)[:, :, None, None]
        place_BR1N = best_BR11.expand(-1, -1, -1, num_items)
        hardest_BRN = single_BRDN.gather(2, place_BR1N)[:, :, 0]
        return torch.cat([outfits_BAN[:, :kept], hardest_BRN], dim=1)

    def _step(self, loss: Tensor) -> None:
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), _MAX_GRADIENT_NORM)
        self._optimiser.step()
        self._schedule.step()

    @torch.no_grad()
    def _validation_auc(self) -> float:
        table_VD = self._model.style_table()
        scores_BA = self._model.scale * sum_of_pairs(table_VD[self._validation_BAN.flatten(0, 1)])
        scores_BA = scores_BA.view(self._validation_BAN.shape[:2]).cpu()
        return compatibility_auc(scores_BA[:, 0].numpy(), scores_BA[:, 1:].flatten().numpy())


def _check(
    split: OutfitSplit, train_BN: NDArray[np.int64], validation_BN: NDArray[np.int64]
) -> None:
    if len(train_BN) and len(validation_BN):
        return
    num_found = len(split.train) + len(split.validation) + len(split.test)
    raise DataError(
        "outfits",
        expected="outfits to train and to validate on whose items have others of their "
        f"{PRODUCT_TYPE}",
        got=f"{len(train_BN)} and {len(validation_BN)} of {num_found} distinct outfits",
        fix="add outfits (some 50 at least) or leave the outfits table out",
    )
