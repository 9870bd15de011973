"""What a process has before an answer is tried, and how to be there again."""

from __future__ import annotations

import os
import random
import sys
import zlib
from typing import Any

import numpy as np


class State:
    """What a run begins with: the names, and all that random numbers come from.

    Attributes:
        names: what they stood for.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = dict(names)
        self._random = random.getstate(), np.random.get_state()  # noqa: NPY002
        self._environment, self._errors = dict(os.environ), np.geterr()
        self._drawn = [
            (g.bit_generator, g.bit_generator.state)
            for g in names.values()
            if isinstance(g, np.random.Generator)
        ]  # a lesson's own generators
        self._torch = sys.modules.get("torch")
        self._tensors = [
            (g, g.get_state())
            for g in names.values()
            if type(g).__name__ == "Generator" and type(g).__module__.startswith("torch")
        ]
        if self._torch is not None:
            self._numbers = self._torch.get_rng_state()
            self._dtype = self._torch.get_default_dtype()
            self._graded = self._torch.is_grad_enabled()

    def restore(self, names: dict[str, Any]) -> None:
        """Be there again."""
        names.clear()
        names.update(self.names)
        random.setstate(self._random[0])
        np.random.set_state(self._random[1])  # noqa: NPY002
        np.seterr(**self._errors)
        for bits, state in self._drawn:
            bits.state = state
        for drawn, numbers in self._tensors:
            drawn.set_state(numbers)
        os.environ.clear()
        os.environ.update(self._environment)
        if self._torch is not None:
            self._torch.set_rng_state(self._numbers)
            self._torch.set_default_dtype(self._dtype)
            self._torch.set_grad_enabled(self._graded)


def contents(names: dict[str, Any]) -> dict[str, list[int]]:
    """Checksums of the numbers that names stand for, of networks' states too."""
    found: dict[str, list[int]] = {}
    for name, value in names.items():
        state = getattr(value, "state_dict", None)
        held = state().values() if callable(state) and not isinstance(value, type) else [value]
        found[name] = [zlib.crc32(data) for data in map(_data, held) if data]
    return found


def _data(value: Any) -> bytes:
    """The bytes of an array or a tensor; none of anything else."""
    if type(value).__module__ == "torch" and hasattr(value, "untyped_storage"):
        if value.device.type != "cpu" or value.layout != sys.modules["torch"].strided:
            return b""
        value = value.detach().cpu().contiguous().reshape(-1)  # (N,)
        value = value.view(sys.modules["torch"].uint8).numpy()  # (bytes,)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.tobytes()
    return b""
