"""A run to look at while it trains: its curves, some faces, and buttons that stop it and go on.

It trains in the kernel's own thread, between the cells that are run: in a thread beside it, a cell
could change what an epoch draws from or learns. So the kernel hears of a button between two epochs,
or at once where it has a thread for messages (ipykernel 7 under JupyterLab 4.4).
"""

from __future__ import annotations

import asyncio
import html as markup
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, LabelSet, colourise, shown
from coursekit.widgets.box import beside, can_move, html, img, resting, spoken, swatch
from coursekit.widgets.controls import buttons
from coursekit.widgets.svg import Chart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import nn

    from coursekit.data import FaceDataset
    from coursekit.training import FitConfig, Pieces

    #: Entries of `fit`'s history.
    History = Sequence[Mapping[str, Any]]

_TRAINING, _VALIDATION, _EVENT = (221, 107, 32), (49, 130, 206), "#e53e3e"
_LOSSES = ("train_loss", "val_loss")
#: Rows of the faces' picture.
ROWS = ("photo", "truth", "prediction")
#: Pixels of a face's side in it, at most; and faces.
_SIDE, _FACES = 96, 4
#: Seconds in which the kernel does what else it was asked for, after each epoch.
_PAUSE = 0.05
_GO, _STOP, _AFRESH = range(3)


def in_numbers(history: History, epochs: int) -> str:
    """The last epoch, and which was the best by either measure, as HTML.

    Args:
        history: of the run so far, at least one epoch.
        epochs: of the whole run, at most.
    """
    last = history[-1]
    lowest = min(history, key=lambda entry: entry["val_loss"])
    highest = max(history, key=lambda entry: entry["val_mean_iou"])
    return (
        f"Epoch <b>{last['epoch'] + 1}</b> of at most {epochs}: loss {last['train_loss']:.3f} in "
        f"training, {last['val_loss']:.3f} in validation; mean IoU {last['val_mean_iou']:.1%}.<br>"
        f"Lowest validation loss: {lowest['val_loss']:.3f}, epoch <b>{lowest['epoch'] + 1}</b>; "
        f"highest mean IoU: {highest['val_mean_iou']:.1%}, epoch <b>{highest['epoch'] + 1}</b>."
    )


