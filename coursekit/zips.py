"""A stranger's zip, read within bounds and never unpacked to disk.

What a hostile zip can do is waste a bounded amount of time and memory: its list of entries is of
bounded length, each entry is read up to a limit whatever it claims, and only methods whose output
zipfile bounds (none, deflate) are unpacked at all. Who reads says how much is too much, and what a
student is told.
"""

from __future__ import annotations

import io
import lzma
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from typing import IO, BinaryIO, cast

#: What zipfile and its decoders raise on bytes that are not what they claim.
BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError,
    NotImplementedError, RuntimeError, ValueError, OverflowError, OSError,
)  # fmt: skip

_LONGEST_NAME = 255
_IS_UTF8 = 0x800  # flag: what wrote the zip says that names are UTF-8
#: What else Windows writes names in, after cp437, which the format has for names without the flag.
_CODE_PAGES = ("cp437", "cp850", "cp1252")


class TooManyEntriesError(zipfile.BadZipFile):
    """The list of entries is longer than it may be; it has not been read."""


class _BoundedFile:
    """A file that is not read in one piece larger than the limit.

    zipfile reads the whole list of entries in one go and makes an object of each: gigabytes, for a
    zip that is nothing but a list.
    """

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file, self._limit = file, limit
        self._length = file.seek(0, io.SEEK_END)
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            size = max(self._length - self._file.tell(), 0)
        if size > self._limit:
            raise TooManyEntriesError("the list of entries is too long")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def open_zip(file: BinaryIO, longest_list: int) -> zipfile.ZipFile:
    """The list of a zip's entries; the file stays its opener's to close.

    Args:
        file: that can be read anywhere.
        longest_list: bytes that the list may take.

    Raises:
        TooManyEntriesError: when it takes more.
        BROKEN: when it cannot be read.
    """
    return zipfile.ZipFile(cast("BinaryIO", _BoundedFile(file, longest_list)))


def name_problem(name: str) -> str:
    """What is odd about an entry's name, the gravest first.

    Args:
        name: as it was written (`orig_filename`): zipfile cuts `filename` at a NUL.

    Returns:
        "absolute" (begins with a slash or a drive), "outside" (holds `..`), "bad" (is empty, longer
        than 255 characters, or not printable), "crooked" (has a part `.` or an empty one), or "".
    """
    parts = re.split(r"[/\\]", name)
    if name[:1] in ("/", "\\") or re.match(r"[A-Za-z]:", name):
        return "absolute"
    if ".." in parts:
        return "outside"
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        return "bad"
    return "crooked" if "." in parts or "" in parts[:-1] else ""


def entry_name(info: zipfile.ZipInfo) -> str:
    """An entry's name as it was written, whatever wrote the zip.

    Without a flag for UTF-8 zipfile reads cp437. But Finder writes UTF-8 and sets no flag, and
    Windows writes the code page of its language: names are letters, so the first page counts that
    makes letters of them. Each part of a path is read by itself, so that a folder has one name.
    """
    if info.flag_bits & _IS_UTF8:
        return info.filename
    try:
        parts = info.filename.encode("cp437").split(b"/")
    except UnicodeEncodeError:  # the entry has its name in Unicode beside the old one
        return info.filename
    return "/".join(map(_decoded, parts))


def _decoded(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        read = (name.decode(page, "replace") for page in _CODE_PAGES)
        return next(filter(_is_latin, read), name.decode("cp437"))


def _is_latin(name: str) -> bool:
    return all(c.isascii() or unicodedata.name(c, "").startswith("LATIN") for c in name)


def content_problem(info: zipfile.ZipInfo) -> str:
    """Why an entry must not be read: "special" (a link, a device), "locked", "packed", or ""."""
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "special"
    if info.flag_bits & 1:
        return "locked"
    # zipfile bounds the output of one step for deflate alone; 4 KB of bzip2 or LZMA can become
    # hundreds of megabytes at once.
    plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    return "" if plain else "packed"


def read_at_most(stream: BinaryIO, limit: int) -> bytes | None:
    """Everything, or None when it is more than the limit, whatever its size is said to be."""
    out = io.BytesIO()
    return None if copy_at_most(stream, out, limit) is None else out.getvalue()


def copy_at_most(stream: BinaryIO, out: IO[bytes], limit: int) -> int | None:
    """Copy everything; how much that was, or None when it is more than the limit."""
    copied = 0
    while chunk := stream.read(1 << 16):
        copied += len(chunk)
        if copied > limit:
            return None
        out.write(chunk)
    return copied


def new_entry(name: str) -> zipfile.ZipInfo:
    """An entry to write, without a trace of when and where it was made."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, 0o100644 << 16
    return info
