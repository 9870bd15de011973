"""Files in a stranger's folders and zips, read within bounds and never unpacked to disk.

A link is not followed, a device or pipe is not opened, a zip within a zip within a zip is not
looked into. Of a file no more than a limit is read, whatever its size is said to be. The limits are
far above what honest work takes: files that are no notebooks cost nothing, and outputs little.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from coursekit import zips
from coursekit.errors import CourseError
from coursekit.grading.submissions.hand_zipped import classes_in
from coursekit.grading.submissions.layout import (
    ARCHIVE,
    FORM,
    NOTEBOOK,
    around_class,
    clean,
    inner_parts,
    inside_each,
    is_noise,
    listed_in,
    matters,
    without_class_folder,
)
from coursekit.grading.submissions.platforms import is_class_beside_students
from coursekit.grading.submissions.read import without_outputs

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Mapping

#: Bytes of a notebook, and of a zip within a zip; of the latter so many are held in memory.
LARGEST_NOTEBOOK, _LARGEST_INNER, _IN_MEMORY = 256 << 20, 1 << 30, 32 << 20
#: A notebook above this is kept without its outputs; above the second even so it is refused.
_LARGE, _TOO_LARGE = 1_000_000, 8_000_000
#: Of one student: notebooks that are read, and bytes of them; bytes of zips; files and folders that
#: are looked at, and those of them that are no notebooks and yet remembered.
MOST_NOTEBOOKS, _MOST_READ, _MOST_INNER = 20, 1 << 30, 2 << 30
_MOST_FILES, _MOST_OTHERS = 200_000, 20
_DEEPEST, _MOST_ZIPS = 10, 2  # folders within folders, and zips within zips
_LONGEST_LIST = 16 << 20  # bytes of a zip's list of entries
_LONGEST_FORM = 4096  # bytes; it begins with whose it is
#: What is said of an entry of a zip that must not be read.
_UNREADABLE = {
    "special": "is a link or device within a zip, and was left out",
    "locked": "is locked by a password: ask for a zip without one",
    "packed": "is packed in an unusual way: ask for an ordinary zip",
}


@dataclass(frozen=True)
class Found:
    """Something that was handed in.

    Attributes:
        parts: its path below the class, zips as folders.
        content: of a notebook that could be read; of a platform's form its beginning.
        problem: what is wrong with it, to follow its name; "" when nothing is.
        source: of several classes side by side, the folder or zip of the one that it is in.
    """

    parts: tuple[str, ...]
    content: bytes | None = None
    problem: str = ""
    source: str = ""

    @property
    def is_notebook(self) -> bool:
        """Whether its name is a notebook's."""
        return bool(NOTEBOOK.fullmatch(self.parts[-1]))

    @property
    def is_other(self) -> bool:
        """Whether it is a file of another kind, and not an empty folder."""
        return not self.is_notebook and not self.problem and self.parts[-1] != ""


def find(path: Path) -> list[Found]:
    """Everything below a path, sorted; notebooks with their content.

    Raises:
        CourseError: when the path itself cannot be read.
    """
    found = _read(path, {})
    few = classes_in((file.source, file.parts) for file in found)
    return _read(path, few) if few else found


def _read(path: Path, classes: Mapping[str, int]) -> list[Found]:
    """The same, where it is known which of what is on top are small classes."""
    reader = _Reader(path, classes)
    if path.is_dir():
        reader.folder(path, (), 0)
    elif path.suffix.lower() == ".zip":
        try:
            with path.open("rb") as file:
                reader.zip(file, (), 1)
        except OSError as error:
            raise CourseError(f"{path}: cannot be read ({error.strerror}); check it") from error
    else:
        reader.file(path, (path.name,))
    return sorted(reader.found, key=lambda f: f.parts)


