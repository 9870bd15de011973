"""A split as arrays of one size: decoded once, in memory or mapped from the cache folder."""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import os
import shutil
import sys
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.errors import CourseError
from coursekit.files import home_folder, write_text
from coursekit.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import DTypeLike, NDArray

    from coursekit.labels import LabelSet

    #: For each array its shape and its type.
    Shapes = dict[str, tuple[tuple[int, ...], DTypeLike]]
    Filled = dict[str, NDArray[Any]]

#: Sets up to this many bytes stay in memory; larger ones are mapped from the cache folder.
MEMORY_LIMIT = 512 * 1024**2

# Raise it when the same files would decode to other pixels, or other arrays are kept.
_FORMAT = 3
_META = "meta.json"


@dataclass(frozen=True, eq=False)
class Arrays:
    """Every sample of a split at one size.

    Attributes:
        images: (N, S, S, 3) uint8 RGB.
        label_maps: (N, S, S) uint8 class ids; None when the split is unlabelled.
        landmarks: (N, 106, 2) float32 x and y in pixels of the S × S image, pixel centres at whole
            numbers; None when a sample has none.
        names: the stem of each sample.
        labels: the classes of the label maps.
    """

    images: NDArray[np.uint8]
    label_maps: NDArray[np.uint8] | None
    landmarks: NDArray[np.float32] | None
    names: tuple[str, ...]
    labels: LabelSet

    def __len__(self) -> int:
        return len(self.names)

    @property
    def size(self) -> int:
        """The side S of the images, in pixels."""
        return self.images.shape[1]

    def __getstate__(self) -> dict[str, Any]:
        """Pass mapped arrays to other processes as file names, not as gigabytes."""
        return {name: _packed(value) for name, value in self.__dict__.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, _unpacked(value))


def cache_folder() -> Path:
    """Where decoded arrays are kept: `COURSEKIT_CACHE`, or the user's cache folder."""
    chosen = os.environ.get("COURSEKIT_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home_folder() / "AppData/Local") / "coursekit"
    if sys.platform == "darwin":
        return home_folder() / "Library/Caches/coursekit"
    return Path(os.environ.get("XDG_CACHE_HOME") or home_folder() / ".cache") / "coursekit"


def kept_arrays(identity: dict[str, Any], shapes: Shapes, fill: Callable[[Filled], None]) -> Filled:
    """Arrays in memory or, where they are large, in the cache folder for the next call too.

    Args:
        identity: what the content follows from, as JSON can hold it.
        shapes: the arrays that are wanted; the first axis of each counts samples.
        fill: writes the content into arrays of these names and shapes.

    Returns:
        The arrays by name; mapped ones can be read only.

    Raises:
        CourseError: for a cache that cannot be written. What `fill` raises is passed on, and
            leaves nothing behind.
    """
    size = sum(math.prod(shape) * np.dtype(kind).itemsize for shape, kind in shapes.values())
    if size <= MEMORY_LIMIT:
        arrays: Filled = {name: np.empty(shape, kind) for name, (shape, kind) in shapes.items()}
        fill(arrays)
        return arrays
    key = hashlib.sha256(json.dumps({"format": _FORMAT, **identity}).encode()).hexdigest()[:32]
    folder = cache_folder() / "arrays" / key
    kept = _mapped(folder, shapes)
    if kept is None:
        _build(folder, shapes, fill)
        kept = _mapped(folder, shapes)
    if kept is None:
        raise CourseError(
            f"{folder}: was written and cannot be read back; free some space, or set "
            "COURSEKIT_CACHE to a folder on another disk"
        )
    return kept


def _build(folder: Path, shapes: Shapes, fill: Callable[[Filled], None]) -> None:
    """Fill a folder beside `folder`, which takes its name when it is whole."""
    with _whole_folder(folder) as temporary:
        mapped = {
            name: np.lib.format.open_memmap(
                temporary / f"{name}.npy", mode="w+", dtype=np.dtype(kind), shape=shape
            )
            for name, (shape, kind) in shapes.items()
        }
        fill({**mapped})
        sums = {name: _checksum(array) for name, array in mapped.items()}
        while mapped:
            mapped.popitem()[1].flush()  # and close it: some systems move no open file
        write_text(temporary / _META, json.dumps({"checksums": sums}))


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder.parent) as temporary:
            new = temporary / "new"
            new.mkdir(mode=0o700)
            yield new
            shutil.rmtree(folder, ignore_errors=True)
            try:
                new.replace(folder)
            except OSError:
                if not folder.is_dir():  # else another process built the same meanwhile
                    raise
    except OSError as error:
        raise _unwritable(folder, error) from error


def _mapped(folder: Path, shapes: Shapes) -> Filled | None:
    """The cached arrays, or None when they are missing, cut short or altered."""
    try:
        sums = json.loads((folder / _META).read_text("utf-8"))["checksums"]
        arrays = {}
        for name, (shape, kind) in shapes.items():
            array = np.load(folder / f"{name}.npy", mmap_mode="r")
            if array.shape != shape or array.dtype != kind or _checksum(array) != sums[name]:
                return None
            arrays[name] = array
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    return arrays


def _checksum(array: NDArray[Any]) -> int:
    """Of some samples from the first to the last: reading all would cost as much as decoding."""
    chosen = np.linspace(0, len(array) - 1, num=min(len(array), 32)).astype(int)
    total = 0
    for index in chosen:
        total = zlib.crc32(array[index].tobytes(), total)
    return total


def _unwritable(folder: Path, error: OSError) -> CourseError:
    return CourseError(
        f"{folder}: could not be written ({error.strerror or error}); free some space, or set "
        "COURSEKIT_CACHE to a folder on another disk"
    )


def _packed(value: Any) -> Any:
    # A part of a mapped array knows the file too, but not which part of it it is.
    if isinstance(value, np.memmap) and isinstance(value.base, mmap.mmap):
        return partial(np.load, os.fspath(value.filename or ""), mmap_mode="r")
    return value


def _unpacked(value: Any) -> Any:
    return value() if isinstance(value, partial) else value
