"""Label sets, palettes, merges and mirror pairs: every table of classes that the course uses.

Masks are stored with the official palette. `shown` gives the one that label maps are drawn with,
which may be the safe one: benchmarks/palette.py chose it so that colour-blind people tell classes
apart that touch on a face.

Left and right are the **subject's**, as in CelebAMask-HQ: the subject's left eye is the one that a
viewer sees on the right of the picture. LaPa's published tables speak of the image's sides; they
are converted here, and its points in `coursekit.landmarks`, and nowhere else.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

#: The value of a pixel that neither trains nor scores.
IGNORE_INDEX = 255


@dataclass(frozen=True)
class LabelSet:
    """An ordered set of classes.

    Attributes:
        key: a short identifier, used in files and on the command line.
        names: one name for each class; the index is the class id in a label map.
        palette: one RGB triple in [0, 255] for each class, for display.
        mirror_pairs: ids that change places when an image is mirrored.
        titles: the class names in words, for plots.
    """

    key: str
    names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    mirror_pairs: tuple[tuple[int, int], ...]
    titles: tuple[str, ...] = field(default=())

    @property
    def num_classes(self) -> int:
        """How many classes there are, the background included."""
        return len(self.names)

    def index(self, name: str) -> int:
        """The id of a class name.

        Raises:
            KeyError: when no class has that name; the message lists those there are.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(
                f"{self.key} has no class {name!r}; it has: {', '.join(self.names)}"
            ) from None

    def palette_array(self) -> NDArray[np.uint8]:
        """The palette as a (num_classes, 3) uint8 array."""
        return np.array(self.palette, dtype=np.uint8)

    def mirror_table(self) -> NDArray[np.uint8]:
        """A (256,) look-up table that swaps the classes of the mirror pairs and keeps the rest.

        A mirrored photograph shows what was the subject's left eye where a right eye would be, so
        a label map is mirrored by `table[label_map[:, ::-1]]`, not by turning it alone.
        """
        table = np.arange(256, dtype=np.uint8)
        for a, b in self.mirror_pairs:
            table[a], table[b] = b, a
        return table


CELEBAMASK_HQ = LabelSet(
    key="celebamask-hq",
    names=(
        "background", "skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear",
        "r_ear", "mouth", "u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth",
    ),
    palette=(
        (0, 0, 0), (204, 0, 0), (76, 153, 0), (204, 204, 0), (51, 51, 255), (204, 0, 204),
        (0, 255, 255), (255, 204, 204), (102, 51, 0), (255, 0, 0), (102, 204, 0), (255, 255, 0),
        (0, 0, 153), (0, 0, 204), (255, 51, 153), (0, 204, 204), (0, 51, 0), (255, 153, 51),
        (0, 204, 0),
    ),
    mirror_pairs=((4, 5), (6, 7), (8, 9)),
    titles=(
        "background", "skin", "nose", "glasses", "left eye", "right eye", "left brow",
        "right brow", "left ear", "right ear", "inner mouth", "upper lip", "lower lip", "hair",
        "hat", "earring", "necklace", "neck", "cloth",
    ),
)  # fmt: skip

#: LaPa's classes with the image's sides of its paper turned into the subject's: id 2 ("left
#: eyebrow" there) lies left in the picture and is therefore the subject's right brow.
LAPA = LabelSet(
    key="lapa",
    names=(
        "background", "skin", "r_brow", "l_brow", "r_eye", "l_eye", "nose", "u_lip", "mouth",
        "l_lip", "hair",
    ),
    palette=tuple(
        CELEBAMASK_HQ.palette[CELEBAMASK_HQ.index(name)]
        for name in (
            "background", "skin", "r_brow", "l_brow", "r_eye", "l_eye", "nose", "u_lip", "mouth",
            "l_lip", "hair",
        )
    ),
    mirror_pairs=((2, 3), (4, 5)),
    titles=(
        "background", "skin", "right brow", "left brow", "right eye", "left eye", "nose",
        "upper lip", "inner mouth", "lower lip", "hair",
    ),
)  # fmt: skip

#: Helen's eleven classes are LaPa's: the same names in the same order (Smith et al.'s parts).
HELEN = LabelSet("helen", LAPA.names, LAPA.palette, LAPA.mirror_pairs, LAPA.titles)

#: Another order of the 19 names that public face-parsing code uses. Its masks and checkpoints look
#: valid and mean something else; only a person can say which order a file is in.
CELEBAMASK_HQ_ALTERNATIVE_ORDER = (
    "background", "skin", "l_brow", "r_brow", "l_eye", "r_eye", "eye_g", "l_ear", "r_ear", "ear_r",
    "nose", "mouth", "u_lip", "l_lip", "neck", "neck_l", "cloth", "hair", "hat",
)  # fmt: skip

