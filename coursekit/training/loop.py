"""`fit`: the training loop, for any objective and any plan."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from coursekit import checkpoint, terminal
from coursekit.data import TrainingView, Whitening, whitening
from coursekit.files import shorten_sockets, write_text
from coursekit.models import describe
from coursekit.training.config import FitConfig
from coursekit.training.guards import (
    check_finite,
    check_inputs,
    check_parameters,
    check_unused,
    named_scores,
    naming_what_is_full,
    naming_what_torch_met,
    prepare_folder,
)
from coursekit.training.kept import Kept, begins
from coursekit.training.layout import memory_format
from coursekit.training.state import load_state, save_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accelerate import Accelerator
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from coursekit.data import FaceDataset
    from coursekit.training.objective import Batch, Objective


@dataclass(frozen=True)
class FitResult:
    """What `fit` returns; the model itself then holds the best weights.

    Attributes:
        history: one dict an epoch: epoch (from 0), phase, rate, train_loss, val_loss, what the
            objective's score gives (val_mean_iou at the working size, of label maps), event,
            seconds.
        info: how to use the model, as its checkpoint says; None without `out`.
        whitening: of the training set.
        best_epoch: the epoch whose weights the model holds, from 0, as the plan chose it: that of
            the best validation loss, or the last one under `AveragedCosine`.
        started: what the caller said of the weights that the run started from, also when it was
            resumed, elsewhere or later.
    """

    history: list[dict[str, Any]]
    info: checkpoint.ModelInfo | None
    whitening: Whitening
    best_epoch: int
    started: str | None = None


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
    started: str | None = None,
    kept: str | None = None,
) -> FitResult:
    """Train a model; leave the best weights in it.

    With one process on a CPU the same seed, data and thread count give the same weights, bit for
    bit, also when the run was killed and resumed. On a GPU some of torch's kernels sum in an order
    of their own, and two runs differ in rounding.

    With several processes (`accelerate launch`) each step's batch is divided among them and the
    loss is divided by the weight of the whole batch, so that the result is one process's within
    rounding, for models without batch normalisation. Batch statistics are each process's own on
    CPUs and are synchronised on GPUs; those of `ABN` are synchronised on both.

    Args:
        model: what the objective asks for: (B, 3, S, S) to (B, num_classes, S, S) logits for label
            maps. It may be wrapped (`torch.compile`, `DataParallel`); what is written is what is
            inside.
        train: images to learn from, with the labels that the objective asks for.
        val: labelled images whose loss steers the plan.
        config: the settings.
        out: a folder for model.safetensors (the best so far), state.safetensors (to resume from)
            and history.jsonl; nothing is written when None.
        resume: go on from the state in `out`; start afresh when there is none yet.
        on_epoch: called with each epoch's entry of the history, in the main process.
        progress: True or False to show a bar or not; None shows it on a terminal only.
        started: a word on the weights that the model comes with, for the result; it is kept in the
            state, and a resumed run has that of its start.
        kept: a name in the cache folder, in place of `out` and for any model: what was stopped, or
            had ended, goes on from there when the same is asked for again.

    Raises:
        CourseError: when the data do not fit, `out` holds a run and `resume` is False, the state
            is another run's, `out` is given and the model is none of the course's (its checkpoint
            could not be read again), batch normalisation would meet a single value, or a loss is
            not finite (the message names the batch's images).
    """
    config = config or FitConfig()
    with naming_what_is_full():
        run = Run(model, train, val, config, out, resume, progress, started, kept)
        if run.kept and run.history:
            terminal.say(f"goes on after epoch {len(run.history)}; {run.kept.path} kept it")
        return run.go(on_epoch)


class Run:
    """The parts of one call of `fit`, which says what its arguments are."""

    def __init__(
        self,
        model: nn.Module,
        train: FaceDataset,
        val: FaceDataset,
        config: FitConfig,
        out: str | Path | None,
        resume: bool,
        progress: bool | None,
        started: str | None,
        kept: str | None,
    ) -> None:
        from accelerate import Accelerator
        from accelerate.utils import GradientAccumulationPlugin

        self.config, self.started = config, started
        self.show = terminal.on_terminal() if progress is None else progress
        self.out = Path(out) if out is not None else None
        # What the environment says of precision and accumulation is not for this loop.
        once = GradientAccumulationPlugin(num_steps=1)
        self.accelerator: Accelerator = Accelerator(
            cpu=config.cpu, mixed_precision="no", gradient_accumulation_plugin=once
        )
        device, processes = self.accelerator.device, self.accelerator.num_processes
        check_inputs(config, model, train, val, processes)
        if config.workers:
            shorten_sockets()
        while isinstance(model, DistributedDataParallel):  # another one is put around it below
            model = model.module
        with self.accelerator.main_process_first():  # one process fills the cache, the rest read it
            self.objective: Objective = config.objective.build(model, train)
            points = self.objective.landmarks
            faces, others = (d.arrays(config.size, landmarks=points) for d in (train, val))
            self.whitening = whitening(faces)
            self.train_view = TrainingView(
                faces, config.size, self.whitening, config.augmentation, config.seed
            )
            self.val_view = TrainingView(others, config.size, self.whitening, None, config.seed)
        self.info = self._describe(model, train) if self.out else None
        self.layout = memory_format(model, config.size, device)
        self.objective.to(device).precision = config.precision
        model = model.to(memory_format=self.layout)
        if processes > 1 and device.type == "cuda":
            self.objective.model = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)
        check_parameters(self.objective)
        self.plan = config.plan.build(self.objective, config.epochs * len(list(self._batches(0))))
        self.history: list[dict[str, Any]] = []
        self._open_out(resume)
        self.kept = self.open_kept(kept)
        self.parallel = self.accelerator.prepare_model(self.objective)

    def _describe(self, model: nn.Module, train: FaceDataset) -> checkpoint.ModelInfo:
        name, settings = describe(model)
        return checkpoint.ModelInfo(
            name,
            settings,
            self.objective.outputs or train.labels.key,
            self.config.size,
            checkpoint.triple(self.whitening.mean),
            checkpoint.triple(self.whitening.std),
        )

    def _settings(self) -> dict[str, Any]:
        """What a continued run must have in common with the first, as JSON gives it back."""
        assert self.info is not None
        images = [len(self.train_view), len(self.val_view)]
        model = json.loads(json.dumps(asdict(self.info)))
        return {**self.config.as_data(), "model": model, "images": images}

    def _open_out(self, resume: bool) -> None:
        if self.out is None:
            return
        prepare_folder(self.out)
        if not resume:
            check_unused(self.out)
        state = self.out / "state.safetensors"
        self.settings = self._settings()
        if state.exists():
            self.history, self.started = load_state(
                state, self.objective, self.plan, self.settings, self.config.free()
            )

    def open_kept(self, name: str | None, *, afresh: bool = False) -> Kept | None:
        """Where a notebook's state is kept; the run is put to where it was, or at its start."""
        if name is None:
            return None
        first = {
            "whitening": [list(self.whitening.mean), list(self.whitening.std)],
            "images": [len(self.train_view), len(self.val_view)],
            "begins": begins(self.objective.network, torch.as_tensor(self.val_view[0]["image"])),
        }
        kept = Kept(name, {**self.config.as_data(), **first})
        self.history = kept.load(self.objective, self.plan, afresh=afresh)
        return kept

    def go(self, on_epoch: Callable[[dict[str, Any]], None] | None) -> FitResult:
        for entry in self.epochs():
            if on_epoch and self.accelerator.is_main_process:
                on_epoch(entry)
        return self.end()

    def epochs(self) -> Iterator[dict[str, Any]]:
        """Train an epoch at each `next`, and give its entry of the history."""
        for epoch in range(len(self.history), self.config.epochs):
            if self.plan.stopped:
                break
            entry = self._epoch(epoch)
            self.history.append(entry)
            if self.accelerator.is_main_process:
                self._save(improved=entry["event"] == "improved")
                if self.kept:
                    self.keep(last=self.ended)
            yield entry

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to do."""
        return self.plan.stopped or len(self.history) >= self.config.epochs

    def keep(self, *, last: bool = True) -> bool:
        """Write the state to where a notebook's run is kept; see `Kept.save`."""
        assert self.kept is not None
        return self.kept.save(self.objective, self.plan, self.history, last=last)

    def end(self) -> FitResult:
        """Leave in the model what is used in the end."""
        self.accelerator.wait_for_everyone()
        self.plan.load_best()
        if self.out and self.info and not (self.out / "model.safetensors").exists():
            checkpoint.save(
                self.out / "model.safetensors", self.objective.network, self.info
            )  # taken away
        return FitResult(
            self.history, self.info, self.whitening, self.plan.best_epoch, self.started
        )

    @torch.no_grad()
    def said(self, count: int) -> NDArray[np.uint8]:
        """(count, S, S) classes of the first validation images, as they would be used now."""
        self.objective.eval()
        batch = torch.stack([self.val_view[i]["image"] for i in range(count)])
        batch = batch.to(self.accelerator.device, memory_format=self.layout)
        with self.plan.for_use(self._images), self.objective.autocast(batch):
            maps: NDArray[np.uint8] = self.objective.network(batch).argmax(1).byte().cpu().numpy()
        return maps

    def _epoch(self, epoch: int) -> dict[str, Any]:
        start = time.perf_counter()
        phase, rate = self.plan.phase, self.plan.rate
        train_loss = self._train_epoch(epoch)
        with self.plan.for_use(self._images):
            val_loss, scores = self._validate(epoch)
        event = self.plan.end_epoch(val_loss, self._images)
        return {
            "epoch": epoch,
            "phase": phase,
            "rate": rate,
            "train_loss": train_loss,
            "val_loss": val_loss,
            **scores,
            "event": event,
            "seconds": round(time.perf_counter() - start, 3),
        }

    def _save(self, *, improved: bool) -> None:
        if self.out is None or self.info is None:
            return
        if improved:
            with self.plan.for_use(self._images):
                checkpoint.save(self.out / "model.safetensors", self.objective.network, self.info)
        lines = "".join(json.dumps(entry) + "\n" for entry in self.history)
        write_text(self.out / "history.jsonl", lines)
        # Last: a run killed before this line repeats the epoch, and comes to the same files.
        save_state(
            self.out / "state.safetensors", self.objective, self.plan, self.history, self.settings,
            self.started,
        )  # fmt: skip

    def _batches(self, epoch: int | None, *, every: bool = False) -> Iterator[list[int]]:
        """This process's share of each batch; the order is drawn anew for each epoch.

        In training the incomplete last batch is left out (another draw has its images next time):
        it could be a single image, whose statistics batch normalisation would take for all.
        With `every` its images join the batch before.
        """
        view = self.val_view if epoch is None else self.train_view
        size, count = self.config.batch_size, len(view)
        order = np.arange(count)
        starts = range(0, count, size)
        if epoch is not None:
            order = np.random.default_rng([self.config.seed, epoch]).permutation(count)
            starts = starts[: max(count // size, 1)]
            count = count if every else min(len(starts) * size, count)
        rank, processes = self.accelerator.process_index, self.accelerator.num_processes
        for first, end in zip(starts, [*starts[1:], count], strict=True):
            share = order[first:end][rank::processes]
            if len(share):
                yield [int(i) for i in share]

    def _loader(self, epoch: int | None, *, every: bool = False) -> DataLoader[dict[str, Any]]:
        return DataLoader(
            self.val_view if epoch is None else self.train_view,
            batch_sampler=list(self._batches(epoch, every=every)),
            num_workers=self.config.workers,
            pin_memory=self.accelerator.device.type == "cuda",
        )

    def _to_device(self, batch: Batch) -> Batch:
        """The tensors of a batch where the network is, its images in the network's layout."""
        device = self.accelerator.device
        there = {
            key: value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value
            for key, value in batch.items()
        }
        there["image"] = there["image"].to(memory_format=self.layout)
        return there

    def _images(self) -> Iterator[Tensor]:
        """This process's share of all training images, drawn as in the last epoch, in batches."""
        for batch in self._loader(self.train_view.epoch, every=True):
            yield self._to_device(batch)["image"]

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
        show = self.show and self.accelerator.is_main_process
        with terminal.bar(loader, f"epoch {epoch + 1}", show=show) as bar:
            for batch in bar:
                with naming_what_torch_met(len(batch["name"]), processes):
                    total, mass, _ = self.parallel(self._to_device(batch))
                whole = self._sum(mass)
                whole = torch.where(whole > 0, whole, 1)  # all pixels ignored: a loss of 0
                value = float((self._sum(total.detach()) / whole).sum())
                check_finite(value, epoch, "training", batch["name"])
                losses.append(value)
                self.plan.zero_grad()
                # Processes average their gradients; the sum is wanted.
                self.accelerator.backward((total / whole).sum() * processes)
                self.plan.step()
                bar.set_postfix(loss=f"{value:.3f}", refresh=False)
        return float(np.mean(losses))

    @torch.no_grad()
    def _validate(self, epoch: int) -> tuple[float, dict[str, float]]:
        """Loss and scores over the whole validation set, at the working size."""
        # Not the parallel wrapper: shares may differ in length here, and nothing needs to wait.
        self.objective.eval()
        sums = torch.zeros((), dtype=torch.float64)
        score = self.objective.score()
        for loaded in self._loader(None):
            batch = self._to_device(loaded)
            total, mass, output = self.objective(batch)
            check_finite(float(total.sum()), epoch, "validation", batch["name"])
            sums = sums + torch.stack([total, mass]).double().cpu()  # (2, terms)
            score.update(output, batch)
        total, mass = self._sum(sums)
        score.counts = self._sum(score.counts)
        loss = (total / torch.where(mass > 0, mass, 1)).sum()
        return float(loss), named_scores(score.result())
