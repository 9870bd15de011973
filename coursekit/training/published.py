"""The figures of two papers' tables, to stand beside what is measured here.

Copied from Zheng et al., "Decoupled Multi-Task Learning with Cyclical Self-Regulation for Face
Parsing", CVPR 2022 (Tables 1 to 6), and from the LaPa paper (its Tables 2 and 3), in percent, as
they are printed: none of them was measured by this course. In DML-CSR's Tables 1 to 3 only the last
row is that paper's own network; it took the others from their papers (numbers in brackets are its
references), and so did LaPa's Table 3 for its first four.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = (
    "Zheng et al., Decoupled Multi-Task Learning with Cyclical Self-Regulation for Face Parsing, "
    "CVPR 2022"
)

LAPA_SOURCE = (
    "the LaPa paper: a high-efficiency framework for face parsing annotation, and BSPNet (2019)"
)

#: What the paper calls "DML-CSR (Ours)"; here "ours" would be read as this course's.
DML_CSR = "DML-CSR (the paper)"

#: Names under which rows of Tables 1 to 3 are known.
KNOWN_AS: Mapping[str, str] = MappingProxyType({"Te et al. [36]": "EAGRNet"})


@dataclass(frozen=True)
class PaperTable:
    """A table of a paper.

    Attributes:
        number: of the table.
        caption: what it compares.
        columns: heads of the figures, in the paper's order.
        rows: for each method, in the paper's order, its figures in percent.
    """

    number: int
    caption: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[float, ...]]


HELEN_TABLE = PaperTable(
    1,
    "F1 on Helen",
    ("Skin", "Nose", "U-lip", "I-mouth", "L-lip", "Eyes", "Brows", "Mouth", "Overall F1"),
    {
        "Liu et al. [19]": (92.1, 93.0, 74.3, 79.2, 81.7, 86.8, 77.0, 89.1, 88.6),
        "Guo et al. [7]": (93.8, 94.1, 75.8, 83.7, 83.1, 80.4, 87.1, 92.4, 90.5),
        "Lin et al. [17]": (94.5, 95.6, 79.6, 86.7, 89.8, 89.6, 83.1, 95.0, 92.4),
        "Wei et al. [46]": (95.6, 95.2, 80.0, 86.7, 86.4, 89.0, 82.6, 93.6, 91.6),
        "Liu et al. [21]": (94.9, 95.8, 83.7, 89.1, 91.4, 89.8, 83.5, 96.1, 93.1),
        "Te et al. [36]": (94.6, 96.1, 83.6, 89.8, 91.0, 90.2, 84.9, 95.5, 93.2),
        DML_CSR: (96.6, 95.5, 87.6, 91.2, 91.2, 90.9, 88.5, 95.9, 93.8),
    },
)

LAPA_TABLE = PaperTable(
    2,
    "F1 on LaPa",
    ("Skin", "Hair", "L-Eye", "R-Eye", "U-lip", "I-mouth", "L-lip", "Nose", "L-Brow", "R-Brow",
     "Mean F1"),
    {
        "Zhao et al. [45]": (93.5, 94.1, 86.3, 86.0, 83.6, 86.9, 84.7, 94.8, 86.8, 86.9, 88.4),
        "Liu et al. [21]": (97.2, 96.3, 88.1, 88.0, 84.4, 87.6, 85.7, 95.5, 87.7, 87.6, 89.8),
        "Te et al. [36]": (97.3, 96.2, 89.5, 90.0, 88.1, 90.0, 89.0, 97.1, 86.5, 87.0, 91.1),
        DML_CSR: (97.6, 96.4, 91.8, 91.5, 88.0, 90.5, 89.9, 97.3, 90.4, 90.4, 92.4),
    },
)  # fmt: skip

#: The paper prints each method of this table on two lines, nine classes on each.
CELEBAMASK_TABLE = PaperTable(
    3,
    "F1 on CelebAMask-HQ",
    ("Face", "Nose", "Glasses", "L-Eye", "R-Eye", "L-Brow", "R-Brow", "L-Ear", "R-Ear",
     "I-Mouth", "U-Lip", "L-Lip", "Hair", "Hat", "Earring", "Necklace", "Neck", "Cloth",
     "Mean F1"),
    {
        "Zhao et al. [45]": (
            94.8, 90.3, 75.8, 79.9, 80.1, 77.3, 78.0, 75.6, 73.1,
            89.8, 87.1, 88.8, 90.4, 58.2, 65.7, 19.4, 82.7, 64.2, 76.2),
        "Lee et al. [15]": (
            95.5, 85.6, 92.9, 84.3, 85.2, 81.4, 81.2, 84.9, 83.1,
            63.4, 88.9, 90.1, 86.6, 91.3, 63.2, 26.1, 92.8, 68.3, 80.3),
        "Luo et al. [23]": (
            96.0, 93.7, 90.6, 86.2, 86.5, 83.2, 83.1, 86.5, 84.1,
            93.8, 88.6, 90.3, 93.9, 85.9, 67.8, 30.1, 88.8, 83.5, 84.0),
        "Te et al. [36]": (
            96.2, 94.0, 92.3, 88.6, 88.7, 85.7, 85.2, 88.0, 85.7,
            95.0, 88.9, 91.2, 94.9, 87.6, 68.3, 27.6, 89.4, 85.3, 85.1),
        DML_CSR: (
            95.7, 93.9, 92.6, 89.4, 89.6, 85.5, 85.7, 88.3, 88.2,
            91.8, 87.4, 91.0, 94.5, 88.5, 71.4, 40.6, 89.6, 85.7, 86.1),
    },
)  # fmt: skip

_ON_ALL_THREE = ("Helen overall F1", "CelebAMask-HQ mean F1", "LaPa mean F1")

#: What was added to the baseline, step by step.
ABLATION_TABLE = PaperTable(
    4,
    "Ablation of DML-CSR",
    ("Helen mean IoU", "Helen overall F1", "CelebAMask-HQ mean IoU", "CelebAMask-HQ mean F1",
     "LaPa mean IoU", "LaPa mean F1"),
    {
        "Baseline": (82.36, 92.11, 76.14, 84.34, 83.16, 89.84),
        "+DDGCN": (83.42, 92.56, 77.41, 85.33, 86.65, 92.10),
        "+DDGCN+DML": (85.48, 93.75, 77.69, 85.98, 87.00, 92.32),
        "+DDGCN+DML+CSR": (85.58, 93.78, 77.81, 86.07, 87.13, 92.38),
    },
)  # fmt: skip

#: "-pooling": the same module without its pooling.
CONTEXT_TABLE = PaperTable(
    5,
    "Context modules on the parsing branch",
    _ON_ALL_THREE,
    {
        "Baseline": (92.11, 84.34, 89.84),
        "+PSP": (92.20, 84.76, 90.80),
        "+PSP-pooling": (92.37, 84.83, 91.35),
        "+DGCNet": (92.41, 85.17, 91.72),
        "+DGCNet-pooling": (92.45, 85.20, 91.99),
        "+DDGCN": (92.56, 85.33, 92.10),
    },
)

#: p: parsing, b: binary edges, ba: their attention loss, c: category edges, ca: theirs. The paper's
#: caption says that these rows have DDGCN; the figures of its baseline are those without.
TASKS_TABLE = PaperTable(
    6,
    "Tasks and losses of the multi-task learning",
    _ON_ALL_THREE,
    {
        "Baseline": (92.11, 84.34, 89.84),
        "+DML p+b": (93.35, 85.58, 92.16),
        "+DML p+b+ba": (93.52, 85.69, 92.24),
        "+DML p+c": (93.61, 85.73, 92.21),
        "+DML p+c+ca": (93.71, 85.87, 92.28),
        "+DML p+b+c": (93.65, 85.80, 92.26),
        "+DML all": (93.75, 85.98, 92.32),
    },
)

#: The paper prints the sides of the picture; "Mean F1" is over the ten classes but the background.
BSPNET_ABLATION_TABLE = PaperTable(
    2,
    "Ablation of BSPNet on LaPa, F1",
    ("Hair", "Skin", "L-Brow", "R-Brow", "L-Eye", "R-Eye", "Nose", "U-lip", "I-mouth", "L-lip",
     "Background", "Mean F1"),
    {
        "A": (94.86, 95.95, 81.79, 81.61, 81.50, 81.69, 93.79, 80.10, 84.10, 80.45, 98.76, 85.58),
        "B": (95.30, 96.27, 83.32, 82.82, 82.45, 82.72, 94.43, 81.25, 84.73, 81.24, 98.86, 86.45),
        "C": (95.32, 96.54, 84.34, 84.27, 84.86, 85.17, 94.66, 82.45, 85.63, 82.31, 98.86, 87.55),
    },
)  # fmt: skip

#: DML-CSR's Table 1 has other cells for the same two papers: 79.2 for the inner mouth of [24], and
#: brows and eyes of [12] exchanged.
BSPNET_HELEN_TABLE = PaperTable(
    3,
    "BSPNet on Helen, F1",
    ("Skin", "Nose", "U-lip", "I-mouth", "L-lip", "Brows", "Eyes", "Mouth", "Overall F1"),
    {
        "Smith et al. [34]": (88.2, 92.2, 65.1, 71.3, 70.0, 72.2, 78.5, 85.7, 80.4),
        "Liu et al. [25]": (91.2, 91.2, 60.1, 82.4, 68.4, 73.4, 76.8, 84.9, 85.9),
        "Liu et al. [24]": (92.1, 93.0, 74.3, 89.1, 81.7, 77.0, 86.8, 89.1, 88.6),
        "Guo et al. [12]": (93.8, 94.1, 75.8, 83.7, 83.1, 80.4, 87.1, 92.4, 90.5),
        "BSPNet": (94.8, 94.5, 78.0, 86.2, 86.9, 81.3, 87.5, 93.5, 91.0),
        "BSPNet+LaPa": (95.1, 94.7, 80.2, 86.6, 86.9, 81.9, 87.8, 93.8, 91.4),
    },
)
