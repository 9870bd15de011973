"""What a hidden check uses inside the student's kernel: inputs come in, results go out.

A hidden check decides nothing. It applies the student's answer to inputs that the instructor's
secret drew, and writes down what came out; a trusted process compares that with what the solution
gives. So nothing in the student's kernel knows what is expected, and lying there is of no use::

    ### BEGIN HIDDEN TESTS
    from coursekit.probe import Probe

    probe = Probe("check-paint")
    maps = probe.given("maps", lambda rng: rng.integers(0, 19, (40, 30), dtype=np.uint8))
    probe.emit("picture", paint(maps, palette), about="a map of another shape")
    ### END HIDDEN TESTS

One text plays two parts. In the **reference** kernel, which runs the instructor's solution,
`given` draws and records, `emit` records the value and how to compare it. In a **student's**
kernel `given` hands out the recorded inputs and never calls `draw`, `keep` gives None, and of
`emit` only the value counts. Which part it is, the environment says: `COURSEKIT_PROBE` names the
folder, and only the reference kernel has `COURSEKIT_PROBE_SECRET`.

Values travel as JSON; arrays in it as npy without pickle. Reading them (`decode`) runs no code and
allocates no more than is there.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import inspect
import io
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.checks.comparing import equivalent
from coursekit.checks.copies import Handed, is_data, is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

#: What students read of `Probe.call`.
UNCHANGED = "the arguments are left as they are"
#: What `Probe.train` emits.
TRAINED = (
    "the gradient with respect to the image", "the gradients with respect to the weights",
    "the losses of a short training", "the logits after a short training",
)  # fmt: skip
FOLDER, SECRET = "COURSEKIT_PROBE", "COURSEKIT_PROBE_SECRET"

#: Nesting of a value that may travel.
DEEPEST = 16
#: Keys of its dicts that are no strings.
MOST_NUMBER_KEYS = 1000
_KINDS = "biufc"  # of arrays: no objects, no text, no dates


class Probe:
    """The hidden half of one check.

    Args:
        check: the name of the check cell, such as "check-paint".

    Raises:
        RuntimeError: outside of a grading kernel.
    """

    def __init__(self, check: str) -> None:
        if FOLDER not in os.environ:
            raise RuntimeError(f"hidden checks run when grading only ({FOLDER} is not set)")
        self.check = check
        self._folder = Path(os.environ[FOLDER])
        self._secret = os.environ.get(SECRET)
        self._changed: list[str] = []

    def given(self, name: str, draw: Callable[[np.random.Generator], Any]) -> Any:
        """An input, the same for all students and known to none before.

        Args:
            name: of the input, one in this check.
            draw: makes it, from a generator that depends on the secret, the check and the name.

        Returns:
            What `draw` gave, with tensors as arrays.
        """
        path = self._path("given", name)
        if self._secret is not None:
            _write(path, {"value": encode(draw(self._generator(name)))})
        return decode(json.loads(path.read_text())["value"])

    def fill(self, network: Any, name: str, mean: float = 0.1, spread: float | None = None) -> None:
        """Put drawn numbers into a network, none so small that its layer would not show.

        Args:
            network: a torch module, which takes them; its normalisations get running statistics,
                too.
            name: of this input, as in `given`.
            mean: of all but the running variances, which are uniform in [0.2, 2].
            spread: their standard deviation. Without one it is √(2 / fan-in) for the weights of
                layers, so that signals pass a deep network, and 0.3 for all else.
        """

        def draw(rng: np.random.Generator, key: str, value: Any) -> NDArray[Any]:
            shape = tuple(value.shape)
            if key.endswith("num_batches_tracked"):
                return np.array(3)
            if key.endswith("running_var"):
                return rng.uniform(0.2, 2, shape)
            layer = (2 / value[0].numel()) ** 0.5 if value.ndim > 1 else 0.3
            return rng.normal(mean, spread or layer, shape)

        self._plant(network, name, draw)

    def sow(self, network: Any, name: str) -> None:
        """As `fill`, for a large network: only what its numbers are drawn from travels."""
        seed = self.given(name, lambda rng: int(rng.integers(2**62)))
        drawn, numbers = np.random.default_rng(seed), {}
        for key, value in sorted(network.state_dict().items()):
            if value.ndim > 1:
                scale = np.float32((2 / value[0].numel()) ** 0.5)
                numbers[key] = scale * drawn.standard_normal(tuple(value.shape), np.float32)
            else:  # of a normalisation all may be so; a count of batches becomes 1
                numbers[key] = drawn.uniform(1, 1.5, tuple(value.shape))
        self._load(network, numbers)

    def start(self, network: Any, name: str, gain: float = 2.0) -> None:
        """Put drawn numbers into a network that it can be trained from.

        Args:
            network: a torch module, which takes them; its normalisations are as good as new.
            name: of this input, as in `given`.
            gain: the weights of layers have mean 0 and variance gain / fan-in.
        """

        def draw(rng: np.random.Generator, key: str, value: Any) -> NDArray[Any]:
            if value.ndim > 1:
                return rng.normal(0, (gain / value[0].numel()) ** 0.5, tuple(value.shape))
            one = value.ndim and key.endswith(("weight", "running_var"))
            return np.full(tuple(value.shape), 1.0 if one else 0.0)

        self._plant(network, name, draw)

    def train(self, network: Any, size: tuple[int, int, int]) -> None:
        """Train a network for four steps; emit its gradients, its losses and its last logits.

        Args:
            network: a torch module that turns images (B, 3, H, W) into logits (B, 3, H, W); in
                double precision, as good as new (`start`), and with no dropout, which is drawn.
            size: B, H and W of the images.
        """
        count, height, width = size
        few = count, height // 9 + 1, width // 9 + 1  # blotches of nine by nine pixels
        drawn = self.given("images", lambda rng: rng.normal(0, 1, (count, 3, height, width)))
        true = self.given("true", lambda rng: rng.integers(0, 3, few)).repeat(9, 1).repeat(9, 2)
        one = next(iter(network.state_dict().values()))
        images, ids = one.new_tensor(drawn), one.new_tensor(true[:, :height, :width]).long()
        losses: list[float] = []
        network.train()
        for _ in range(4):
            network.zero_grad()
            scores = network(images.requires_grad_())
            cost = -50 * scores.log_softmax(1).gather(1, ids[:, None]).mean()
            cost.backward()
            if not losses:
                self.emit("input", images.grad, TRAINED[0])
                slopes = {key: weight.grad for key, weight in network.named_parameters()}
                self.emit("gradients", slopes, TRAINED[1])
            losses.append(float(cost.detach()))
            for weight in network.parameters():
                if weight.grad is not None:
                    weight.data -= 0.001 * weight.grad
        self.emit("losses", losses, TRAINED[2], close=1e-4)
        scores = network.eval()(images)
        self.emit("trained", scores, TRAINED[3], close=1e-3)

    def _plant(self, network: Any, name: str, draw: Callable[..., NDArray[Any]]) -> None:
        """The same as `given`, for a network's numbers, which travel as a single array."""

        def pack(rng: np.random.Generator) -> dict[str, Any]:
            drawn = {key: draw(rng, key, value) for key, value in network.state_dict().items()}
            shapes = {key: list(array.shape) for key, array in drawn.items()}
            flat = [array.ravel() for array in drawn.values()]
            return {"shapes": shapes, "numbers": np.concatenate(flat)}

        given = self.given(name, pack)
        ends = np.cumsum([math.prod(shape) for shape in given["shapes"].values()])
        parts = np.split(given["numbers"], ends[:-1])
        named = zip(given["shapes"].items(), parts, strict=True)
        self._load(network, {key: part.reshape(shape) for (key, shape), part in named})

    @staticmethod
    def _load(network: Any, numbers: dict[str, NDArray[Any]]) -> None:
        one = next(iter(network.state_dict().values()))  # makes tensors, without importing torch
        network.load_state_dict({key: one.new_tensor(n) for key, n in numbers.items()})

    def keep(self, name: str, draw: Callable[[np.random.Generator], Any]) -> Any:
        """What a threshold needs and no student may see, such as the truth of a made face.

        Args:
            name: of the value; `emit` refers to it.
            draw: makes it, from the generator that `given` of the same name gets.

        Returns:
            In the reference kernel what `draw` gave, in a student's None.
        """
        if self._secret is None:
            return None
        encoded = encode(draw(self._generator(name)))
        _write(self._path("kept", name), {"value": encoded})
        return decode(encoded)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What an answer gives for copies of its arguments; one that it changes counts as wrong.

        A function of plain data is called twice with the same copies, and what it gives then is
        what counts: whoever changes them, and denies it, has another result. So has whoever changes
        them back at the second call (`values.reverse()`), which the first result shows.
        """
        handed = Handed(function, args, kwargs, ())
        twice = inspect.isfunction(function) and is_data([args, kwargs])
        first = result = function(*handed.args, **handed.kwargs)
        failed: Exception | None = None
        if twice:
            try:
                result = function(*handed.args, **handed.kwargs)
            except Exception as error:  # with arguments that the first call has spoilt, perhaps
                failed = error
        changed = handed.changed()
        if failed is not None and not changed:
            raise failed
        if twice and failed is None and not changed and not equivalent(first, result):
            changed = ["something, at each call"]
        self._changed += changed
        self.emit("changed", self._changed, UNCHANGED)
        return result

    def admit(self, why: str) -> None:
        """Say that a kernel could make up all that this check emits, and why that has to be.

        A check that proves nothing is refused without; with it instructors are told.
        """
        if self._secret is not None:
            _write(self._path("admitted", "why"), {"value": why})

    def emit(
        self,
        name: str,
        value: Any,
        about: str,
        *,
        close: float | None = None,
        at_most: float | None = None,
        at_least: float | None = None,
        miou: tuple[str, float] | None = None,
        dtype: bool = False,
        kind: bool = False,
        shapes: bool = False,
    ) -> None:
        """Write down what the answer gave. The rest says how it is compared, elsewhere.

        Args:
            name: of the result, one in this check.
            value: numbers, strings, None, arrays, tensors, and lists, tuples and dicts of them.
            about: what is tried here, in words that a student may read.
            close: tolerance, `close + close·|expected|`; without it floats get 1e-5 and whole
                numbers, booleans and strings must be equal.
            at_most: a number must not be above this (a loss, a number of parameters).
            at_least: a number must not be below this.
            miou: the name of a kept truth and the mean IoU that label maps must reach against it.
            dtype: whether an array's type counts, too.
            kind: whether it counts, too, that this is a float, an array or tensor of whole numbers
                or of others, a list …
            shapes: whether the value is shapes by name, of a network's parameters say, whose
                numbers are counted, outside, before they are compared with `at_most`.
        """
        if kind:
            self.emit(f"{name}-kind", _kind(value), f"{about}: its type")
        record: dict[str, Any] = {"value": encode(value)}
        if self._secret is not None:
            record |= {
                "about": about, "close": close, "at_most": at_most, "at_least": at_least,
                "miou": list(miou) if miou else None, "dtype": dtype, "shapes": shapes,
            }  # fmt: skip
        _write(self._path("emitted", name), record)

    def _path(self, kind: str, name: str) -> Path:
        return self._folder / kind / self.check / f"{name}.json"

    def _generator(self, name: str) -> np.random.Generator:
        seed = hashlib.sha256(f"{self._secret}|{self.check}|{name}".encode()).digest()
        return np.random.default_rng(int.from_bytes(seed, "big"))


def _kind(value: Any) -> str:
    """What a value is; NumPy's own numbers are numbers, and arrays of whole ones are alike."""
    if is_tensor(value) or isinstance(value, np.ndarray):
        whole = _as_array(value).dtype.kind in "biu"
        return f"{'tensor' if is_tensor(value) else 'array'} of {'whole ' if whole else ''}numbers"
    numbers = {"bool": (bool, np.bool_), "int": (int, np.integer), "float": (float, np.floating)}
    for name, kinds in numbers.items():
        if isinstance(value, kinds):
            return name
    return type(value).__name__


