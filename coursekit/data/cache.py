"""A split as uint8 arrays of one size: decoded once, in memory or mapped from the cache folder."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
import sys
import tempfile
import time
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.data.images import resize_image, resize_label_map
from coursekit.data.progress import threaded
from coursekit.errors import CourseError
from coursekit.files import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from coursekit.data.sample import FaceDataset
    from coursekit.labels import LabelSet

#: Sets up to this many bytes stay in memory; larger ones are mapped from the cache folder.
MEMORY_LIMIT = 512 * 1024**2

# Raise it when the same files would decode to other pixels.
_FORMAT = 1
_BUILDING, _ABANDONED = ".building-", 24 * 3600  # seconds
_IMAGES, _LABEL_MAPS, _META = "images.npy", "label_maps.npy", "meta.json"


@dataclass(frozen=True, eq=False)
class Arrays:
    """Every sample of a split at one size.

    Attributes:
        images: (N, S, S, 3) uint8 RGB.
        label_maps: (N, S, S) uint8 class ids; None when the split is unlabelled.
        names: the stem of each sample.
        labels: the classes of the label maps.
    """

    images: NDArray[np.uint8]
    label_maps: NDArray[np.uint8] | None
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
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "coursekit"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/coursekit"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "coursekit"


def load_arrays(dataset: FaceDataset, size: int) -> Arrays:
    """Every sample of `dataset` at `size`; see `FaceDataset.arrays`.

    Raises:
        CourseError: for a size below 1, an unreadable sample, or a cache that cannot be written.
    """
    if size < 1:
        raise CourseError(f"a working size of {size} pixels; it must be at least 1")
    channels = 4 if dataset.labelled else 3
    if len(dataset) * size * size * channels <= MEMORY_LIMIT:
        images, label_maps = _empty(dataset, size)
        _fill(dataset, size, images, label_maps)
        return Arrays(images, label_maps, dataset.names, dataset.labels)
    identity = {"format": _FORMAT, "size": size, **dataset.identity()}
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
    folder = cache_folder() / "arrays" / key
    kept = _mapped(folder, dataset, size)
    if kept is None:
        _build(folder, dataset, size)
        kept = _mapped(folder, dataset, size)
    if kept is None:
        raise CourseError(
            f"{folder}: was written and cannot be read back; free some space, or set "
            "COURSEKIT_CACHE to a folder on another disk"
        )
    return kept


def _shapes(dataset: FaceDataset, size: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {_IMAGES: (len(dataset), size, size, 3)}
    if dataset.labelled:
        shapes[_LABEL_MAPS] = (len(dataset), size, size)
    return shapes


def _empty(dataset: FaceDataset, size: int) -> tuple[NDArray, NDArray | None]:
    shapes = _shapes(dataset, size)
    label_shape = shapes.get(_LABEL_MAPS)
    images = np.empty(shapes[_IMAGES], dtype=np.uint8)
    return images, None if label_shape is None else np.empty(label_shape, dtype=np.uint8)


def _fill(
    dataset: FaceDataset, size: int, images: NDArray[np.uint8], label_maps: NDArray | None
) -> None:
    def work(index: int) -> None:
        image, label_map = dataset.pair(index)
        images[index] = resize_image(image, size, size)
        if label_maps is not None and label_map is not None:
            label_maps[index] = resize_label_map(label_map, size, size)

    for _ in threaded(
        work, range(len(dataset)), f"reading {dataset.split}", threads=dataset.threads
    ):
        pass


def _build(folder: Path, dataset: FaceDataset, size: int) -> None:
    """Decode everything into a folder beside `folder`, which takes its name when it is whole."""
    with _whole_folder(folder) as temporary:
        mapped = {
            name: np.lib.format.open_memmap(
                temporary / name, mode="w+", dtype=np.uint8, shape=shape
            )
            for name, shape in _shapes(dataset, size).items()
        }
        _fill(dataset, size, mapped[_IMAGES], mapped.get(_LABEL_MAPS))
        sums = {name: _checksum(array) for name, array in mapped.items()}
        while mapped:
            mapped.popitem()[1].flush()  # and close it: some systems move no open file
        write_text(temporary / _META, json.dumps({"names": dataset.names, "checksums": sums}))


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder.parent)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=_BUILDING))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield temporary
        shutil.rmtree(folder, ignore_errors=True)
        try:
            temporary.replace(folder)
        except OSError:
            if not folder.is_dir():  # else another process built the same meanwhile
                raise
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what killed processes left half built."""
    for left in folder.glob(f"{_BUILDING}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED:
                shutil.rmtree(left, ignore_errors=True)


def _mapped(folder: Path, dataset: FaceDataset, size: int) -> Arrays | None:
    """The cached arrays, or None when they are missing, cut short or altered."""
    try:
        meta = json.loads((folder / _META).read_text("utf-8"))
        arrays = {}
        for name, shape in _shapes(dataset, size).items():
            array = np.load(folder / name, mmap_mode="r")
            if array.shape != shape or array.dtype != np.uint8:
                return None
            if _checksum(array) != meta["checksums"][name]:
                return None
            arrays[name] = array
        if tuple(meta["names"]) != dataset.names:
            return None
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    return Arrays(arrays[_IMAGES], arrays.get(_LABEL_MAPS), dataset.names, dataset.labels)


def _checksum(array: NDArray[np.uint8]) -> int:
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
