"""What the competition asks for: the two formats of a submission."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from coursekit.data.folders import IMAGE_SUFFIXES, look, look_flat, natural_key, same_name
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


def find_format(key: str) -> Format:
    """The format of that name.

    Raises:
        CourseError: when there is none; the message lists those there are.
    """
    if key not in FORMATS:
        raise CourseError(f"no format is called {key!r}; there are: {', '.join(FORMATS)}")
    return FORMATS[key]


def list_images(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """The images of a folder by stem: those directly in it that any command reads, sorted.

    Raises:
        CourseError: when the folder is missing or empty, or two images share a stem.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CourseError(f"{folder}: there is no such folder; name the one that holds the images")
    images: dict[str, Path] = {}
    spelt: dict[str, Path] = {}
    for path in sorted(look(folder).pictures, key=lambda path: natural_key(path.name)):
        first = spelt.setdefault(same_name(path.stem), path)
        if first is not path:
            raise CourseError(
                f"{path}: {first.name} has the same stem, and a mask belongs to one image; rename "
                "or move one of them"
            )
        images[path.stem] = path
    if not images:
        hint = "".join(f"\n  {line}" for line in left_out(folder))
        raise CourseError(
            f"{folder}: holds no file in {', '.join(sorted(IMAGE_SUFFIXES))}; name the folder that "
            f"has them directly in it, not the one above{hint}"
        )
    return images


def left_out(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """A sentence for each thing in a folder that looks like an image and is not read."""
    return tuple(f"{path}: {reason}" for path, reason in look_flat(Path(folder)).left_out.items())