def encode(value: Any, depth: int = 0) -> Any:
    """A value as what JSON can hold.

    Raises:
        TypeError: for a value of another kind, or one nested deeper than `DEEPEST`.
    """
    if depth > DEEPEST:
        raise TypeError(f"nested deeper than {DEEPEST}")
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, float) and not isinstance(value, np.generic):
        return value if math.isfinite(value) else {"$": "float", "is": repr(float(value))}
    if isinstance(value, dict):
        if sum(not isinstance(key, str) for key in value) > MOST_NUMBER_KEYS:
            raise TypeError(f"a dict with more than {MOST_NUMBER_KEYS} keys that are no strings")
        pairs = [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in value.items()]
        return {"$": "dict", "is": pairs}
    if isinstance(value, (list, tuple)):
        items = [encode(v, depth + 1) for v in value]
        return items if isinstance(value, list) else {"$": "tuple", "is": items}
    array = _as_array(value)
    if array.dtype.kind not in _KINDS:
        raise TypeError(f"a {type(value).__name__} cannot be handed over: give numbers or arrays")
    by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
    start = _start(array.shape, by_columns, array.dtype)
    content = start + array.tobytes("F" if by_columns else "C")
    return {"$": "array", "is": base64.b64encode(content).decode()}


def decode(value: Any) -> Any:
    """The value that `encode` took, with arrays for tensors. Safe with a stranger's data.

    Raises:
        ValueError: for what `encode` never writes.
    """
    return _Reader().read(value, 0)


