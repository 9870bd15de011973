"""A run in pieces: stopped after any epoch, and gone on with as if nothing had been.

Between two epochs the kernel is free: a notebook that trains so stays a notebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from coursekit.errors import CourseError
from coursekit.training.guards import check_filled, naming_what_is_full
from coursekit.training.kept import path_of
from coursekit.training.loop import Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from coursekit.data import FaceDataset
    from coursekit.training.config import FitConfig


class Pieces:
    """The run of `fit(network(), train, val, config, kept=kept)`, an epoch at each call.

    Both keep the same state under the same name: either goes on from where the other was stopped,
    and the weights are the same bit for bit on a CPU. Between two epochs nothing is held that
    other code could change: each piece has a network of its own, and torch's random generators
    are left as they were found.

    Args:
        network: makes the network, the same at each call.
        train: images to learn from.
        val: labelled images whose loss steers the plan.
        config: the settings.
        kept: a name in the cache folder.
        shown: so many of the first validation images are looked at.

    Raises:
        CourseError: for a set without images.

    Attributes:
        history: one dict for each epoch so far; see `FitResult`.
        said: (shown, S, S) classes of those images after the last epoch; None before the first.
        path: of the state.
    """

    def __init__(
        self,
        network: Callable[[], nn.Module],
        train: FaceDataset,
        val: FaceDataset,
        config: FitConfig,
        kept: str,
        shown: int = 4,
    ) -> None:
        check_filled(train, val)
        self._network, self._data, self.config, self._name = network, (train, val), config, kept
        self._shown = min(shown, len(val))
        self._run: Run | None = None
        self.path = path_of(kept)
        self.history: list[dict[str, Any]] = []
        self.said: NDArray[np.uint8] | None = None
        self.ended = False

    def look(self) -> None:
        """Learn what is kept, and train nothing; an empty history if nothing is."""
        self.history, self.said, self.ended = [], None, False
        if self.path.exists():
            self.begin()
            self._run = None

    def begin(self, *, afresh: bool = False) -> None:
        """Make the network and put it to where its run was stopped, or at the start.

        Args:
            afresh: forget what is kept, as soon as the new run can begin.

        Raises:
            CourseError: as `fit` does.
        """
        with _own_draws(), naming_what_is_full():
            run = Run(self._network(), *self._data, self.config, None, False, False, None, None)
            run.kept = run.open_kept(self._name, afresh=afresh)  # nothing is to fail after this
            self._run = run
            self._look()

    def epoch(self) -> None:
        """Train one epoch; after `begin`, and before the run has ended.

        Raises:
            CourseError: as `fit` does, and the run is then where it was kept last; or when it has
                ended.
        """
        if self._run and self.ended:
            raise CourseError("the run has ended; begin(afresh=True) starts it over")
        run, self._run = self._run, None  # a run that fails is not to be kept
        assert run is not None, "begin() comes first"
        with _own_draws(), naming_what_is_full():
            next(run.epochs())
            self._run = run
            self._look()

    def stop(self) -> None:
        """Keep the state, all of it, and let the network go.

        Where the same run was trained as far from elsewhere, that is kept, and looked at.
        """
        run, self._run = self._run, None
        if run and self.history and not run.keep():
            self.look()

    def _look(self) -> None:
        assert self._run is not None
        self.history, self.ended = self._run.history, self._run.ended
        self.said = self._run.said(self._shown) if self.history else None


def _own_draws() -> AbstractContextManager[None]:
    """While this lasts, torch draws what it likes; afterwards as if it had drawn nothing."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    return torch.random.fork_rng(devices)
