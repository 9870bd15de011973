"""Losses and learning rates over a training's epochs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from matplotlib.ticker import MaxNLocator

from coursekit.plots.picture import BLUE, GREY, RED, Picture, quiet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def convergence(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Losses over epochs, with a red line at each switch of the optimiser (Fig. 4).

    Args:
        history: entries of `coursekit.training.fit`; each red line is labelled with the learning
            rate that starts there.
    """
    history = _from_one(history)
    figure = Picture(figsize=(7.5, 3.4), layout="constrained")
    axes = figure.subplots()
    _losses(axes, history, history)
    kept = [entry for entry in history if entry["event"] == "improved"] or history
    axes.plot(kept[-1]["epoch"], kept[-1]["val_loss"], "o", color=BLUE, label="kept")
    for entry, following in pairwise(history):
        if entry["event"] in ("switch", "halve"):
            axes.axvline(entry["epoch"] + 0.5, color=RED, linewidth=1)
            name = "SGD " if entry["event"] == "switch" else ""
            axes.text(
                entry["epoch"] + 0.6, 0.98, f"{name}{following['rate']:g}", color=RED,
                transform=axes.get_xaxis_transform(), va="top", rotation=90, fontsize=8,
            )  # fmt: skip
    if history and history[-1]["event"] == "stop":
        axes.axvline(history[-1]["epoch"] + 0.5, color=RED, linewidth=1, linestyle=":")
    axes.set_xlabel("epoch")
    axes.set_ylabel("weighted cross-entropy")
    axes.legend(frameon=False, loc="upper center")
    return figure


def schedule(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Losses and learning rate over epochs, each cycle of self-regulation shaded.

    At a cycle's end the validation loss is that of the average, which is in use from then on and
    marked; so is the best of the initialisation. The cycles' training loss is left out: it is
    another, against the teacher.

    Args:
        history: entries of `coursekit.training.fit` under `SelfRegulationConfig`, at least one.
    """
    history = _from_one(history)
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for entry in history:
        parts.setdefault(entry["phase"], []).append(entry)
    initial = parts.pop("initialisation", [])
    figure = Picture(figsize=(7.5, 4.2), layout="constrained")
    rows = [["losses", "cycles"], ["rate", "cycles"]] if parts else [["losses"], ["rate"]]
    ratios = (5, 3)[: len(rows[0])]
    panels: dict[str, Axes] = figure.subplot_mosaic(
        rows, height_ratios=(2, 1), width_ratios=ratios
    )  # fmt: skip
    panels["rate"].sharex(panels["losses"])
    for axes in panels.values():
        _shade(axes, parts)
        axes.set_xlabel("epoch")
        axes.set_xlim(history[0]["epoch"] - 0.5, history[-1]["epoch"] + 0.5)
    _losses(panels["losses"], history, initial)
    _mark_models(panels["losses"], initial, parts)
    panels["losses"].set_ylabel("loss")
    panels["losses"].set_xlabel("")
    panels["losses"].legend(frameon=False, fontsize=8)
    rate = panels["rate"]
    rate.plot(_all(history, "epoch"), _all(history, "rate"), color=GREY, drawstyle="steps-mid")
    rate.set_yscale("log")
    rate.set_ylabel("learning rate")
    quiet(rate)
    if parts:
        cycles = [entry for entries in parts.values() for entry in entries]
        _losses(panels["cycles"], cycles, [])
        _mark_models(panels["cycles"], [], parts)
        panels["cycles"].set_xlim(cycles[0]["epoch"] - 0.5, cycles[-1]["epoch"] + 0.5)
        panels["cycles"].set_title("the cycles' validation loss", fontsize=9)
    return figure


def _from_one(history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A history whose epochs are counted as people count."""
    return [{**entry, "epoch": entry["epoch"] + 1} for entry in history]


def _all(history: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    return [entry[key] for entry in history]


def _shade(axes: Axes, cycles: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Every cycle in one of two shades."""
    for number, entries in enumerate(cycles.values()):
        first, last = entries[0]["epoch"] - 0.5, entries[-1]["epoch"] + 0.5
        axes.axvspan(first, last, color=BLUE, alpha=(0.06, 0.14)[number % 2], linewidth=0)


def _mark_models(
    axes: Axes,
    initial: Sequence[Mapping[str, Any]],
    cycles: Mapping[str, Sequence[Mapping[str, Any]]],
) -> None:
    """The best of the initialisation, and what the cycles left."""
    best = min(initial, key=lambda e: e["val_loss"]) if initial else None
    kept = [e for entries in cycles.values() for e in entries if e["event"] == "improved"]
    for label, colour, entries in (
        ("best of the initialisation", BLUE, [best] if best else []),
        ("in use from then on", RED, kept),
    ):
        if entries:
            x, y = _all(entries, "epoch"), _all(entries, "val_loss")
            axes.plot(x, y, "o", color=colour, label=label)


def _losses(
    axes: Axes, history: Sequence[Mapping[str, Any]], training: Sequence[Mapping[str, Any]]
) -> None:
    """The validation loss of some epochs and the training loss of some."""
    if training:
        axes.plot(
            _all(training, "epoch"), _all(training, "train_loss"), color=GREY, label="training"
        )
    axes.plot(_all(history, "epoch"), _all(history, "val_loss"), color=BLUE, label="validation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    quiet(axes)