class _Reader:
    """Reads one record.

    The hashes of strings are secret, those of numbers are not: a dict of numbers that share one
    takes the square of their count. So there may be only so many.
    """

    def __init__(self) -> None:
        self._numbers_left = MOST_NUMBER_KEYS

    def read(self, value: Any, depth: int) -> Any:
        if depth > DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST}")
        if value is None or isinstance(value, (bool, str, int, float)):
            return value
        if isinstance(value, list):
            return [self.read(v, depth + 1) for v in value]
        kind, content = (value.get("$"), value.get("is")) if isinstance(value, dict) else (0, 0)
        if kind == "float" and content in ("nan", "inf", "-inf"):
            return float(content)
        if kind == "array" and isinstance(content, str):
            return _read_array(content)
        if kind == "tuple" and isinstance(content, list):
            return tuple(self.read(v, depth + 1) for v in content)
        if kind == "dict" and isinstance(content, list):
            return self._dict(content, depth)
        raise ValueError(f"not a value that was written by emit: {str(value)[:60]}")

    def _dict(self, pairs: list[Any], depth: int) -> dict[Any, Any]:
        read: dict[Any, Any] = {}
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2:
                raise ValueError("a dict whose items are no pairs")
            key = self.read(pair[0], depth + 1)
            if not isinstance(key, (str, int, float, bool, type(None))):
                raise ValueError(f"a dict with a key of type {type(key).__name__}")
            self._numbers_left -= not isinstance(key, str)
            if self._numbers_left < 0:
                raise ValueError(f"more than {MOST_NUMBER_KEYS} numbers as keys of dicts")
            read[key] = self.read(pair[1], depth + 1)
        return read


