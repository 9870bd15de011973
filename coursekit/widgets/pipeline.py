"""The optimiser pipeline over a log: where patience ends a phase, and at which rate it goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coursekit.widgets.box import beside, can_move, html, moving, spoken
from coursekit.widgets.controls import choice, slider
from coursekit.widgets.svg import INK, Chart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from coursekit.optim import AdamToSGDConfig

_BLUE, _RED = "#3182ce", "#e53e3e"
#: Patience in the still picture.
_STILL = (3, 6, 12)


@dataclass(frozen=True)
class Epoch:
    """An epoch of the pipeline.

    Attributes:
        number: from 1.
        loss: of validation.
        phase: "adam" or "sgd", in which it was trained.
        peak: l_max of that phase.
        rate: at which it was trained.
        event: what its end led to; see `coursekit.optim.Pipeline.record`.
        stalled: epochs without improvement after it.
        best: the lowest loss so far.
        best_at: the number of the epoch that had it.
    """

    number: int
    loss: float
    phase: str
    peak: float
    rate: float
    event: str
    stalled: int
    best: float
    best_at: int


def replay(losses: Sequence[float], config: AdamToSGDConfig) -> list[Epoch]:
    """What the pipeline decides after each loss of a log, until it stops or the log ends.

    Args:
        losses: of validation, one an epoch.
        config: of the pipeline.
    """
    from coursekit.optim import Pipeline

    machine, found = Pipeline(config), []
    for number, loss in enumerate(losses, 1):
        phase, peak, rate = machine.phase, machine.peak, machine.rate
        event = machine.record(loss)
        found.append(Epoch(number, loss, phase, peak, rate, event, machine.stalled, machine.best,
                           machine.best_epoch + 1))  # fmt: skip
        if event == "stop":
            break
    return found


def states(config: AdamToSGDConfig) -> list[tuple[str, float]]:
    """All phases of the pipeline, with the rate at which each begins; "stopped" is not named."""
    found, peak = [("adam", config.adam_lr)], config.sgd_lr
    while peak >= config.sgd_min_lr:
        found.append(("sgd", peak))
        peak /= 2
    return found


def the_report_s_log(epochs: int = 120) -> list[float]:
    """Losses with the lows that one log of the report has, its SegFormer's: at 36 and at 49."""
    falling = [4.0 - 3 * epoch / 36 for epoch in range(1, 37)]
    after = [1.25 + 0.05 * math.sin(epoch) for epoch in range(37, epochs + 1)]
    after[49 - 37] = 0.9
    return falling + after


def in_numbers(epochs: Sequence[Epoch], losses: Sequence[float], at: int, patience: int) -> str:
    """What has happened by the end of an epoch, and what the whole log had, as HTML."""
    now = epochs[at - 1]
    lowest = min(losses)
    kept = epochs[-1]
    ends = "stops" if kept.event == "stop" else "is still running"
    missed = f"a lower one, {lowest:.3g} at {losses.index(lowest) + 1}, comes too late"
    whole = "none of the log is lower" if kept.best <= lowest else missed
    return (
        f"After epoch <b>{now.number}</b>: <b>{now.event}</b>; stalled {now.stalled} of "
        f"{patience}, best {now.best:.3g} at epoch {now.best_at}.<br>The run {ends} after epoch "
        f"<b>{kept.number}</b> and keeps {kept.best:.3g} of epoch {kept.best_at}: {whole}."
    )


def _named(phase: str, peak: float) -> str:
    return f"{'Adam' if phase == 'adam' else 'SGD'} {peak:g}"


def state_line(epochs: Sequence[Epoch], at: int, config: AdamToSGDConfig) -> str:
    """The state machine as HTML, the state after an epoch in bold and framed."""
    now = epochs[at - 1]
    after = epochs[at] if at < len(epochs) else now
    here = "stopped" if now.event == "stop" else _named(after.phase, after.peak)
    if now.event in ("switch", "halve") and after is now:  # the log ends at a patience event
        here = ""
    names = [_named(phase, peak) for phase, peak in states(config)] + ["stopped"]
    boxes = [
        f'<span style="border: {"3px solid " + _BLUE if name == here else "1px solid grey"}; '
        f"border-radius: 4px; padding: 1px 5px; white-space: nowrap; display: inline-block; "
        f'margin: 2px 0{"; font-weight: bold" if name == here else ""}">{name}</span>'
        for name in names
    ]
    return " → ".join(boxes)


