"""Scores as papers on face parsing print them: Tables 1 to 3 of DML-CSR, ours beside theirs.

All are read off the one confusion matrix of `evaluate`. A column is the F1 of the union of its
classes, so that "Eyes" does not ask which eye.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from coursekit import metrics
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, HELEN, LAPA, LabelSet
from coursekit.training import published

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from coursekit.data import FaceDataset
    from coursekit.training.evaluation import Evaluation


@dataclass(frozen=True)
class Protocol:
    """How one data set is scored and printed.

    Attributes:
        key: its name on the command line.
        labels: the classes that it scores.
        table: the paper's table; its last column is the score that papers compare.
        classes: for each other column, the names of the classes that it merges.
        lines: on how many lines the paper prints a method.
        ablation: the column of the paper's Table 4 with this data set's mean IoU.
        test_images: how many the paper's rows were scored on.
        readings: what the paper leaves open, as it is read here.
    """

    key: str
    labels: LabelSet
    table: published.PaperTable
    classes: Mapping[str, tuple[str, ...]]
    lines: int
    ablation: str
    test_images: int
    readings: tuple[str, ...]

    def check(self, dataset: FaceDataset) -> None:
        """The data are labelled by this protocol's classes.

        Raises:
            CourseError: when they are not.
        """
        if dataset.labels.key != self.labels.key:
            fitting = [p.key for p in PROTOCOLS.values() if p.labels.key == dataset.labels.key]
            raise CourseError(
                f"the protocol {self.key} scores {self.labels.key} label maps, and the data are "
                f"{dataset.labels.key}; score them by --protocol {' or '.join(fitting)}"
            )

    def scores(self, matrix: Tensor) -> dict[str, float | None]:
        """Each column of the table, in [0, 1]; None where its classes do not occur.

        Args:
            matrix: (num_classes, num_classes) of the label set; row: true class, column: predicted.

        Raises:
            ValueError: when the matrix is not of the label set's classes.
        """
        if len(matrix) != self.labels.num_classes:
            raise ValueError(
                f"a matrix of {len(matrix)} classes, and {self.labels.key}, which the protocol "
                f"{self.key} scores, has {self.labels.num_classes}"
            )
        there = metrics.present(matrix).tolist()
        found: dict[str, float | None] = {}
        for column, names in self.classes.items():
            ids = [self.labels.index(name) for name in names]
            occurs = any(there[index] for index in ids)
            found[column] = metrics.merged_f1(matrix, [ids]) if occurs else None
        if self.labels is HELEN:
            components = metrics.helen_components(HELEN).values()
            occurs = any(there[index] for ids in components for index in ids)
            overall = metrics.helen_overall_f1(matrix, HELEN)
        else:
            occurs = any(there[1:])
            overall = metrics.mean_f1(matrix, background=False)
        found[self.table.columns[-1]] = overall if occurs else None
        return found


_UNIONS_OF_HELEN = (
    "Eyes, Brows and Mouth are unions: confusion of the two sides, or of lips and inner mouth, "
    "counts as correct; the paper says so of the overall F1 alone"
)
_OVERALL_OF_HELEN = (
    "Overall F1 takes brows, eyes, nose and mouth as one class; hair and skin do not count"
)
_SIDES_OF_LAPA = (
    "L and R are LaPa's own names, the picture's sides: L-Eye is the subject's right eye"
)

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        "helen": Protocol(
            "helen", HELEN, published.HELEN_TABLE,
            {
                "Skin": ("skin",), "Nose": ("nose",), "U-lip": ("u_lip",), "I-mouth": ("mouth",),
                "L-lip": ("l_lip",), "Eyes": ("l_eye", "r_eye"), "Brows": ("l_brow", "r_brow"),
                "Mouth": ("u_lip", "mouth", "l_lip"),
            },
            1, "Helen mean IoU", 100, (_UNIONS_OF_HELEN, _OVERALL_OF_HELEN),
        ),
        "lapa": Protocol(
            "lapa", LAPA, published.LAPA_TABLE,
            {
                "Skin": ("skin",), "Hair": ("hair",), "L-Eye": ("r_eye",), "R-Eye": ("l_eye",),
                "U-lip": ("u_lip",), "I-mouth": ("mouth",), "L-lip": ("l_lip",),
                "Nose": ("nose",), "L-Brow": ("r_brow",), "R-Brow": ("l_brow",),
            },
            1, "LaPa mean IoU", 2000, (_SIDES_OF_LAPA,),
        ),
        "celebamask": Protocol(
            "celebamask", CELEBAMASK_HQ, published.CELEBAMASK_TABLE,
            {
                "Face": ("skin",), "Nose": ("nose",), "Glasses": ("eye_g",), "L-Eye": ("l_eye",),
                "R-Eye": ("r_eye",), "L-Brow": ("l_brow",), "R-Brow": ("r_brow",),
                "L-Ear": ("l_ear",), "R-Ear": ("r_ear",), "I-Mouth": ("mouth",),
                "U-Lip": ("u_lip",), "L-Lip": ("l_lip",), "Hair": ("hair",), "Hat": ("hat",),
                "Earring": ("ear_r",), "Necklace": ("neck_l",), "Neck": ("neck",),
                "Cloth": ("cloth",),
            },
            2, "CelebAMask-HQ mean IoU", 2824,
            ("Face is the class skin; L and R are the subject's sides, as in CelebAMask-HQ",),
        ),
    }
)  # fmt: skip


def as_dict(protocol: Protocol, scored: Evaluation, model: str, data: str) -> dict[str, Any]:
    """The scores and the paper's, in [0, 1] and by column, ready for JSON.

    Args:
        protocol: how the data are scored.
        scored: what `evaluate` returned.
        model: whose scores these are, in a few words.
        data: on which data and split, in a few words.
    """
    columns = protocol.table.columns
    return {
        "name": protocol.key,
        "table": protocol.table.number,
        "ours": {
            "model": model,
            "data": data,
            "images": scored.images,
            "scores": protocol.scores(scored.matrix),
            "mean_iou": scored.mean_iou,
        },
        "paper": {
            "source": published.SOURCE,
            "images": protocol.test_images,
            "scores": {
                method: {c: round(v / 100, 6) for c, v in zip(columns, row, strict=True)}
                for method, row in protocol.table.rows.items()
            },
        },
        "readings": list(protocol.readings),
    }


def as_text(protocol: Protocol, scored: Evaluation, model: str, data: str) -> str:
    """The paper's table with our row below its rows; what each row is stands above it.

    Args:
        protocol: how the data are scored.
        scored: what `evaluate` returned.
        model: whose scores these are, in a few words.
        data: on which data and split, in a few words.
    """
    table, ours = protocol.table, protocol.scores(scored.matrix)
    known = [f"{row} is {name}" for row, name in published.KNOWN_AS.items() if row in table.rows]
    ablation = published.ABLATION_TABLE
    theirs = list(ablation.rows.values())[-1][ablation.columns.index(protocol.ablation)]
    width = max(len(name) for name in (model, *table.rows)) + 2
    count = "1 image" if scored.images == 1 else f"{scored.images:,} images"
    lines = [
        f"{table.caption}, percent, in the columns of the paper's Table {table.number}",
        *_row("Method", table.columns, protocol.lines, width),
        f"-- not measured here: the paper's figures, {protocol.test_images:,} test images",
    ]
    for method, row in table.rows.items():
        lines += _row(method, [f"{value:.1f}" for value in row], protocol.lines, width)
    lines.append(f"-- measured here: {model} on {data}, {count}")
    cells = ["–" if value is None else f"{100 * value:.1f}" for value in ours.values()]
    lines += _row(model, cells, protocol.lines, width)
    mean = f"{100 * scored.mean_iou:.1f} here, {theirs:.1f} for the paper's DML-CSR (Table 4)"
    lines += [
        "",
        f"Mean IoU, background included: {mean}",
        f"The paper: {published.SOURCE}" + "".join(f"; {k}" for k in known),
        *(f"Our reading: {reading}" for reading in protocol.readings),
    ]
    absent = [column for column, value in ours.items() if value is None]
    if absent:
        lines.append(f"–: {', '.join(absent)} occur neither in these masks nor in the predictions")
    return "\n".join(lines)


def _row(head: str, cells: Sequence[str], lines: int, width: int) -> list[str]:
    """A method's cells on so many lines; the last, which sums up the others, ends the first."""
    *parts, last = cells
    across = -(-len(parts) // lines)
    rows = []
    for line in range(lines):
        some = parts[line * across : (line + 1) * across]
        text = (head if line == 0 else "").ljust(width) + "".join(f"{cell:>9}" for cell in some)
        rows.append(text + (f"{last:>12}" if line == 0 else ""))
    return rows
