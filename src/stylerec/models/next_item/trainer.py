"""Epochs of training with validation, from wherever a run is."""

import math
import time

import numpy as np
import torch
from numpy.typing import NDArray

from stylerec.data.content_start import content_start
from stylerec.data.cooccurrence import spectral_embedding
from stylerec.data.prepared import PreparedData
from stylerec.errors import ConfigError
from stylerec.features.item_features import ItemFeatures
from stylerec.models.checkpoint import Checkpoint
from stylerec.models.checkpoint_schedule import CheckpointSchedule
from stylerec.models.content_match import choose_match_weight
from stylerec.models.next_item.batches import epoch_plan, training_batch
from stylerec.models.next_item.compiling import compile_in_place
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.examples import Examples, read_examples
from stylerec.models.next_item.model import NextItemModel
from stylerec.models.next_item.objective import Objective
from stylerec.models.next_item.precision import choose_precision
from stylerec.models.next_item.processes import ALONE, Processes
from stylerec.models.next_item.randomness import Stream, derived_seed, generator_of
from stylerec.models.next_item.step import TrainStep
from stylerec.models.next_item.throughput import peak_flops, training_flops
from stylerec.models.next_item.training_state import TrainingState
from stylerec.models.next_item.validation import validation_ndcg_at_10
from stylerec.models.progress import TrainingProgress
from stylerec.models.records import EpochRecord, TrainingResult, peak_rss_mib
from stylerec.schema.tensors import NEXT_ITEM

_STEPS_BETWEEN_LOSSES = 16
"""Asking a GPU for the loss waits for it, so it is not asked after each step."""