def drawn(history: History, epochs: int) -> str:
    """Both losses with the plan's events, and the mean IoU below, as HTML.

    Args:
        history: of the run so far, at least one epoch.
        epochs: of the whole run, at most.
    """
    ends, numbers = (0.5, max(epochs, 2) + 0.5), [entry["epoch"] + 1 for entry in history]
    losses = {key: [entry[key] for entry in history] for key in _LOSSES}
    highest = max(max(values) for values in losses.values())
    top = Chart(ends, (0, 1.2 * highest), height=170, title="loss after each epoch")
    top.heights([0, highest / 2, highest], "{:.2f}")
    for values, colour in zip(losses.values(), (_TRAINING, _VALIDATION), strict=True):
        top.line(numbers, values, f"rgb{colour}")
        top.dot(numbers[-1], values[-1], f"rgb{colour}", f"{values[-1]:.3f}")
    marks = [(entry["epoch"] + 1.5, entry["event"]) for entry in history]
    top.events([mark for mark in marks if mark[1] in ("switch", "halve", "stop")], _EVENT)
    scores = [100 * entry["val_mean_iou"] for entry in history]
    most = 10 * (int(max(scores) / 10) + 1)
    title = "mean IoU in validation after each epoch, %"
    below = Chart(ends, (0, 1.3 * most), height=120, title=title)
    below.heights([0, most / 2, most])
    below.line(numbers, scores, f"rgb{_VALIDATION}")
    below.dot(numbers[-1], scores[-1], f"rgb{_VALIDATION}", f"{scores[-1]:.1f} %")
    ticks = [(x, str(x)) for x in range(1, epochs + 1) if x % max(epochs // 8, 1) == 0]
    for chart in (top, below):
        chart.places(ticks)
    key = f"{swatch(_TRAINING, 'training')} · {swatch(_VALIDATION, 'validation')}"
    said = ", ".join(f"{name} from {v[0]:.2f} to {v[-1]:.2f}" for name, v in (
        ("training loss", losses["train_loss"]), ("validation loss", losses["val_loss"]),
    ))  # fmt: skip
    return (
        key + top.as_html(f"Over {len(history)} epochs: {said}")
        + below.as_html(f"Mean IoU from {scores[0]:.1f} to {scores[-1]:.1f} %")
    )  # fmt: skip


def faces(
    images: NDArray[np.uint8],
    truths: NDArray[np.uint8],
    said: NDArray[np.uint8] | None,
    labels: LabelSet = CELEBAMASK_HQ,
) -> NDArray[np.uint8]:
    """Photos, truths and predictions, a column for each face: (3 · side, N · side, 3).

    Args:
        images: (N, S, S, 3).
        truths: (N, S, S) class ids, or 255.
        said: (N, S, S) class ids; None before the first epoch, which leaves its row grey.
        labels: names and colours.
    """
    side = min(images.shape[1], _SIDE)
    maps = [truths] if said is None else [truths, said]
    rows = [images, *(colourise(ids, shown(labels)) for ids in maps)]
    while len(rows) < len(ROWS):
        rows.append(np.full_like(images, 128))
    return np.concatenate([
        np.concatenate([_small(one, side, smooth=row is images) for one in row], axis=1)
        for row in rows
    ])  # fmt: skip


def _small(picture: NDArray[np.uint8], side: int, *, smooth: bool) -> NDArray[np.uint8]:
    how = Image.Resampling.BOX if smooth else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(picture).resize((side, side), how))


def training_dashboard(
    network: Callable[[], nn.Module],
    train: FaceDataset,
    val: FaceDataset,
    config: FitConfig,
    kept: str,
) -> Any:
    """Train with buttons that stop the run and go on with it, its curves and some faces in sight.

    It is the run of `fit(network(), train, val, config, kept=kept)`: either goes on from where the
    other was stopped, and ends with the same weights.

    Args:
        network: makes the network, the same at each call: it seeds torch itself.
        train: images to learn from, with label maps.
        val: images that are validated; the first four are shown.
        config: the settings.
        kept: a name for the state, in the cache folder.

    Returns:
        An ipywidgets box to be shown as the last line of a cell; nothing is trained until a button
        is pressed. Without ipywidgets, or outside a notebook's kernel: a still figure.

    Raises:
        CourseError: when the validation images have no label maps, or the objective is not scored
            by the mean IoU.
    """
    from coursekit.training import LandmarkConfig, Pieces

    if isinstance(config.objective, LandmarkConfig):
        raise _unscored(config)
    board = _Board(Pieces(network, train, val, config, kept, _FACES), val)
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # no kernel waits for what is pressed
        return board.still()
    if not can_move():
        return board.still()
    return board.view(loop)


def _unscored(config: FitConfig) -> CourseError:
    return CourseError(
        f"the dashboard draws label maps and their mean IoU, and {type(config.objective).__name__} "
        "asks for something else; train it with fit(…)"
    )


#: The dashboard that each state belongs to: the one that was shown or started last.
_BOARDS: dict[Path, _Board] = {}
#: The task that each state was trained by last; the next waits until it has kept what it has.
_TASKS: dict[Path, asyncio.Task[None]] = {}


class _Board:
    """A run, what is shown of it, and the task that trains it."""

    def __init__(self, pieces: Pieces, val: FaceDataset) -> None:
        self.pieces, self.labels, self.epochs = pieces, val.labels, pieces.config.epochs
        few = val.subset(range(min(_FACES, len(val)))).arrays(pieces.config.size, landmarks=False)
        if few.label_maps is None:
            raise CourseError("the validation images have no label maps, which are shown beside")
        self.images, self.truths = few.images, few.label_maps
        self.task: asyncio.Task[None] | None = None
        self.wanted, self.problem, self.numbers = False, "", ""
        pieces.look()
        self.check()

    def check(self) -> None:
        """Raises `CourseError` for a history that cannot be drawn, of somebody's own objective."""
        if self.pieces.history and "val_mean_iou" not in self.pieces.history[-1]:
            raise _unscored(self.pieces.config)

    def view(self, loop: asyncio.AbstractEventLoop) -> Any:
        """The box; its buttons are heard in any thread, and the training is done in the loop's."""
        self.loop, self.lock = loop, threading.Lock()
        self._take_over()
        before = _TASKS.get(self.pieces.path)
        if before and not before.done():  # what it keeps in the end is more than was looked at
            before.add_done_callback(self._look_again)
        self.row = buttons("training", self.press, ("Start", "Stop", "Start over"))
        self.curves, self.note, self.faces = html("picture", "30rem"), html("note"), html("faces")
        self.show()
        return resting([self.row, beside(self.curves, [self.faces, self.note])], self.still)

    def _look_again(self, _before: object) -> None:
        if self.wanted or self.task:  # it goes on from there by itself
            return
        try:
            self.pieces.look()
            self.check()
            self.show()
        except Exception as error:
            self.problem = str(error) or type(error).__name__
            self.say()

    def press(self, place: int) -> None:
        """A button was pressed, in whatever thread messages come."""
        if place != _STOP:
            self._take_over()
        self.wanted = place != _STOP
        if self.wanted:
            self.loop.call_soon_threadsafe(self._begin, place == _AFRESH)
        self.say()

    def _take_over(self) -> None:
        """Stop whichever dashboard had the state before."""
        other, _BOARDS[self.pieces.path] = _BOARDS.get(self.pieces.path), self
        if other and other is not self:
            other.wanted = False

    def _begin(self, afresh: bool) -> None:
        if self.task is None or self.task.done():
            before = _TASKS.get(self.pieces.path)
            self.task = self.loop.create_task(self.train(afresh, before))
            _TASKS[self.pieces.path] = self.task

    async def train(self, afresh: bool, before: asyncio.Task[None] | None = None) -> None:
        """Train until the run ends or is not wanted any more.

        Args:
            afresh: forget what is kept.
            before: what trains the same state: it keeps what it has, and this goes on from it.
                It has waited itself for the one before it, so that all are waited for.
        """
        self.problem = ""
        try:
            if before and not before.done():
                await asyncio.wait([before])
            self.pieces.begin(afresh=afresh)
            self.show()
            while self.wanted and not self.pieces.ended:
                await asyncio.sleep(_PAUSE)
                if not self.wanted:  # it was heard in the pause
                    break
                self.pieces.epoch()
                self.check()
                self.show()
            self.pieces.stop()
            self.show()
        except Exception as error:  # whatever it is, it is told where it is looked for
            self.problem = str(error) or type(error).__name__
            self.pieces.stop()  # what could not be drawn can still be kept
        finally:
            self.wanted, self.task = False, None
            self.say()  # and nothing is drawn, which may be what failed

    def words(self) -> str:
        """How the run stands, as HTML."""
        history = self.pieces.history
        lines = [self.numbers] if self.numbers else []
        if self.problem:
            lines.append(f"It ended: {markup.escape(self.problem)}")
        elif self.wanted:
            lines.append("It trains; other cells run between two epochs.")
        elif self.task:
            lines.append("It stops after this epoch.")
        elif self.pieces.ended:
            lines.append("The run has ended; Start over trains it once more.")
        elif history:
            name = markup.escape(self.pieces.path.name)
            lines.append(f"Stopped: {name} keeps it; Resume goes on.")
        else:
            lines.append(f"Not trained yet: Start trains up to {self.epochs} epochs.")
        return "<br>".join(lines)

    def show(self) -> None:
        """Draw how the run stands, in the loop's thread, and say it."""
        history = self.pieces.history
        self.numbers = in_numbers(history, self.epochs) if history else ""
        self.curves.value = drawn(history, self.epochs) if history else ""
        alt = f"{len(self.images)} faces: {', '.join(ROWS)}"
        picture = faces(self.images, self.truths, self.pieces.said, self.labels)
        self.faces.value = f"{img(picture, alt)}<br>Rows: {', '.join(ROWS)}"
        self.say()

    def say(self) -> None:
        """Words and buttons, in any thread."""
        with self.lock:
            history, busy = self.pieces.history, self.wanted or self.task is not None
            self.row.options = ["Resume" if history else "Start", "Stop", "Start over"]
            self.note.value = spoken(self.words())
            self.row.ready = []  # the browser has closed all by itself: say even the same again
            self.row.ready = [not busy and not self.pieces.ended, self.wanted,
                              not busy and bool(history)]  # fmt: skip

    def still(self) -> Figure:
        """The curves so far, and the faces."""
        from coursekit.plots import BLUE, GREY, Picture
        from coursekit.plots.picture import quiet

        history, said = self.pieces.history, self.pieces.said
        figure = Picture(figsize=(7.5, 3.4), layout="constrained")
        axes: dict[str, Any] = figure.subplot_mosaic(
            [["loss", "faces"], ["score", "faces"]], width_ratios=(5, 4)
        )
        numbers = [entry["epoch"] + 1 for entry in history]
        for key, name, colour in zip(
            _LOSSES, ("training", "validation"), (GREY, BLUE), strict=True
        ):
            values = [entry[key] for entry in history]
            axes["loss"].plot(numbers, values, "o-", ms=3, color=colour, label=name)
        scores = [100 * entry["val_mean_iou"] for entry in history]
        axes["score"].plot(numbers, scores, "o-", ms=3, color=BLUE)
        axes["loss"].set_ylabel("loss")
        axes["loss"].legend(frameon=False, fontsize=8)
        axes["score"].set(xlabel="epoch", ylabel="mean IoU, %")
        for name in ("loss", "score"):
            axes[name].set_xlim(0.5, self.epochs + 0.5)
            quiet(axes[name])
        axes["faces"].imshow(faces(self.images, self.truths, said, self.labels))
        axes["faces"].set_axis_off()
        axes["faces"].set_title(", ".join(ROWS), fontsize=9)
        figure.alt = f"Faces, their truth and predictions, beside curves of {len(history)} epochs"
        if history:
            figure.alt += f": mean IoU from {scores[0]:.1f} to {scores[-1]:.1f} %"
        return figure
