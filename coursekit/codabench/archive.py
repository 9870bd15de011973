"""A submission's zip: which entries can be read, what is wrong with the others, and what they hold.

Sizes are added up before anything is unpacked.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from coursekit import zips
from coursekit.codabench import limits
from coursekit.errors import CourseError

if TYPE_CHECKING:
    import os
    from types import TracebackType

    from coursekit.codabench.problems import Findings

_MAGIC = {
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip file, perhaps a .tar.gz",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"<": "perhaps a web page that was saved instead of a file",
    b"PK\x03\x04": "it begins as one and lacks its end: cut off",
}


#: What is odd about a name or a content → the kind of problem.
_NAMES = {
    "absolute": "absolute-name", "outside": "traversal", "crooked": "traversal", "bad": "bad-name",
}  # fmt: skip
_CONTENTS = {"special": "symlink", "locked": "encrypted", "packed": "compression"}


@dataclass(frozen=True)
class ZipEntry:
    """A file in the zip.

    Attributes:
        name: with forward slashes.
        info: zipfile's own record.
        readable: False when its content must not be touched; the reason was already noted.
    """

    name: str
    info: zipfile.ZipInfo
    readable: bool


class Archive:
    """The entries of a zip, and their contents one by one. A context manager.

    Args:
        path: the zip.
        findings: where what is wrong is noted.

    Attributes:
        entries: the files, without those whose names cannot be used; empty after a problem that
            makes reading on pointless (`usable` is then False).

    Raises:
        CourseError: when there is no such file, or it cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str], findings: Findings) -> None:
        path = Path(path)
        if not path.is_file():
            raise CourseError(f"{path}: there is no such file; name the submission's zip")
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise CourseError(f"{path}: cannot be read ({error.strerror}); check it") from error
        self._findings = findings
        self._zip: zipfile.ZipFile | None = None
        self.entries: list[ZipEntry] = []
        try:
            self._open(path.name, self._file)
        except BaseException:
            self.close()
            raise

    @property
    def usable(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self.entries)

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._zip is not None:
            self._zip.close()
        self._file.close()

    def _open(self, name: str, file: BinaryIO) -> None:
        head = file.read(8)
        try:
            self._zip = zips.open_zip(file, limits.LONGEST_LIST)
        except zips.TooManyEntriesError:
            self._findings.add("too-many-entries", name)
            return
        except zips.BROKEN as error:
            if zipfile.is_zipfile(file):
                self._findings.add("broken-zip", name, str(error))
            else:
                hints = (hint for magic, hint in _MAGIC.items() if head.startswith(magic))
                empty = "the file is empty" if not head else ""
                self._findings.add("not-a-zip", name, next(hints, empty))
            return
        infos = self._zip.infolist()
        if len(infos) > limits.MOST_ENTRIES:
            self._findings.add("too-many-entries", name, f"{len(infos)} entries")
        elif all(info.is_dir() for info in infos):
            self._findings.add("empty-zip", name)
        elif not self._is_bomb(infos):
            self._sort_out(infos)

    def _is_bomb(self, infos: list[zipfile.ZipInfo]) -> bool:
        """Adds up what the entries claim; zipfile never unpacks more than an entry claims."""
        total = sum(info.file_size for info in infos)
        if total > limits.MOST_UNPACKED:
            largest = max(infos, key=lambda info: info.file_size)
            self._findings.add(
                "bomb", largest.orig_filename, f"the zip claims {total / 1e6:,.0f} MB in all"
            )
            return True
        found = False
        for info in infos:
            ratio = info.file_size / max(info.compress_size, 1)
            if info.file_size > 1 << 20 and ratio > limits.MOST_RATIO:
                self._findings.add("bomb", info.orig_filename, f"{ratio:,.0f} times its size")
                found = True
        return found

    def _sort_out(self, infos: list[zipfile.ZipInfo]) -> None:
        seen: set[str] = set()
        for info in infos:
            # The name as it was written: zipfile cuts `filename` at a NUL and turns slashes.
            name = info.orig_filename
            if problem := zips.name_problem(name):
                self._findings.add(_NAMES[problem], name)
                continue
            if "\\" in name:
                self._findings.add("backslash", name)
                name = name.replace("\\", "/")
            if name in seen:
                self._findings.add("duplicate", name)
                continue
            seen.add(name)
            if name.endswith("/"):
                continue
            readable = self._is_plain(info, name)
            self.entries.append(ZipEntry(name, info, readable))

    def _is_plain(self, info: zipfile.ZipInfo, name: str) -> bool:
        if problem := zips.content_problem(info):
            detail = f"method {info.compress_type}" if problem == "packed" else ""
            self._findings.add(_CONTENTS[problem], name, detail)
        return not problem

    def read(self, entry: ZipEntry, cap: int) -> bytes | None:
        """An entry's content, or None when it cannot or must not be read (noted in the findings).

        Args:
            entry: one of `entries`.
            cap: the most bytes to read; an entry that claims more is not read at all.
        """
        if not entry.readable or self._zip is None:
            return None
        if entry.info.file_size > cap:
            self._findings.add("too-large", entry.name, f"{entry.info.file_size:,} bytes")
            return None
        try:
            with self._zip.open(entry.info) as stream:
                data = zips.read_at_most(cast("BinaryIO", stream), cap)
        except zips.BROKEN as error:
            self._findings.add("corrupt-entry", entry.name, str(error))
            return None
        if data is None or len(data) != entry.info.file_size:
            self._findings.add("corrupt-entry", entry.name, "shorter than it claims")
            return None
        return data