def _as_array(value: Any) -> NDArray[Any]:
    if hasattr(value, "detach"):  # a torch tensor, without importing torch
        value = value.detach().cpu()
        value = (value.float() if "bfloat16" in str(value.dtype) else value).numpy()
    return np.asarray(value)


@functools.lru_cache(1000)  # see `_header`
def _start(shape: tuple[int, ...], by_columns: bool, dtype: np.dtype[Any]) -> bytes:
    """How the npy file of such an array begins."""
    file, named = io.BytesIO(), np.lib.format.dtype_to_descr(dtype)
    header = {"shape": shape, "fortran_order": by_columns, "descr": named}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


def _read_array(text: str) -> NDArray[Any]:
    raw = base64.b64decode(text, validate=True)
    shape, fortran, dtype, size = _header(raw[: 10 + int.from_bytes(raw[8:10], "little")])
    if dtype.hasobject or dtype.kind not in _KINDS:
        raise ValueError(f"an array of {dtype}")
    if math.prod(shape) * dtype.itemsize != len(raw) - size:
        raise ValueError("an array whose header does not fit its content")
    array = np.frombuffer(raw[size:], dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="))  # a copy, which may be written to


@functools.lru_cache(1000)  # reading one takes longer than most arrays, which are small and alike
def _header(start: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, order and type of an array from the npy file that begins so, and where it begins."""
    file = io.BytesIO(start)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"an array of npy version {version}")
    return (*np.lib.format.read_array_header_1_0(file), file.tell())


def _write(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, allow_nan=False))
