"""Students' pictures: only pixels come through."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from coursekit.grading.report.pictures import LARGEST, data_uri

PREFIX = "data:image/png;base64,"


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> str:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return base64.b64encode(file.getvalue()).decode()


def opened(address: str | None) -> Image.Image:
    assert address is not None and address.startswith(PREFIX)
    return Image.open(io.BytesIO(base64.b64decode(address.removeprefix(PREFIX))))


def chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def test_the_pixels_stay() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    shown = opened(data_uri(encoded(Image.fromarray(pixels))))
    np.testing.assert_array_equal(np.array(shown), pixels)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_each_mode_that_png_has(mode: str) -> None:
    picture = Image.new(mode, (8, 5))
    assert opened(data_uri(encoded(picture))).size == (8, 5)


def test_base64_in_lines_as_notebooks_have_it() -> None:
    given = base64.b64decode(encoded(Image.effect_noise((20, 20), 50)))
    assert opened(data_uri(base64.encodebytes(given).decode())).size == (20, 20)
    assert opened(data_uri(base64.b64encode(given).decode() + "\n")).size == (20, 20)


def test_transparency_stays() -> None:
    shown = opened(data_uri(encoded(Image.new("RGBA", (4, 4), (255, 0, 0, 128)))))
    assert shown.getpixel((0, 0)) == (255, 0, 0, 128)


def test_nothing_but_pixels_survives() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "<script>alert(1)</script>")
    text.add_itxt("XML:com.adobe.xmp", "http://example.org")
    given = encoded(
        Image.new("RGB", (4, 4)), pnginfo=text, icc_profile=b"profile" * 9, exif=b"Exif\0\0MM"
    )
    given = base64.b64encode(base64.b64decode(given) + b"<script>after the end</script>").decode()
    assert b"script" in base64.b64decode(given)
    address = data_uri(given)
    assert address is not None
    made = base64.b64decode(address.removeprefix(PREFIX))
    for trace in (b"script", b"example.org", b"profile", b"iCCP", b"eXIf", b"tEXt", b"iTXt"):
        assert trace not in made


def test_of_an_animation_the_first_picture() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue", "green")]
    given = encoded(frames[0], save_all=True, append_images=frames[1:])
    shown = opened(data_uri(given))
    assert getattr(shown, "n_frames", 1) == 1 and shown.getpixel((0, 0)) == (255, 0, 0)


def test_other_formats_are_no_pictures() -> None:
    for kind in ("JPEG", "GIF", "BMP", "TIFF", "WEBP"):
        assert data_uri(encoded(Image.new("RGB", (4, 4)), kind)) is None
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    assert data_uri(base64.b64encode(svg).decode()) is None


def test_broken_files_are_no_pictures() -> None:
    whole = base64.b64decode(encoded(Image.fromarray(np.zeros((50, 50, 3), np.uint8))))
    for broken in (b"", whole[:8], whole[:40], whole[:-32], whole[:60] + b"\xff" * 20 + whole[80:]):
        assert data_uri(base64.b64encode(broken).decode()) is None
    for text in ("", "no base64 <>", "AAAA\nAAAA", "ü", "\ud800"):
        assert data_uri(text) is None


def bomb(width: int, height: int) -> str:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(b"\0" * 10_000_000, 9)
    made = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", content)
    return base64.b64encode(made + chunk(b"IEND", b"")).decode()


@pytest.mark.parametrize("size", [(60_000, 60_000), (3000, 3000), (2**31 - 1, 1), (0, 5)])
def test_bombs_are_not_unpacked(size: tuple[int, int]) -> None:
    assert data_uri(bomb(*size)) is None


def test_a_small_file_with_too_many_pixels_is_not_unpacked() -> None:
    given = encoded(Image.new("L", (4000, 3001)))
    assert len(given) < 100_000 and data_uri(given) is None
    assert opened(data_uri(encoded(Image.new("L", (4000, 2999))))).width == 1200


def test_a_large_file_is_not_read() -> None:
    assert data_uri("A" * 3_000_000) is None


def test_what_is_shown_is_small() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 800, 3), dtype=np.uint8)
    given = encoded(Image.fromarray(noise))
    assert len(given) > 2 * LARGEST
    address = data_uri(given)
    assert address is not None and len(address) <= LARGEST * 4 // 3 + 100
    shown = opened(address)
    assert shown.width / shown.height == pytest.approx(800 / 700, rel=0.02)
    wide = opened(data_uri(encoded(Image.new("RGB", (3000, 30)))))
    assert wide.width <= 1200
