"""Strangers' zips are read within bounds."""

from __future__ import annotations

import io
import stat
import zipfile

import pytest

from coursekit.zips import (
    BROKEN,
    TooManyEntriesError,
    content_problem,
    name_problem,
    new_entry,
    open_zip,
    read_at_most,
)


def packed(*names: str) -> io.BytesIO:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name in names:
            archive.writestr(new_entry(name), b"x" * 10)
    return memory


def test_a_long_list_is_refused_before_it_is_read() -> None:
    file = packed(*(f"{i:04d}" for i in range(1000)))
    assert len(open_zip(file, 1000 * 60).infolist()) == 1000
    with pytest.raises(TooManyEntriesError):
        open_zip(file, 1000 * 40)


def test_the_file_stays_open() -> None:
    file = packed("a")
    with open_zip(file, 1000) as archive:
        assert archive.read("a") == b"x" * 10
    assert not file.closed


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(90), b"text"])
def test_what_is_no_zip(content: bytes) -> None:
    with pytest.raises(BROKEN):
        open_zip(io.BytesIO(content), 1000)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a.png", ""), ("masks/a.png", ""), ("masks/", ""), ("ä b/…", ""), (".hidden", ""),
        ("/a", "absolute"), ("\\a", "absolute"), ("C:a", "absolute"), ("/..", "absolute"),
        ("/\0", "absolute"),
        ("../a", "outside"), ("a/..", "outside"), ("a\\..\\b", "outside"), ("a\0/../b", "outside"),
        ("", "bad"), ("a" * 256, "bad"), ("a\0b", "bad"), ("a\u202eb", "bad"), ("./\n", "bad"),
        ("./a", "crooked"), ("a//b", "crooked"), ("a/./b", "crooked"),
    ],
)  # fmt: skip
def test_names(name: str, problem: str) -> None:
    assert name_problem(name) == problem


def entry(mode: int = 0, flags: int = 0, method: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("a")
    info.external_attr, info.flag_bits, info.compress_type = mode << 16, flags, method
    return info


@pytest.mark.parametrize(
    ("info", "problem"),
    [
        (entry(), ""),
        (entry(stat.S_IFREG | 0o777, method=zipfile.ZIP_DEFLATED), ""),
        (entry(stat.S_IFLNK), "special"),
        (entry(stat.S_IFIFO, flags=1), "special"),
        (entry(flags=1, method=zipfile.ZIP_LZMA), "locked"),
        (entry(method=zipfile.ZIP_LZMA), "packed"),
        (entry(method=zipfile.ZIP_BZIP2), "packed"),
        (entry(method=99), "packed"),
    ],
)
def test_contents(info: zipfile.ZipInfo, problem: str) -> None:
    assert content_problem(info) == problem


def test_no_more_than_the_limit_is_read() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return bytes(size)

    stream = Endless()
    assert read_at_most(stream, 1 << 20) is None
    assert stream.given <= (1 << 20) + (1 << 16)
    assert read_at_most(io.BytesIO(b"abc"), 3) == b"abc"
    assert read_at_most(io.BytesIO(b"abcd"), 3) is None


def test_what_is_written_tells_nothing_of_its_making() -> None:
    assert packed("a", "b").getvalue() == packed("a", "b").getvalue()
    info = open_zip(packed("a"), 1000).infolist()[0]
    assert (info.date_time, info.create_system) == ((1980, 1, 1, 0, 0, 0), 3)
    assert content_problem(info) == ""