class _Reader:
    def __init__(self, path: Path, classes: Mapping[str, int]) -> None:
        self._classes = classes
        self.found: list[Found] = []
        self._root = path
        self._source = ""
        self._tops: set[str] = set()
        self._files: Counter[str] = Counter()
        self._notebooks: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._read: Counter[str] = Counter()
        self._inner: Counter[str] = Counter()

    def _add(self, parts: tuple[str, ...], problem: str = "", **more: Any) -> None:
        self.found.append(Found(parts, problem=problem, source=self._source, **more))

    def _add_other(self, parts: tuple[str, ...]) -> None:
        """Remember a file of another kind; some of a student's are enough for a message."""
        self._others[parts[0]] += 1
        if self._others[parts[0]] <= _MOST_OTHERS:
            self._add(parts)

    def _enter(self, top: str) -> None:
        """Note that there is a student, who may have handed in nothing."""
        if top not in self._tops:
            self._tops.add(top)
            self._add((top, ""))

    def _may_look(self, parts: tuple[str, ...]) -> bool:
        """Count a file; of too many, those that come last are not looked at."""
        self._files[parts[0]] += 1
        if self._files[parts[0]] == _MOST_FILES + 1:
            self._add((parts[0],), f"holds more than {_MOST_FILES:,} files; the rest was left out")
        return self._files[parts[0]] <= _MOST_FILES

    # --- folders ---

    def folder(self, path: Path, parts: tuple[str, ...], depth: int) -> None:
        """Look into a folder; of a class, or with `parts` of a student."""
        before = self._source
        try:
            listed = listed_in(path)
            if len(parts) < 2 and (around := around_class(listed, parts)):
                self._source = "".join(parts) or before
                self.folder(around, (), depth + 1)
                self._source = before
                return
        except OSError as error:
            if not parts:
                raise CourseError(f"{path}: cannot be read ({error.strerror})") from error
            self._add(parts, f"cannot be read ({error.strerror})")
            return
        if len(parts) == 1 and parts[0] in self._classes:
            self._source = parts[0]
            for _ in range(self._classes[parts[0]]):
                listed = listed_in(Path(listed[0].path))
            parts = ()
        elif len(parts) == 1 and is_class_beside_students(parts[0], inside_each(listed)):
            self._source, parts = parts[0], ()
        elif parts:
            self._enter(parts[0])
        for entry in listed:
            self._entry(entry, (*parts, entry.name), depth)
        self._source = before

    def _entry(self, entry: os.DirEntry[str], parts: tuple[str, ...], depth: int) -> None:
        if not self._may_look(parts):
            return
        try:
            if entry.is_symlink():
                self._add(parts, "is a link, and links are not followed")
            elif entry.is_dir(follow_symlinks=False):
                if depth >= _DEEPEST:
                    self._add(parts, "lies too deep in folders")
                else:
                    self.folder(Path(entry.path), parts, depth + 1)
            else:
                self.file(Path(entry.path), parts)
        except OSError as error:
            self._add(parts, f"cannot be read ({error.strerror})")

    def file(self, path: Path, parts: tuple[str, ...]) -> None:
        """Look at a file."""
        if not matters(parts[-1]):
            self._add_other(parts)
            return
        try:
            with _open_plain(path) as file:
                self._content(file, parts, 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self._add(parts, f"cannot be read ({reason})")

    def _content(self, file: BinaryIO, parts: tuple[str, ...], level: int) -> None:
        """Read what may be a notebook, a zip or another archive."""
        name = parts[-1]
        if ARCHIVE.fullmatch(name):
            self._add(parts, "is an archive of a kind that cannot be opened here: ask for a zip")
        elif FORM.fullmatch(name):
            self._add(parts, content=file.read(_LONGEST_FORM))
        elif not NOTEBOOK.fullmatch(name):
            self.zip(file, parts, level)
        elif self._notebooks[parts[0]] >= MOST_NOTEBOOKS:
            problem = f"was not looked at: {MOST_NOTEBOOKS} notebooks of one student are read"
            self._add(parts, problem)
        else:
            self._notebooks[parts[0]] += 1
            most = min(LARGEST_NOTEBOOK, _MOST_READ - self._read[parts[0]])
            content = zips.read_at_most(file, most)
            if content is None:
                self._add(parts, f"is larger than {most >> 20} MB: clear its outputs")
            else:
                self._read[parts[0]] += len(content)
                content, problem = _light(content)
                self._add(parts, problem, content=content)

    # --- zips ---

    def zip(self, file: BinaryIO, parts: tuple[str, ...], level: int) -> None:
        """Look into a zip."""
        if level > _MOST_ZIPS:
            self._spoilt(parts, "is a zip within a zip within a zip, and was not opened")
            return
        try:
            with zips.open_zip(file, _LONGEST_LIST) as archive:
                self._entries(archive, parts, level)
        except zips.TooManyEntriesError:
            self._spoilt(parts, "is a zip with too many entries")
        except zips.BROKEN as error:
            self._spoilt(parts, f"is no zip that can be read ({clean(str(error))})")

    def _spoilt(self, parts: tuple[str, ...], problem: str) -> None:
        if not parts:
            raise CourseError(f"{self._root}: {problem}; download it again")
        self._add(parts, problem)

    def _entries(self, archive: zipfile.ZipFile, parts: tuple[str, ...], level: int) -> None:
        entries: dict[tuple[str, ...], zipfile.ZipInfo] = {}
        outside = twice = 0
        for info in archive.infolist():
            inner = inner_parts(info)
            if inner is None:
                outside += 1
            elif inner and not any(map(is_noise, inner)):
                twice += inner in entries and not info.is_dir()
                entries[inner] = info  # of two with one name the last, as unpacking would do
        here = parts or (self._root.name,)
        if len(parts) == 1 and parts[0] in self._classes:
            around, holds_class = self._classes[parts[0]], True
            entries = {inner[around:]: i for inner, i in entries.items() if len(inner) > around}
        else:
            entries, holds_class = without_class_folder(entries, parts, self._root.stem)
        before = self._source
        if holds_class:
            self._source, parts = "".join(parts), ()
        if parts:
            self._enter(parts[0])
        if outside:
            self._add(
                here,
                f"holds entries with paths that lead out of it ({outside}), which were left out",
            )
        if twice:
            self._add(here, f"holds several entries of one name ({twice}); the last counts")
        classes = set() if parts else self._classes.keys() & {inner[0] for inner in entries}
        for top in sorted(classes):
            below = {inner[1:]: entries.pop(inner) for inner in [*entries] if inner[0] == top}
            around, self._source = self._classes[top], top
            few = {inner[around:]: info for inner, info in below.items() if len(inner) > around}
            self._each(archive, few, (), level)
        self._each(archive, entries, parts, level)
        self._source = before

    def _each(
        self,
        archive: zipfile.ZipFile,
        entries: dict[tuple[str, ...], zipfile.ZipInfo],
        parts: tuple[str, ...],
        level: int,
    ) -> None:
        # What lies on top comes first: of very many notebooks the deepest are not looked at.
        for inner, info in sorted(entries.items(), key=lambda entry: (len(entry[0]), entry[0])):
            whole = (*parts, *inner)
            if len(whole) > 1 or info.is_dir():
                self._enter(whole[0])
            if not info.is_dir() and self._may_look(whole):
                self._zipped(archive, info, whole, level)

    def _zipped(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, parts: tuple[str, ...], level: int
    ) -> None:
        problem = zips.content_problem(info)
        if problem != "special" and not matters(parts[-1]):
            self._add_other(parts)
        elif problem:
            self._add(parts, _UNREADABLE[problem])
        else:
            try:
                with archive.open(info) as stream:
                    self._unpacked(cast("BinaryIO", stream), parts, level)
            except zips.BROKEN as error:
                self._add(parts, f"cannot be unpacked ({clean(str(error))})")

    def _unpacked(self, stream: BinaryIO, parts: tuple[str, ...], level: int) -> None:
        if not parts[-1].lower().endswith(".zip"):
            self._content(stream, parts, level)
            return
        most = min(_LARGEST_INNER, _MOST_INNER - self._inner[parts[0]])
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:  # on disk it has no name
            size = zips.copy_at_most(stream, copy, most)
            if size is None:
                self._add(parts, f"is a zip within a zip, larger than {most >> 20} MB")
                return
            self._inner[parts[0]] += size
            self._content(cast("BinaryIO", copy), parts, level + 1)


def _open_plain(path: Path) -> BinaryIO:
    """Open an ordinary file: no link, and nothing that waits for somebody to write into it."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_BINARY", 0)
    if not stat.S_ISREG(path.lstat().st_mode):  # opening a device may already do something
        raise ValueError("it is no ordinary file")
    handle = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it is no ordinary file")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _light(content: bytes) -> tuple[bytes | None, str]:
    """A notebook without its outputs, if it is large, so that a class fits into memory."""
    if len(content) <= _LARGE:
        return content, ""
    try:
        content = without_outputs(content)
    except ValueError as error:
        return None, f"cannot be read: {error}"
    if len(content) > _TOO_LARGE:
        return None, "is too large even without its outputs"
    return content, ""
