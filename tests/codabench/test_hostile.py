"""Zips that are damaged or hostile: each is refused in bounded time and memory."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

from coursekit.codabench import is_valid, limits, validate
from coursekit.codabench.masks import check_mask

from .zips import MASKS, check_problem, chunk, good, handmade_png, mask, write_zip


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"Rar!\x1a\x07\x00" + bytes(100), "RAR"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
        (b"just text", "not a zip"),
        (b"PK\x03\x04" + bytes(100), "cut off"),
    ],
)
def test_a_file_that_is_no_zip(tmp_path, images, content, word):
    path = tmp_path / "submission.zip"
    path.write_bytes(content)
    problem = check_problem(validate(path, images, "flat"), "not-a-zip", word)
    assert "submission.zip" in problem.message


def damaged(tmp_path, change):
    path = write_zip(tmp_path / "submission.zip", good())
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def test_encrypted_entries(tmp_path, images):
    def encrypt(data):
        for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.index(signature) + flags] |= 1

    problems = validate(damaged(tmp_path, encrypt), images, "codabench")
    check_problem(problems, "encrypted", "masks/7.png")


def test_wrong_checksum(tmp_path, images):
    def flip(data):
        data[data.index(b"IDAT") + 30] ^= 0xFF

    problems = validate(damaged(tmp_path, flip), images, "codabench")
    check_problem(problems, "corrupt-entry", "masks/7.png")


def test_damaged_list_of_entries(tmp_path, images):
    def spoil(data):
        start = data.index(b"PK\x01\x02")
        data[start : start + 2] = b"XX"

    problems = validate(damaged(tmp_path, spoil), images, "codabench")
    check_problem(problems, "broken-zip", "submission.zip")


def test_entry_that_claims_less_than_it_unpacks_to(tmp_path, images):
    def lie(data):
        start = data.index(b"PK\x01\x02")
        data[start + 24 : start + 28] = struct.pack("<I", 10)

    problems = validate(damaged(tmp_path, lie), images, "codabench")
    check_problem(problems, "corrupt-entry", "masks/7.png")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_whose_output_is_not_bounded_are_refused(tmp_path, images, method):
    path = write_zip(tmp_path / "a.zip", good(), method)
    check_problem(validate(path, images, "codabench"), "compression", "masks/7.png")


@pytest.mark.parametrize("cut", [1, 10, 23, 100, 1000])
def test_cut_off_anywhere(tmp_path, images, cut):
    path = damaged(tmp_path, lambda data: data.__delitem__(slice(-cut, None)))
    assert not is_valid(validate(path, images, "codabench"))


def test_random_damage_is_reported_and_never_raises(tmp_path, images):
    random = np.random.default_rng(0)
    whole = write_zip(tmp_path / "whole.zip", good()).read_bytes()
    path = tmp_path / "a.zip"
    for _ in range(60):
        data = bytearray(whole)
        # Half of the damage hits the lists at the end, where zip itself is parsed.
        low = len(data) - 250 if random.random() < 0.5 else 0
        for place in random.integers(low, len(data), 4):
            data[place] = random.integers(256)
        path.write_bytes(data)
        validate(path, images, "codabench")


def test_damaged_chunks_with_right_checksums_never_raise():
    """Behind a checksum that fits, every byte of a PNG reaches the parser and then Pillow."""
    random = np.random.default_rng(0)
    data, chunks, position = MASKS["7"], [], 8
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        chunks.append((kind, data[position + 8 : position + 8 + length]))
        position += 12 + length
    for _ in range(300):
        damaged_chunks = [(kind, bytearray(content)) for kind, content in chunks]
        for _ in range(3):
            kind, content = damaged_chunks[random.integers(len(chunks))]
            if content:
                # Small values in a header meet fields that exist, such as colour type 3.
                high = 9 if kind == b"IHDR" else 256
                content[random.integers(len(content))] = random.integers(high)
        whole = data[:8] + b"".join(chunk(kind, bytes(c)) for kind, c in damaged_chunks)
        report = check_mask(whole)
        assert report.problems or report.label_map.max() < 19


# --- bounds ---------------------------------------------------------------------------------------


def test_a_bomb_is_not_unpacked(tmp_path, images, monkeypatch):
    path = write_zip(
        tmp_path / "a.zip", {**good(), "masks/7.png": bytes(50 << 20)}, zipfile.ZIP_DEFLATED
    )
    unpacked, read = [], zipfile.ZipExtFile.read

    def counted(stream, n=-1):
        unpacked.append(read(stream, n))
        return unpacked[-1]

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    tracemalloc.start()
    problems = validate(path, images, "codabench")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    check_problem(problems, "bomb", "masks/7.png")
    assert peak < 5 << 20 and not unpacked
    assert not validate(write_zip(tmp_path / "b.zip", good()), images, "codabench") and unpacked


def test_total_size_is_bounded(tmp_path, images, monkeypatch):
    path = write_zip(tmp_path / "a.zip", good())
    monkeypatch.setattr(limits, "MOST_UNPACKED", 2000)
    check_problem(validate(path, images, "codabench"), "bomb", "in all")


@pytest.mark.parametrize(("name", "value"), [("MOST_ENTRIES", 1000), ("LONGEST_LIST", 80_000)])
def test_number_of_entries_is_bounded(tmp_path, images, monkeypatch, name, value):
    path = write_zip(tmp_path / "a.zip", {f"masks/{i}.png": b"" for i in range(2000)})
    monkeypatch.setattr(limits, name, value)
    assert [p.kind for p in validate(path, images, "codabench")] == ["too-many-entries"]


def test_one_mask_is_bounded(tmp_path, images):
    noise = np.random.default_rng(0).bytes(limits.LARGEST_MASK + 1)
    path = write_zip(tmp_path / "a.zip", mask(noise))
    check_problem(validate(path, images, "codabench"), "too-large", "masks/7.png")


def test_text_and_colour_profiles_of_a_png_are_never_unpacked(tmp_path, images):
    text = b"Comment\0\0" + zlib.compress(bytes(20 << 20))
    path = write_zip(tmp_path / "a.zip", mask(handmade_png(before=chunk(b"zTXt", text))))
    tracemalloc.start()
    problems = validate(path, images, "codabench")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert is_valid(problems)
    assert peak < 5 << 20


def test_a_thousand_missing_masks_are_one_problem(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for i in range(1000):
        (images / f"{i}.jpg").touch()
    path = write_zip(tmp_path / "a.zip", {"0.png": MASKS["7"]})
    problems = validate(path, images, "flat")
    assert [(p.kind, p.count, p.entry) for p in problems] == [("missing-mask", 999, "1.png")]
    assert "1.png, 2.png, 3.png, 4.png and 995 more" in problems[0].message
