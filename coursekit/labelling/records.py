"""One record a picture, and the two files that others read: nothing is lost, whoever writes.

A record is written at each move of the hand; landmark file and label map when a picture is saved.
Whoever writes says which state it has seen (its tag): where the files have moved on since, by
another window, another program or another process, it is told so, and nothing is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from coursekit.data.landmark_files import read_landmarks, write_landmarks
from coursekit.errors import CourseError
from coursekit.files import atomic_path, write_text
from coursekit.labelling import checking
from coursekit.labelling.photos import RECORDS, REPLACED
from coursekit.labels import LAPA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from coursekit.labelling.checking import Edit, Points
    from coursekit.labelling.photos import Photos

_FORMAT = 1
#: A point this far from where it was proposed, in pixels, was moved.
_MOVED = 0.05
#: What becomes of a landmark file that cannot be used.
KEPT = "It is kept until you save, and a copy after that"


class Conflict(CourseError):
    """A picture was changed elsewhere since a window has seen it."""


@dataclass(frozen=True)
class Held:
    """What is on disk of a picture.

    Attributes:
        tag: changes with the files.
        edit: what the hand has done; None where it has done nothing.
        saved: whether landmark file and label map hold it.
        points: of the landmark file, where it is no record's; None without one.
        when: the record was written, or "".
        message: what was wrong with the files; "" when nothing.
    """

    tag: str
    edit: Edit | None = None
    saved: bool = False
    points: Points | None = None
    when: str = ""
    message: str = ""

    @property
    def moved(self) -> int:
        """How many points the hand has moved."""
        return 0 if self.edit is None else moved(self.edit)


def moved(edit: Edit) -> int:
    """How many points the hand itself has put elsewhere than where they were proposed."""
    touched = list(edit.touched)
    off = np.abs(edit.points[touched] - edit.proposed[touched]).max(1, initial=0)
    return int(np.count_nonzero(off > _MOVED))


@dataclass(frozen=True)
class Row:
    """What a list shows of a picture.

    Attributes:
        state: "new", "file" (it has landmarks, not from here), "draft" or "saved".
        moved: points that were moved.
        drags: how often the hand moved something.
        seconds: how long it was at work.
    """

    state: str
    moved: int = 0
    drags: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, held: Held) -> Row:
        """The row of what is on disk."""
        if held.edit is None:
            return cls("new" if held.points is None else "file")
        state = "saved" if held.saved else "draft"
        return cls(state, held.moved, held.edit.drags, held.edit.seconds)


class Records:
    """Reads and writes what belongs to the photographs of a folder."""

    def __init__(self, photos: Photos) -> None:
        self.photos = photos
        self._lock = threading.RLock()

    def read(self, name: str) -> Held:
        """What is on disk of a photograph; where that is damaged, with a message and no error.

        Raises:
            CourseError: when it cannot be read.
        """
        record, landmarks = _bytes(self.photos.record(name)), _bytes(self.photos.landmarks(name))
        tag = _digest(record + b"|" + landmarks)
        points, message = None, ""
        if self.photos.landmarks(name).is_symlink():
            message = (
                f"{self.photos.landmarks(name)}: is a link, which is not followed; copy the file "
                "there, or a save takes its place"
            )
        if landmarks:
            try:
                points = read_landmarks(self.photos.landmarks(name)).astype(np.float64)
            except CourseError as error:
                message = f"{error}. {KEPT}"
        if not record:
            return Held(tag, points=points, message=message)
        try:
            known = json.loads(record)
            edit, saved = _edit(known), bool(known["saved"])
            written = str(known["written"]["landmarks"])
            when = str(known["when"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            told = f"{self.photos.record(name)}: is no record ({error}); a copy is kept"
            return Held(tag, points=points, message=" ".join(filter(None, (message, told))))
        if saved and points is not None and written != _digest(landmarks):
            told = f"{self.photos.landmarks(name)}: was changed outside; its points are shown"
            return Held(tag, points=points, when=when, message=told)
        return Held(tag, edit, saved and points is not None, points, when, message)

    def keep(self, name: str, edit: Edit, tag: str) -> Held:
        """Write the record alone, as after each move of the hand.

        Args:
            name: of the photograph.
            edit: what the hand has done.
            tag: of what the window has seen.

        Raises:
            Conflict: when the files have moved on; nothing was written.
            CourseError: when it cannot be written; what was there is kept.
        """
        with self._alone():
            held = self._expected(name, edit, tag)
            if held.edit is not None and _older(edit, held.edit):
                return held
            return self._write(name, edit, saved=False)

    def save(self, name: str, edit: Edit, tag: str, label_map: NDArray[np.uint8]) -> Held:
        """Write record, label map and landmark file.

        The record comes first, as not saved: whenever the power fails, it has the points.

        Raises:
            Conflict: when the files have moved on; nothing was written.
            CourseError: when they cannot be written.
        """
        with self._alone():
            self._expected(name, edit, tag)
            self._write(name, edit, saved=False)
            self._keep_foreign(name)
            _write_label_map(self.photos.label_map(name), label_map)
            write_landmarks(self.photos.landmarks(name), edit.points)
            return self._write(name, edit, saved=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread writes, and where the system has locks no other process."""
        with self._lock, contextlib.ExitStack() as stack:
            with contextlib.suppress(ImportError, OSError):
                import fcntl

                place = self.photos.root / RECORDS
                lock = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
                stack.callback(os.close, lock)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _expected(self, name: str, edit: Edit, tag: str) -> Held:
        held = self.read(name)
        # What this window wrote itself, and never heard of, is no conflict.
        own = held.edit is not None and held.edit.window == edit.window
        if held.tag != tag and not own:
            at = f" at {_clock(held.when)}" if held.when else ""
            raise Conflict(
                f"{name} was changed in another window{at}. Your points are still here: "
                "take theirs, or keep yours"
            )
        return held

    def _write(self, name: str, edit: Edit, *, saved: bool) -> Held:
        path = self.photos.record(name)
        old = _bytes(path)
        written = {"landmarks": "", "label_map": ""}
        with contextlib.suppress(ValueError, TypeError, KeyError):
            written |= json.loads(old)["written"]
        if saved:
            written = {
                "landmarks": _digest(_bytes(self.photos.landmarks(name))),
                "label_map": _digest(_bytes(self.photos.label_map(name))),
            }
        if old and not _is_record(old):
            self._copy(path)
        write_text(path, json.dumps(_as_data(edit, saved, written)) + "\n")
        return self.read(name)

    def _keep_foreign(self, name: str) -> None:
        """Copy a landmark file or a label map that the tool has not written, before it goes."""
        written: dict[str, str] = {}
        with contextlib.suppress(ValueError, TypeError, KeyError):
            written = json.loads(_bytes(self.photos.record(name)))["written"]
        for what, path in (
            ("landmarks", self.photos.landmarks(name)),
            ("label_map", self.photos.label_map(name)),
        ):
            content = _bytes(path)
            if content and _digest(content) != written.get(what):
                self._copy(path)

    def _copy(self, path: Path) -> None:
        place = self.photos.root / RECORDS / REPLACED / path.parent.name
        target, number = place / path.name, 1
        while target.exists():
            number += 1
            target = place / f"{path.stem}-{number}{path.suffix}"
        with atomic_path(target) as temporary:
            shutil.copyfile(path, temporary)