class Trainer:
    """One run: model, optimiser, data and how far it is.

    Args:
        data: Prepared data.
        config: Model and training settings.
        device: Where the model lives.
        processes: That train together.
        found: The checkpoint to go on from, if any.

    Raises:
        DataError: Nothing to train on, or nobody to validate on.
    """

    def __init__(
        self,
        data: PreparedData,
        config: NextItemConfig,
        *,
        device: torch.device,
        processes: Processes,
        found: Checkpoint | None,
    ) -> None:
        self._config, self._device, self._processes = config, device, processes
        features = data.item_features
        examples = read_examples(data, config, num_items=len(features.text_tokens))
        self._examples = examples
        self.model = NextItemModel(features, config)
        if found is None:
            initialise(self.model, features, examples, config)
        self.model.to(device)
        if config.compile:
            compile_in_place(self.model.encoder)
        self._precision = choose_precision(config.precision, device)
        generator = torch.Generator()
        self._train_step = TrainStep(
            self.model,
            Objective(
                examples.counts,
                config,
                generator=generator,
                device=device,
                product_dtype=self._precision.loss,
            ),
            config,
            generator=generator,
            steps_per_epoch=-(-examples.num_targets // config.batch_targets),
            precision=self._precision,
            processes=processes,
        )
        self._state = TrainingState(self.model, self._train_step.optimiser)
        if found:
            self._state.restore(found)

    def run(
        self, schedule: CheckpointSchedule, shown: TrainingProgress, *, began: float
    ) -> TrainingResult:
        """Trains until the validation metric stalls; the model then has the best epoch's weights.

        Args:
            schedule: Keeps the checkpoint.
            shown: Reports.
            began: When this process began, on `time.perf_counter`'s clock.
        """
        place = self._state.place
        self._last_look = began
        self._sum_here(place.loss_sum, place.weight_sum)
        place.setup_s += self._seconds()
        while not self._is_finished():
            self._train_epoch(schedule, shown)
            self._end_epoch(shown)
            _, is_due, is_stopping = self._agreed(schedule, 0.0)
            schedule.settle(self._checkpoint, is_due=is_due, is_stopping=is_stopping)
        if self._processes.is_first:
            self.model.load_state_dict(self._state.best)
        self.model.eval()
        match_weight, ndcg = self._choose_match_weight(shown)
        return TrainingResult(
            model=NEXT_ITEM,
            num_weights=sum(weight.numel() for weight in self.model.parameters()),
            best_epoch=place.best_epoch,
            validation_ndcg_at_10=ndcg,
            match_weight=match_weight,
            num_validation_customers=len(self._examples.targets),
            num_examples=self._examples.num_targets,
            seconds=place.setup_s + sum(record.seconds for record in place.records),
            epochs=tuple(place.records),
            peak_rss_mib=peak_rss_mib(),
        )

    def _is_finished(self) -> bool:
        place = self._state.place
        since_best = len(place.records) - place.best_epoch
        return place.epoch > self._config.max_epochs or since_best >= self._config.patience

    def _train_epoch(self, schedule: CheckpointSchedule, shown: TrainingProgress) -> None:
        place = self._state.place
        plan = epoch_plan(
            self._examples.windows,
            batch_targets=self._config.batch_targets,
            generator=generator_of(self._config.seed, Stream.ORDER, place.epoch),
        )
        shown.start_epoch(
            place.epoch, num_examples=self._examples.num_targets, num_done=place.num_examples
        )
        self.model.train()
        for part in plan[place.step :]:
            num_examples, is_due, is_stopping = self._train_on(part, schedule)
            if place.step % _STEPS_BETWEEN_LOSSES == 0 or self._device.type == "cpu":
                self._shown_loss = float(self._loss_sum) / max(self._weight_sum, 1e-12)
            shown.step(num_examples, loss=self._shown_loss)
            schedule.settle(self._checkpoint, is_due=is_due, is_stopping=is_stopping)

    def _train_on(
        self, part: NDArray[np.int64], schedule: CheckpointSchedule
    ) -> tuple[int, bool, bool]:
        """Takes one step; returns its examples and what the processes agreed to do after it."""
        place, windows = self._state.place, self._examples.windows
        # A batch may have fewer windows than there are processes: some then only take part.
        mine = part[self._processes.rank :: self._processes.size]
        batch = training_batch(
            self._examples.histories,
            windows,
            mine if len(mine) else part[:1],
            weigh=self._examples.weigh,
        )
        weight = float(batch.weight.sum()) if len(mine) else 0.0
        total_weight, is_due, is_stopping = self._agreed(schedule, weight)
        # A batch without weight teaches nothing, but its place in the order is used up.
        if total_weight > 0:
            self._loss_sum += self._train_step(
                batch, weight=weight, total_weight=total_weight, number=place.num_steps
            )
            self._weight_sum += weight
        num_examples = int(windows.num_targets[part].sum())
        place.step += 1
        place.num_steps += 1
        place.num_examples += num_examples
        return num_examples, is_due, is_stopping

    def _end_epoch(self, shown: TrainingProgress) -> None:
        place = self._state.place
        self._add_up()
        if not math.isfinite(place.loss_sum):
            raise ConfigError(
                "next_item.learning_rate",
                expected="a loss that stays finite",
                got=f"a loss that is not a number in epoch {place.epoch}",
                fix=f"lower it from {self._config.learning_rate} in the pipeline's config",
            )
        ndcg = self._validation_ndcg_at_10(self._processes)
        place.records.append(
            EpochRecord(
                epoch=place.epoch,
                loss=place.loss_sum / place.weight_sum,
                validation_ndcg_at_10=ndcg,
                examples_per_s=place.num_examples / place.epoch_s,
                seconds=place.epoch_s + self._seconds(),
                tokens_per_s=self._examples.num_tokens / place.epoch_s,
                share_of_peak=self._share_of_peak(),
            )
        )
        if ndcg > place.best_ndcg:
            place.best_epoch, place.best_ndcg = place.epoch, ndcg
            if self._processes.is_first:
                self._state.keep_best()
        shown.end_epoch(place.records[-1], best_epoch=place.best_epoch)
        place.start_epoch()
        self._sum_here(0.0, 0.0)

    def _choose_match_weight(self, shown: TrainingProgress) -> tuple[float, float]:
        """Sets how much content similarity adds to the best epoch's scores."""
        without = self._state.place.best_ndcg
        if not self._config.num_match_dims or not self._processes.is_first:
            return 0.0, without
        weight = self.model.match.get_buffer("weight")

        def validate(value: float) -> float:
            weight.fill_(value)
            return self._validation_ndcg_at_10(ALONE)

        chosen, ndcg = choose_match_weight(validate, without=without)
        weight.fill_(chosen)
        if chosen:
            shown.say(f"content similarity counts {chosen:g}: validation NDCG@10 {ndcg:.4f}")
        return chosen, ndcg

    def _validation_ndcg_at_10(self, processes: Processes) -> float:
        return validation_ndcg_at_10(
            self.model,
            self._examples.histories,
            self._examples.targets,
            max_len=self._config.max_len,
            device=self._device,
            processes=processes,
        )

    def _agreed(self, schedule: CheckpointSchedule, weight: float) -> tuple[float, bool, bool]:
        """Returns the processes' weight together, and whether any is due or asked to end."""
        total, num_due, num_stopping = self._processes.summed(
            weight, schedule.is_due, schedule.is_stopping
        )
        return total, num_due > 0, num_stopping > 0

    def _checkpoint(self) -> Checkpoint:
        self._add_up()
        return self._state.checkpoint()

    def _sum_here(self, loss_sum: float, weight_sum: float) -> None:
        """Sets this process's sums; what the run has already summed belongs to the first one."""
        is_first = self._processes.is_first
        self._weight_sum = weight_sum if is_first else 0.0
        self._loss_sum = torch.tensor(
            loss_sum if is_first else 0.0, dtype=torch.float64, device=self._device
        )
        self._shown_loss = 0.0

    def _add_up(self) -> None:
        """Brings the epoch's sums and times in the run's place up to date."""
        place = self._state.place
        place.loss_sum, place.weight_sum = self._processes.summed(
            float(self._loss_sum), self._weight_sum
        )
        place.epoch_s += self._seconds()

    def _seconds(self) -> float:
        """Returns the seconds since this was last asked."""
        now = time.perf_counter()
        elapsed, self._last_look = now - self._last_look, now
        return elapsed

    def _share_of_peak(self) -> float | None:
        peak = peak_flops(self._device, self._precision.encoder)
        if peak is None:
            return None
        examples, config = self._examples, self._config
        num_trained = int((examples.counts > 0).sum())
        is_full = config.loss_for(num_trained) == "full_softmax"
        num_competitors = num_trained if is_full else config.num_negatives
        flops = training_flops(
            config,
            self.model.encoder,
            num_tokens=examples.num_tokens,
            num_pairs=examples.num_pairs,
            num_scores=examples.num_targets * num_competitors,
        )
        return flops / self._state.place.epoch_s / (peak * self._processes.size)


def initialise(
    model: NextItemModel, features: ItemFeatures, examples: Examples, config: NextItemConfig
) -> None:
    """Draws a model's weights, or takes its item vectors from which items occur together."""
    torch.manual_seed(derived_seed(config.seed, Stream.WEIGHTS))
    is_trained = examples.counts > 0
    if config.initialisation == "random":
        model.initialise(torch.from_numpy(is_trained))
        return
    vectors = spectral_embedding(
        examples.histories,
        examples.split,
        num_items=len(examples.counts),
        dim=config.embedding_dim,
        seed=config.seed,
    )
    content = None
    if config.use_content:
        content = content_start(features, vectors, is_trained=is_trained)
    model.initialise(torch.from_numpy(is_trained), torch.from_numpy(vectors), content)
