"""The state of a notebook's run in the cache folder: whoever was stopped goes on from there."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import torch

from coursekit.checkpoint import read_tensors
from coursekit.data.cache import cache_folder
from coursekit.errors import CourseError
from coursekit.training.state import load_state, save_state

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from coursekit.optim.plan import Plan
    from coursekit.training.objective import Objective

#: Seconds of training that may be lost: a state is written no more often.
SECONDS = 10.0


def path_of(name: str) -> Path:
    """Where the state of a notebook's run is kept."""
    return cache_folder() / "runs" / f"{name}.safetensors"


class Kept:
    """One state by name. That of another run, whatever differs, is written over.

    What the same run has written meanwhile from elsewhere (a dashboard trains, and a cell calls
    `fit`) stays where it is as far, or further: nobody's epochs are lost.

    Args:
        name: of the run, such as "02_unet".
        settings: of the run, as JSON gives them back; `begins` and the like among them.
    """

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self.path = path_of(name)
        self.settings, self._written = settings, time.monotonic()
        self._known = self._stamp()

    def load(
        self, objective: Objective, plan: Plan, *, afresh: bool = False
    ) -> list[dict[str, Any]]:
        """Put objective and plan to where the run was; its history, empty for another run.

        Args:
            objective: as it begins.
            plan: as it begins.
            afresh: forget what is kept instead.
        """
        if afresh:
            self.path.unlink(missing_ok=True)
        self._known = self._stamp()
        try:
            history, _ = load_state(self.path, objective, plan, self.settings, set())
        except (CourseError, FileNotFoundError):
            return []
        return history

    def save(
        self, objective: Objective, plan: Plan, history: list[dict[str, Any]], *, last: bool
    ) -> bool:
        """Write the state, unless that was done a moment ago and the run goes on.

        Returns:
            Whether nobody else has kept this run as far; if somebody has, nothing is written.
        """
        if not last and time.monotonic() - self._written <= SECONDS:
            return True
        first = not self._overtaken(len(history))
        if first:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            save_state(self.path, objective, plan, history, self.settings, None)
            self._known = self._stamp()
        self._written = time.monotonic()
        return first

    def _overtaken(self, epochs: int) -> bool:
        """Whether somebody else has kept at least so many epochs of this run."""
        if self._stamp() == self._known:
            return False
        try:
            _, meta = read_tensors(self.path)
        except (CourseError, FileNotFoundError):
            return False
        return meta.get("settings") == self.settings and len(meta.get("history", ())) >= epochs

    def _stamp(self) -> tuple[int, int] | None:
        """What tells that a file was written; None where there is none."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


@torch.no_grad()
def begins(network: nn.Module, image: Tensor) -> str:
    """What tells a network, as it begins, from another: its weights, and what it makes of an image.

    Args:
        network: in any mode.
        image: (3, S, S).
    """
    digest, training = hashlib.sha256(), network.training
    with torch.random.fork_rng([]):
        made = network.eval()(image[None].to(next(network.parameters()).device))
    network.train(training)
    for name, value in (*network.state_dict().items(), ("", made)):
        digest.update(name.encode())
        digest.update(value.detach().cpu().double().numpy().tobytes())
    return digest.hexdigest()