def _older(edit: Edit, there: Edit) -> bool:
    """Whether a window has sent something newer since."""
    return edit.window == there.window and edit.sequence <= there.sequence


def _clock(when: str) -> str:
    try:
        return datetime.fromisoformat(when).astimezone().strftime("%H:%M:%S")
    except (ValueError, OverflowError):
        return when


def _bytes(path: Path) -> bytes:
    """A file's content; nothing where there is none, or a link, which may lead anywhere.

    Raises:
        CourseError: when there is one that cannot be read.
    """
    try:
        return b"" if path.is_symlink() else path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise CourseError(
            f"{path}: cannot be read ({error.strerror or error}); make it readable. Nothing was "
            "changed"
        ) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _is_record(content: bytes) -> bool:
    try:
        _edit(json.loads(content))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    return True


def _as_data(edit: Edit, saved: bool, written: dict[str, str]) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "saved": saved,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "moved": moved(edit),
        "drags": edit.drags,
        "seconds": round(edit.seconds, 1),
        "hidden": list(edit.hidden),
        "touched": list(edit.touched),
        "source": edit.source,
        "points": np.round(edit.points, 3).tolist(),
        "proposed": np.round(edit.proposed, 3).tolist(),
        "size": edit.size,
        "written": written,
        "window": edit.window,
        "sequence": edit.sequence,
    }


def _edit(known: Any) -> Edit:
    if known["format"] != _FORMAT:
        raise ValueError(f"of format {known['format']!r:.20}")
    return checking.edit(known)


def _write_label_map(path: Path, label_map: NDArray[np.uint8]) -> None:
    picture = Image.fromarray(label_map)
    picture.putpalette(LAPA.palette_array().tobytes().ljust(768, b"\0"))
    with atomic_path(path) as temporary:
        picture.save(temporary, optimize=True)
