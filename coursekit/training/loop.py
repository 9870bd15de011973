"""`fit`: the training loop, with the report's optimiser pipeline."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from coursekit import checkpoint, metrics
from coursekit.data import Augmentation, TrainingView, Whitening, class_counts, whitening
from coursekit.errors import CourseError
from coursekit.files import write_text
from coursekit.losses import class_weights, loss_sums, parse_loss
from coursekit.models import describe
from coursekit.optim import AdamToSGDConfig, AveragedCosineConfig, make_optimiser
from coursekit.training.guards import (
    check_finite,
    check_inputs,
    naming_single_values,
    prepare_folder,
)
from coursekit.training.layout import memory_format
from coursekit.training.state import load_state, save_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accelerate import Accelerator
    from torch import Tensor, nn

    from coursekit.data import FaceDataset


@dataclass(frozen=True)
class FitConfig:
    """Settings of a run; the defaults are the report's.

    Attributes:
        size: side of the square that images are resized to, in pixels.
        epochs: at most so many; the pipeline may stop earlier.
        batch_size: images in a step, over all processes together.
        seed: of the order, the augmentation and dropout, at least 0. The weights are the caller's:
            call `torch.manual_seed` before `create_model`.
        optimiser: settings of `AdamToSGD`, the report's pipeline, or of `AveragedCosine`.
        augmentation: of the training images; None for none.
        loss: "cross_entropy", "focal", "dice", "lovasz", or a sum such as "cross_entropy+lovasz".
            Dice and Lovász are not sums over pixels: a step takes those of its whole batch, so they
            need a single process, and the validation loss that steers the pipeline is then the mean
            over batches of `batch_size` images.
        weighted: weight cross-entropy and focal loss by Eq. 2, from the true counts of the training
            set. Dice and Lovász have no weights.
        precision: "bf16" computes the forward pass in bfloat16; weights stay float32.
        workers: processes that prepare batches; results do not depend on it.
        cpu: stay on the CPU when there is a GPU.
    """

    size: int = 512
    epochs: int = 120
    batch_size: int = 2
    seed: int = 42
    optimiser: AdamToSGDConfig | AveragedCosineConfig = field(default_factory=AdamToSGDConfig)
    augmentation: Augmentation | None = field(default_factory=Augmentation)
    loss: str = "cross_entropy"
    weighted: bool = True
    precision: Literal["fp32", "bf16"] = "fp32"
    workers: int = 0
    cpu: bool = False

    def __post_init__(self) -> None:
        least_of = {"size": 16, "epochs": 1, "batch_size": 1, "seed": 0, "workers": 0}
        for name, least in least_of.items():
            value = getattr(self, name)
            if not least <= value < 1 << 63:
                limit = f"at least {least}" if value < least else "below 2⁶³"
                raise CourseError(f"{name} is {value}; it must be {limit}")
        if self.precision not in ("fp32", "bf16"):
            raise CourseError(f"precision is {self.precision!r}; it must be fp32 or bf16")
        parse_loss(self.loss)


@dataclass(frozen=True)
class FitResult:
    """What `fit` returns; the model itself then holds the best weights.

    Attributes:
        history: one dict an epoch: epoch (from 0), phase, rate, train_loss, val_loss,
            val_mean_iou (at the working size), event, seconds.
        info: how to use the model, as its checkpoint says; None without `out`.
        whitening: of the training set.
        best_epoch: the epoch whose weights the model holds, from 0: that of the best validation
            loss, or the last one under `AveragedCosine`.
    """

    history: list[dict[str, Any]]
    info: checkpoint.ModelInfo | None
    whitening: Whitening
    best_epoch: int


def fit(
    model: nn.Module,
    train: FaceDataset,
    val: FaceDataset,
    config: FitConfig | None = None,
    out: str | Path | None = None,
    *,
    resume: bool = False,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    progress: bool | None = None,
) -> FitResult:
    """Train a model with the report's recipe; leave the best weights in it.

    With one process on a CPU the same seed, data and thread count give the same weights, bit for
    bit, also when the run was killed and resumed. On a GPU some of torch's kernels sum in an order
    of their own, and two runs differ in rounding.

    With several processes (`accelerate launch`) each step's batch is divided among them and the
    loss is divided by the weight of the whole batch, so that the result is one process's within
    rounding, for models without batch normalisation. Batch statistics are each process's own on
    CPUs and are synchronised on GPUs.

    Args:
        model: maps (B, 3, S, S) to (B, num_classes, S, S) logits.
        train: labelled images to learn from.
        val: labelled images whose loss steers the pipeline.
        config: the settings.
        out: a folder for model.safetensors (the best so far), state.safetensors (to resume from)
            and history.jsonl; nothing is written when None.
        resume: go on from the state in `out`; start afresh when there is none yet.
        on_epoch: called with each epoch's entry of the history, in the main process.
        progress: True or False to show a bar or not; None shows it on a terminal only.

    Raises:
        CourseError: when the data do not fit, `out` holds a run and `resume` is False, the state
            is another run's, `out` is given and the model is none of the course's (its checkpoint
            could not be read again), batch normalisation would meet a single value, or a loss is
            not finite (the message names the batch's images).
    """
    config = config or FitConfig()
    return _Run(model, train, val, config, out, resume, progress).go(on_epoch)


class _Run:
    """The parts of one call of `fit`."""

    def __init__(
        self,
        model: nn.Module,
        train: FaceDataset,
        val: FaceDataset,
        config: FitConfig,
        out: str | Path | None,
        resume: bool,
        progress: bool | None,
    ) -> None:
        from accelerate import Accelerator

        self.config = config
        self.hide = None if progress is None else not progress
        self.out = Path(out) if out is not None else None
        self.accelerator: Accelerator = Accelerator(cpu=config.cpu)
        check_inputs(config, model, train, val, self.accelerator.num_processes)
        with self.accelerator.main_process_first():  # one process fills the cache, the rest read it
            self.whitening = whitening(train, config.size)
            counts = class_counts(train)
            self.train_view = TrainingView(
                train, config.size, self.whitening, config.augmentation, config.seed
            )
            self.val_view = TrainingView(val, config.size, self.whitening, None, config.seed)
        self.num_classes = train.labels.num_classes
        self.info = self._describe(model, train) if self.out else None
        device = self.accelerator.device
        self.terms = parse_loss(config.loss)
        self.weights = class_weights(counts).to(device) if config.weighted else None
        self.layout = memory_format(model, config.size, device)
        self.model = model.to(device).to(memory_format=self.layout)
        if self.accelerator.num_processes > 1 and device.type == "cuda":
            self.model = torch.nn.SyncBatchNorm.convert_sync_batchnorm(self.model)
        steps = config.epochs * len(list(self._batches(0)))
        self.optimiser = make_optimiser(self.model, config.optimiser, steps)
        self.history: list[dict[str, Any]] = []
        self._open_out(resume)
        self.parallel = self.accelerator.prepare_model(self.model)

    def _describe(self, model: nn.Module, train: FaceDataset) -> checkpoint.ModelInfo:
        name, settings = describe(model)
        return checkpoint.ModelInfo(
            name,
            settings,
            train.labels.key,
            self.config.size,
            checkpoint.triple(self.whitening.mean),
            checkpoint.triple(self.whitening.std),
        )

    def _settings(self) -> dict[str, Any]:
        """What a continued run must have in common with the first, as JSON gives it back."""
        assert self.info is not None
        return json.loads(
            json.dumps(
                {
                    **asdict(self.config),
                    "model": asdict(self.info),
                    "images": [len(self.train_view), len(self.val_view)],
                }
            )
        )

    def _open_out(self, resume: bool) -> None:
        if self.out is None:
            return
        prepare_folder(self.out)
        state = self.out / "state.safetensors"
        if not state.exists():
            return
        if not resume:
            raise CourseError(
                f"{self.out}: holds a run already; add --resume (resume=True) to go on with it, "
                "or name another folder"
            )
        self.history = load_state(state, self.model, self.optimiser, self._settings())

    def go(self, on_epoch: Callable[[dict[str, Any]], None] | None) -> FitResult:
        for epoch in range(len(self.history), self.config.epochs):
            if self.optimiser.stopped:
                break
            start = time.perf_counter()
            phase, rate = self.optimiser.phase, self.optimiser.rate
            train_loss = self._train_epoch(epoch)
            with self.optimiser.for_use():
                val_loss, val_mean_iou = self._validate(epoch)
            event = self.optimiser.end_epoch(val_loss)
            entry = {
                "epoch": epoch,
                "phase": phase,
                "rate": rate,
                "train_loss": train_loss,
                "val_loss": val_loss,
                "val_mean_iou": val_mean_iou,
                "event": event,
                "seconds": round(time.perf_counter() - start, 3),
            }
            self.history.append(entry)
            if self.accelerator.is_main_process:
                self._save(improved=event == "improved")
                if on_epoch:
                    on_epoch(entry)
        self.accelerator.wait_for_everyone()
        self.optimiser.load_best()
        if self.out and self.info and not (self.out / "model.safetensors").exists():
            checkpoint.save(self.out / "model.safetensors", self.model, self.info)  # taken away
        return FitResult(self.history, self.info, self.whitening, self.optimiser.best_epoch)

    def _save(self, *, improved: bool) -> None:
        if self.out is None or self.info is None:
            return
        if improved:
            with self.optimiser.for_use():
                checkpoint.save(self.out / "model.safetensors", self.model, self.info)
        lines = "".join(json.dumps(entry) + "\n" for entry in self.history)
        write_text(self.out / "history.jsonl", lines)
        # Last: a run killed before this line repeats the epoch, and comes to the same files.
        save_state(
            self.out / "state.safetensors",
            self.model,
            self.optimiser,
            self.history,
            self._settings(),
        )

    def _batches(self, epoch: int | None) -> Iterator[list[int]]:
        """This process's share of each batch; the order is drawn anew for each epoch.

        In training the incomplete last batch is left out (another draw has its images next time):
        it could be a single image, whose statistics batch normalisation would take for all.
        """
        view = self.val_view if epoch is None else self.train_view
        size, count = self.config.batch_size, len(view)
        order = np.arange(count)
        if epoch is not None:
            order = np.random.default_rng([self.config.seed, epoch]).permutation(count)
            count = max(count - count % size, min(count, size))
        rank, processes = self.accelerator.process_index, self.accelerator.num_processes
        for first in range(0, count, size):
            share = order[first : min(first + size, count)][rank::processes]
            if len(share):
                yield [int(i) for i in share]

    def _loader(self, epoch: int | None) -> DataLoader[dict[str, Any]]:
        return DataLoader(
            self.val_view if epoch is None else self.train_view,
            batch_sampler=list(self._batches(epoch)),
            num_workers=self.config.workers,
            pin_memory=self.accelerator.device.type == "cuda",
        )

    def _loss_sums(
        self, network: nn.Module, batch: dict[str, Any]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Loss numerators and denominators of this process's part, its logits and target."""
        device = self.accelerator.device
        image = batch["image"].to(device, non_blocking=True, memory_format=self.layout)
        target = batch["target"].to(device, non_blocking=True)
        bf16 = self.config.precision == "bf16"
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits = network(image)
        total, mass = loss_sums(self.terms, logits.float(), target, self.weights)  # (terms,)
        return total, mass, logits, target

    def _sum(self, value: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.accelerator.num_processes == 1:
            return value
        there = value.to(self.accelerator.device, copy=True)
        return self.accelerator.reduce(there, reduction="sum").to(value.device)

    def _train_epoch(self, epoch: int) -> float:
        rank, processes = self.accelerator.process_index, self.accelerator.num_processes
        # Dropout and the like: a stream of its own for each epoch and process.
        torch.manual_seed(
            int(np.random.SeedSequence([self.config.seed, epoch, rank]).generate_state(1)[0])
        )
        self.parallel.train()
        self.train_view.set_epoch(epoch)
        losses = []
        loader = self._loader(epoch)
        with tqdm(loader, desc=f"epoch {epoch}", disable=self._hidden(), leave=False) as bar:
            for batch in bar:
                with naming_single_values(len(batch["name"]), processes):
                    total, mass, _, _ = self._loss_sums(self.parallel, batch)
                whole = self._sum(mass)
                whole = torch.where(whole > 0, whole, 1)  # all pixels ignored: a loss of 0
                value = float((self._sum(total.detach()) / whole).sum())
                check_finite(value, epoch, "training", batch["name"])
                losses.append(value)
                self.optimiser.zero_grad()
                # Processes average their gradients; the sum is wanted.
                self.accelerator.backward((total / whole).sum() * processes)
                self.optimiser.step()
                bar.set_postfix(loss=f"{value:.3f}")
        return float(np.mean(losses))

    @torch.no_grad()
    def _validate(self, epoch: int) -> tuple[float, float]:
        """Loss and mean IoU over the whole validation set, at the working size."""
        # Not the parallel wrapper: shares may differ in length here, and nothing needs to wait.
        self.model.eval()
        sums = torch.zeros(2, len(self.terms), dtype=torch.float64)
        confusion = metrics.ConfusionMatrix(self.num_classes)
        for batch in self._loader(None):
            total, mass, logits, target = self._loss_sums(self.model, batch)
            check_finite(float(total.sum()), epoch, "validation", batch["name"])
            sums += torch.stack([total, mass]).double().cpu()
            confusion.update(logits.argmax(1), target)
        total, mass = self._sum(sums)
        matrix = self._sum(confusion.matrix.cpu())
        return float((total / mass.clamp_min(1e-12)).sum()), metrics.mean_iou(matrix)

    def _hidden(self) -> bool | None:
        return True if not self.accelerator.is_main_process else self.hide
