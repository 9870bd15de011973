"""What the competition asks for: the two formats of a submission, and how much of one is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

#: Side of every mask, in pixels, whatever the size of the photograph.
MASK_SIZE = 512

#: Ids 0 … 18: the classes of CelebAMask-HQ in the course's order.
NUM_CLASSES = CELEBAMASK_HQ.num_classes

#: What `solution/` holds in the final phase: these three files and no other.
SOLUTION_FILES = ("ckpt.pth", "requirements.txt", "run.py")

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Format:
    """One edition's rules.

    Attributes:
        key: the name on the command line.
        edition: the years that it belongs to.
        folder: what stands before a mask's name in the zip: nothing, or `masks/`.
        limit: a submission has fewer parameters than this (`sum(p.numel())`).
        has_solution: whether the final phase adds a `solution/` folder.
    """

    key: str
    edition: str
    folder: str
    limit: int
    has_solution: bool

    def mask_name(self, stem: str) -> str:
        """The mask's name in the zip for an image's stem."""
        return f"{self.folder}{stem}.png"


FLAT = Format("flat", "2024", "", 2_000_000, has_solution=False)
CODABENCH = Format("codabench", "2025", "masks/", 1_821_085, has_solution=True)

#: Settings with which a model stays below the limit of 2025.
UNDER_2025_LIMIT: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "unet": {"widths": (15, 30, 60, 120, 240)},
        "deeplabv3plus": {"aspp": 112},
        "fastscnn": {},
        "segformer": {"decoder": 184},
    }
)

FORMATS: Mapping[str, Format] = MappingProxyType({f.key: f for f in (FLAT, CODABENCH)})


@dataclass(frozen=True)
class Limits:
    """How much of a zip is read before it is refused: a real one stays far below each of these.

    Attributes:
        max_entries: files and folders in the zip.
        max_directory_bytes: of the list of entries, all of which zipfile holds in memory.
        max_total_bytes: of everything, unpacked.
        max_mask_bytes: of one PNG; 512² ids take at most 257 KiB even when nothing compresses.
        max_checkpoint_bytes: of `solution/ckpt.pth`; the limit's weights take 8 MB as float32.
        max_text_bytes: of `run.py` and of `requirements.txt`.
        max_ratio: unpacked over packed size, for an entry of over a megabyte.
        max_pixels: that a PNG's header may claim before it counts as a bomb.
        seconds: for the process that looks into the checkpoint.
    """

    max_entries: int = 20_000
    max_directory_bytes: int = 8 << 20
    max_total_bytes: int = 512 << 20
    max_mask_bytes: int = 1 << 20
    max_checkpoint_bytes: int = 64 << 20
    max_text_bytes: int = 256 << 10
    max_ratio: float = 100.0
    max_pixels: int = 4096 * 4096
    seconds: float = 20.0


LIMITS = Limits()


def find_format(key: str) -> Format:
    """The format of that name.

    Raises:
        CourseError: when there is none; the message lists those there are.
    """
    if key not in FORMATS:
        raise CourseError(f"no format is called {key!r}; there are: {', '.join(FORMATS)}")
    return FORMATS[key]


def list_images(
    folder: str | os.PathLike[str], suffixes: tuple[str, ...] = IMAGE_SUFFIXES
) -> dict[str, Path]:
    """The images of a folder by stem: those directly in it with one of `suffixes`, sorted.

    Raises:
        CourseError: when the folder is missing or empty, or two images share a stem.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CourseError(f"{folder}: there is no such folder; name the one that holds the images")
    images: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda p: natural_key(p.name)):
        # "._1.jpg" is macOS's note about 1.jpg, not a photograph.
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        if path.stem in images:
            raise CourseError(
                f"{path}: {images[path.stem].name} has the same stem, and a mask belongs to one "
                "image; rename or move one of them"
            )
        images[path.stem] = path
    if not images:
        raise CourseError(
            f"{folder}: holds no file in {', '.join(suffixes)}; name the folder that has them "
            "directly in it, not the one above"
        )
    return images


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts 2.png before 10.png, and anything else as text."""
    parts: list[tuple[int, int, str]] = []
    text = ""
    for character in name:
        # isdecimal, not isdigit: int() refuses a superscript two. Long runs stay text, because
        # int() of thousands of digits is slow, then an error.
        if text and (text[-1].isdecimal() != character.isdecimal()):
            parts.append(_part(text))
            text = ""
        text += character
    if text:
        parts.append(_part(text))
    return tuple(parts)


def _part(text: str) -> tuple[int, int, str]:
    return (0, int(text), text) if text.isdecimal() and len(text) < 19 else (1, 0, text)