#: What label maps can be drawn with.
PALETTES = ("official", "safe")

#: Chosen by benchmarks/palette.py, for the classes of CelebAMask-HQ in their order.
_SAFE = dict(zip(
    CELEBAMASK_HQ.names, (
        (0, 0, 0), (85, 119, 255), (153, 187, 136), (0, 0, 85), (255, 238, 0), (136, 136, 34),
        (0, 102, 68), (51, 204, 187), (51, 68, 0), (51, 153, 136), (119, 102, 153),
        (102, 102, 17), (255, 255, 170), (153, 187, 0), (0, 0, 204), (34, 51, 119),
        (119, 221, 255), (170, 255, 221), (170, 85, 102),
    ), strict=True,
))  # fmt: skip


def shown(labels: LabelSet, palette: str | None = None) -> LabelSet:
    """A label set in the palette that label maps are drawn with.

    Args:
        labels: whose classes are drawn.
        palette: one of `PALETTES`; without it the variable `COURSEKIT_PALETTE` says which (and
            `--palette`, which sets it), and the official one is used where it is not set.

    Raises:
        CourseError: when no palette has that name.
    """
    name = palette or os.environ.get("COURSEKIT_PALETTE") or PALETTES[0]
    if name not in PALETTES:
        where = "" if palette else "COURSEKIT_PALETTE: "
        near = difflib.get_close_matches(name.lower(), PALETTES, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise CourseError(
            f"{where}no palette is called {name!r}; {hint}there are: {', '.join(PALETTES)}"
        )
    if name == "official":
        return labels
    return replace(labels, palette=tuple(_SAFE[name] for name in labels.names))


LABEL_SETS: Mapping[str, LabelSet] = MappingProxyType(
    {s.key: s for s in (CELEBAMASK_HQ, LAPA, HELEN)}
)

#: Where a 19-class name goes when LaPa or Helen has no class for it. Glasses lie on the face and
#: count as skin there; ears are background, as is the rest.
_TO_ELEVEN = {"eye_g": "skin", "l_ear": "background", "r_ear": "background"}


def merge_table(source: LabelSet, target: LabelSet) -> NDArray[np.uint8]:
    """A (256,) look-up table from the ids of one label set to those of another.

    Names that both sets have keep their meaning. A class that `target` lacks becomes skin (glasses,
    under which LaPa and Helen draw skin) or background. `IGNORE_INDEX` and every id outside
    `source` become `IGNORE_INDEX`, so nothing unknown is scored by accident.

    Args:
        source: the label set of the ids that go in, for example `CELEBAMASK_HQ`.
        target: the label set of the ids that come out, for example `LAPA`.

    Returns:
        uint8 array of shape (256,); use it as `table[label_map]`.
    """
    table = np.full(256, IGNORE_INDEX, dtype=np.uint8)
    for index, name in enumerate(source.names):
        known = name if name in target.names else _TO_ELEVEN.get(name, "background")
        table[index] = target.index(known)
    return table


def reorder_table(names: tuple[str, ...], target: LabelSet) -> NDArray[np.uint8]:
    """A (256,) look-up table from ids in another order of the same names to `target`'s ids.

    Args:
        names: the class names in the order of the ids that go in, such as
            `CELEBAMASK_HQ_ALTERNATIVE_ORDER`.
        target: the label set of the ids that come out.

    Raises:
        ValueError: when `names` is not a re-ordering of `target.names`.
    """
    if sorted(names) != sorted(target.names):
        odd = sorted(set(names) ^ set(target.names))
        raise ValueError(f"not a re-ordering of {target.key}: {', '.join(odd)} stand in only one")
    table = np.full(256, IGNORE_INDEX, dtype=np.uint8)
    for index, name in enumerate(names):
        table[index] = target.index(name)
    return table


def colourise(
    label_map: NDArray[np.integer], labels: LabelSet = CELEBAMASK_HQ
) -> NDArray[np.uint8]:
    """A label map as an RGB picture.

    Args:
        label_map: (H, W) class ids; ids outside the set are drawn mid-grey.
        labels: whose palette to use.

    Returns:
        (H, W, 3) uint8.
    """
    table = np.full((256, 3), 128, dtype=np.uint8)
    table[: labels.num_classes] = labels.palette_array()
    return table[np.asarray(label_map, dtype=np.uint8)]