def drawn(epochs: Sequence[Epoch], losses: Sequence[float], at: int) -> str:
    """Losses with the events, and the rate below, as HTML.

    Args:
        epochs: of `replay`, at least one.
        losses: of the whole log; what the run does not reach is dotted.
        at: the epoch that is looked at, from 1.
    """
    ends = (0.5, len(losses) + 0.5)
    span = max(losses) - min(losses) or 1.0
    top = Chart(ends, (min(losses) - 0.1 * span, max(losses) + 0.2 * span), height=190,
                title="validation loss")  # fmt: skip
    top.heights([min(losses), max(losses)], "{:.2f}")
    numbers = [one.number for one in epochs]
    top.line(range(1, len(losses) + 1), losses, INK, 1, "2 3")
    top.line(numbers, [one.loss for one in epochs], _BLUE)
    events = [one for one in epochs if one.event in ("switch", "halve", "stop")]
    top.events([(one.number + 0.5, one.event) for one in events], _RED)
    kept = epochs[-1]
    top.dot(kept.best_at, kept.best, _BLUE, f"kept: {kept.best:.3g} of epoch {kept.best_at}")
    top.upright(at, INK, "1 2")
    step = 10 if len(losses) > 30 else 5
    ticks = [(x, str(x)) for x in range(step, len(losses) + 1, 2 * step)]
    top.places(ticks)
    rates = [one.rate for one in epochs]
    low, high = min(rates) / 1.5, max(rates) * 1.5
    low, high = min(low, 0.0005), max(high, 0.05)
    below = Chart(ends, (low, high), height=110, log=True, title="learning rate")
    below.heights([r for r in (0.001, 0.01, 0.1) if low <= r <= high])
    xs = [x for one in epochs for x in (one.number - 0.5, one.number + 0.5)]
    below.line(xs, [rate for rate in rates for _ in (0, 1)], _BLUE)
    below.upright(at, INK, "1 2")
    below.places([*ticks[:-1], (ticks[-1][0], f"{ticks[-1][1]} epochs")] if ticks else ticks)
    said = ", ".join(f"{one.event} after epoch {one.number}" for one in events) or "no event"
    alt = f"Validation loss over {len(losses)} epochs: {said}; kept is epoch {kept.best_at}"
    rate_alt = f"Learning rate from {rates[0]:g} to {rates[-1]:.3g}"
    return top.as_html(alt) + below.as_html(rate_alt)


def optimiser_pipeline(logs: Mapping[str, Sequence[float]] | None = None) -> Any:
    """Patience and rates over a log that does not answer to them: when would the pipeline switch?

    Args:
        logs: by a name, validation losses of runs, one an epoch; beside them there is always one
            with the lows of a log of the report.

    Returns:
        An ipywidgets box to be shown as the last line of a cell. Without ipywidgets: a still
        figure, after a message.
    """
    from coursekit.optim import AdamToSGDConfig

    every = {"the report's": the_report_s_log(), **{k: list(v) for k, v in (logs or {}).items()}}

    def still() -> Figure:
        return _still(every["the report's"])

    if not can_move():
        return still()
    longest = max(map(len, every.values()))
    controls = {
        "log": choice(list(every), "log"),
        "patience": slider(12, 1, 30, 1, "patience"),
        "highest": slider(0.02, 0.005, 0.08, 0.005, "SGD's first", digits=3),
        "least": slider(0.005, 0.001, 0.02, 0.001, "SGD's least", digits=3),
        "at": slider(49, 1, longest, 1, "epoch"),
    }
    picture, note, line = html("picture", "30rem"), html("note"), html("states", "100%")

    def update(log: str, patience: int, highest: float, least: float, at: int) -> None:
        losses = every[log]
        # Whoever crosses the two sliders gets one phase of SGD, and no error.
        config = AdamToSGDConfig(patience=patience, sgd_lr=highest, sgd_min_lr=min(least, highest))
        epochs = replay(losses, config)
        at = min(at, len(epochs))
        picture.value, line.value = drawn(epochs, losses, at), state_line(epochs, at, config)
        note.value = spoken(in_numbers(epochs, losses, at, patience))

    return moving(update, controls, [line, beside(picture, [*controls.values(), note])], still)


def _still(losses: Sequence[float]) -> Figure:
    """The log for three values of patience."""
    from coursekit.optim import AdamToSGDConfig
    from coursekit.plots import BLUE, GREY, RED, Picture
    from coursekit.plots.picture import quiet

    figure = Picture(figsize=(7.5, 4.4), layout="constrained")
    grid = figure.subplots(len(_STILL), sharex=True)
    for axes, patience in zip(grid, _STILL, strict=True):
        epochs = replay(losses, AdamToSGDConfig(patience=patience))
        axes.plot(range(1, len(losses) + 1), losses, ":", color=GREY, lw=1, label="the whole log")
        numbers, reached = [e.number for e in epochs], [e.loss for e in epochs]
        axes.plot(numbers, reached, color=BLUE, label="reached")
        for one in epochs:
            if one.event in ("switch", "halve", "stop"):
                axes.axvline(one.number + 0.5, color=RED, lw=1)
            if one.event in ("switch", "stop"):  # between them there is little room
                ahead = one.event == "switch"
                axes.text(one.number if ahead else one.number + 1, 3.9, one.event, color=RED,
                          fontsize=7, va="top", ha="right" if ahead else "left")  # fmt: skip
        axes.plot(epochs[-1].best_at, epochs[-1].best, "o", color=BLUE, label="kept")
        axes.set_title(f"patience {patience}", fontsize=9)
        axes.set_ylabel("loss")
        quiet(axes)
    grid[-1].set_xlabel("epoch")
    grid[0].legend(frameon=False, fontsize=8)
    return figure
