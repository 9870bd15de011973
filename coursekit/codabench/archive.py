"""A stranger's zip, read within bounds and never unpacked to disk.

What a hostile zip can do here is waste a bounded amount of time and memory: the list of entries is
of bounded length, sizes are added up before anything is unpacked, each entry is read up to a cap,
and only methods whose output zipfile bounds (none, deflate) are unpacked at all.
"""

from __future__ import annotations

import io
import lzma
import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from coursekit.errors import CourseError

if TYPE_CHECKING:
    import os
    from types import TracebackType

    from coursekit.codabench.formats import Limits
    from coursekit.codabench.problems import Findings

#: What zipfile and zlib raise on bytes that are not what they claim.
_BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError,
    NotImplementedError, RuntimeError, ValueError, OverflowError, OSError,
)  # fmt: skip

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


@dataclass(frozen=True)
class Entry:
    """A file in the zip.

    Attributes:
        name: with forward slashes.
        info: zipfile's own record.
        readable: False when its content must not be touched; the reason was already noted.
    """

    name: str
    info: zipfile.ZipInfo
    readable: bool


class _BoundedFile:
    """A file that refuses to be read in one piece larger than the limit.

    zipfile reads the whole list of entries in one go and makes an object of each: gigabytes, for a
    zip that is nothing but a list.
    """

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file, self._limit = file, limit
        self._length = file.seek(0, io.SEEK_END)
        file.seek(0)
        self.refused = False

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            size = max(self._length - self._file.tell(), 0)
        if size > self._limit:
            self.refused = True
            raise zipfile.BadZipFile("the list of entries is too long")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()


class Archive:
    """The entries of a zip, and their contents one by one. A context manager.

    Args:
        path: the zip.
        limits: how much may be read.
        findings: where what is wrong is noted.

    Attributes:
        entries: the files, without those whose names cannot be used; empty after a problem that
            makes reading on pointless (`usable` is then False).

    Raises:
        CourseError: when there is no such file, or it cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str], limits: Limits, findings: Findings) -> None:
        path = Path(path)
        if not path.is_file():
            raise CourseError(f"{path}: there is no such file; name the submission's zip")
        try:
            raw = path.open("rb")
        except OSError as error:
            raise CourseError(f"{path}: cannot be read ({error.strerror}); check it") from error
        self._limits, self._findings = limits, findings
        self._file = _BoundedFile(raw, limits.max_directory_bytes)
        self._zip: zipfile.ZipFile | None = None
        self.entries: list[Entry] = []
        try:
            self._open(path.name, raw)
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

    def _open(self, name: str, raw: BinaryIO) -> None:
        head = raw.read(8)
        try:
            self._zip = zipfile.ZipFile(cast("BinaryIO", self._file))
        except _BROKEN as error:
            if self._file.refused:
                self._findings.add("too-many-entries", name)
            elif not zipfile.is_zipfile(raw):
                hints = (hint for magic, hint in _MAGIC.items() if head.startswith(magic))
                empty = "the file is empty" if not head else ""
                self._findings.add("not-a-zip", name, next(hints, empty))
            else:
                self._findings.add("broken-zip", name, str(error))
            return
        infos = self._zip.infolist()
        if len(infos) > self._limits.max_entries:
            self._findings.add("too-many-entries", name, f"{len(infos)} entries")
        elif all(info.is_dir() for info in infos):
            self._findings.add("empty-zip", name)
        elif not self._is_bomb(infos):
            self._sort_out(infos)

    def _is_bomb(self, infos: list[zipfile.ZipInfo]) -> bool:
        """Adds up what the entries claim; zipfile never unpacks more than an entry claims."""
        total = sum(info.file_size for info in infos)
        if total > self._limits.max_total_bytes:
            largest = max(infos, key=lambda info: info.file_size)
            self._findings.add(
                "bomb", largest.orig_filename, f"the zip claims {total / 1e6:,.0f} MB in all"
            )
            return True
        found = False
        for info in infos:
            ratio = info.file_size / max(info.compress_size, 1)
            if info.file_size > 1 << 20 and ratio > self._limits.max_ratio:
                self._findings.add("bomb", info.orig_filename, f"{ratio:,.0f} times its size")
                found = True
        return found

    def _sort_out(self, infos: list[zipfile.ZipInfo]) -> None:
        seen: set[str] = set()
        for info in infos:
            # The name as it was written: zipfile cuts `filename` at a NUL and turns slashes.
            name = info.orig_filename
            problem = _name_problem(name)
            if problem:
                self._findings.add(problem, name)
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
            self.entries.append(Entry(name, info, readable))

    def _is_plain(self, info: zipfile.ZipInfo, name: str) -> bool:
        file_type = stat.S_IFMT(info.external_attr >> 16)
        if file_type not in (0, stat.S_IFREG):
            self._findings.add("symlink", name)
        elif info.flag_bits & 0x1:
            self._findings.add("encrypted", name)
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # zipfile bounds the output of one step for deflate alone; 4 KB of bzip2 or LZMA can
            # become hundreds of megabytes at once.
            self._findings.add("compression", name, f"method {info.compress_type}")
        else:
            return True
        return False

    def read(self, entry: Entry, cap: int) -> bytes | None:
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
        out = io.BytesIO()
        try:
            with self._zip.open(entry.info) as stream:
                while chunk := stream.read(1 << 16):
                    out.write(chunk)
        except _BROKEN as error:
            self._findings.add("corrupt-entry", entry.name, str(error))
            return None
        if out.tell() != entry.info.file_size:
            self._findings.add("corrupt-entry", entry.name, "shorter than it claims")
            return None
        return out.getvalue()


def _name_problem(name: str) -> str:
    """The kind of problem that makes a name unusable, or ""."""
    parts = re.split(r"[/\\]", name)
    if not name or len(name) > 255 or not name.isprintable():
        return "bad-name"
    if name[0] in "/\\" or re.match(r"[A-Za-z]:", name):
        return "absolute-name"
    if ".." in parts or "." in parts or "" in parts[:-1]:
        return "traversal"
    return ""
