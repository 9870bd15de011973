"""Parts fitted from landmarks against plain polygons of the same points, by the IoU of both.

    python benchmarks/annotation.py                                  # rendered faces, and the speed
    python benchmarks/annotation.py --data ROOT --points FOLDER      # photographs
    python benchmarks/annotation.py --picture FILE.png               # Fig. 5, of a rendered face
    python benchmarks/annotation.py --habits FILE.png                # how annotators draw it

On rendered faces the landmarks are exact and parts have curved outlines (`Style(curved=True)`).
On photographs points come from a face mesh (`mesh_points.py` fills FOLDER), and the masks of ROOT
are those of people who never saw them. Habits are learnt on the split `train` and scored on `val`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import wanted
from numpy.typing import NDArray
from records import Recorder, processor, read

from coursekit.annotation import label_map
from coursekit.annotation.curves import Points
from coursekit.annotation.habits import Habits, learn, with_habits
from coursekit.annotation.outlines import PARTS, Outline, fitted, polygons
from coursekit.annotation.regions import region_table
from coursekit.data import open_dataset
from coursekit.data.images import resize_landmarks
from coursekit.labels import CELEBAMASK_HQ, colourise, shown
from coursekit.landmarks import NUM_LANDMARKS
from coursekit.plots import RED, Picture
from coursekit.polygons import inside
from coursekit.synthfaces import Style, SynthFace, render

SEED, FACES, SIZE, MAPS = 21, 200, 512, 1000
# fmt: off
#: The mesh's point for each of those of the 106 that it has a counterpart of.
MESH = {
    **dict(zip(range(66, 74), (33, 161, 159, 157, 133, 154, 145, 163), strict=True)), 104: 468,
    **dict(zip(range(75, 83), (362, 384, 386, 388, 263, 390, 374, 381), strict=True)), 105: 473,
    **dict(zip(range(84, 96), (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91), strict=True)),
    **dict(zip(range(96, 104), (78, 81, 13, 311, 308, 402, 14, 178), strict=True)),
    **dict(zip(range(33, 42), (70, 63, 105, 66, 107, 55, 65, 52, 53), strict=True)),
    **dict(zip(range(42, 51), (336, 296, 334, 293, 300, 283, 282, 295, 285), strict=True)),
    51: 168, 54: 4, 60: 2, 57: 129, 63: 358, 16: 152,
}
# fmt: on
Scheme = Callable[[Points], Mapping[str, Outline]]
Fill = Callable[[Outline, int, int], NDArray[np.bool_]]
#: Points, label map, and the parts of it that are compared.
Case = tuple[Points, NDArray[np.uint8], tuple[str, ...]]


def from_mesh(mesh: NDArray[np.floating]) -> Points:
    """The 106 points of a face mesh's 478; NaN where it has none."""
    points = np.full((NUM_LANDMARKS, 2), np.nan)
    points[list(MESH)] = mesh[list(MESH.values())]
    return points


def divided(points: Points) -> dict[str, Outline]:
    """Plain polygons with three more corners on each side, which a habit can move."""
    share = np.arange(4)[None, :, None] / 4
    return {
        name: tuple(
            (o[:, None] + share * (np.roll(o, -1, axis=0) - o)[:, None]).reshape(-1, 2)
            for o in outline
        )
        for name, outline in polygons(points).items()
    }


def crossing_rule(outline: Outline, height: int, width: int) -> NDArray[np.bool_]:
    """The pixels whose centres an outline holds, as a mask."""
    mask = np.zeros((height, width), bool)
    for polygon in outline:
        window, filled = inside(polygon, height, width)
        mask[window] |= filled
    return mask


def opencv(outline: Outline, height: int, width: int) -> NDArray[np.bool_]:
    """What `cv2.fillPoly` takes: the pixels on the outline as well."""
    mask = np.zeros((height, width), np.uint8)
    for polygon in outline:
        cv2.fillPoly(mask, [np.rint(polygon).astype(np.int32)], 1)
    return mask.astype(bool)


def count(
    cases: Iterable[Case], scheme: Scheme, fill: Fill = crossing_rule
) -> dict[str, NDArray[np.int64]]:
    """Pixels in both and in either of drawn and true part, (faces, 2), by part."""
    counts: dict[str, list[tuple[int, int]]] = {}
    for points, truth, parts in cases:
        outlines = scheme(points)
        for part in parts:
            real = truth == CELEBAMASK_HQ.index(part)
            drawn = fill(outlines.get(part, ()), *truth.shape)
            pair = (np.count_nonzero(real & drawn), np.count_nonzero(real | drawn))
            counts.setdefault(part, []).append(pair)
    return {part: np.array(pairs) for part, pairs in counts.items()}


def pooled(counts: Mapping[str, NDArray[np.int64]]) -> dict[str, float]:
    """IoU of each part, over all faces together."""
    return {p: round(float(c[:, 0].sum() / c[:, 1].sum()), 4) for p, c in counts.items()}


def gains(
    ours: Mapping[str, NDArray[np.int64]], plain: Mapping[str, NDArray[np.int64]]
) -> dict[str, list[float]]:
    """What a scheme gains over polygons: 2.5 and 97.5 % of 2,000 draws of as many faces."""
    rng, found = np.random.default_rng(0), {}
    for part, counts in ours.items():
        drawn = rng.integers(0, len(counts), (2000, len(counts)))
        ious = [(c[drawn, 0].sum(1) / c[drawn, 1].sum(1)) for c in (counts, plain[part])]
        ends = np.quantile(ious[0] - ious[1], (0.025, 0.975))
        found[part] = [round(float(end), 4) for end in ends]
    return found


def rendered_faces() -> Iterator[SynthFace]:
    for index in range(FACES):
        yield render(SEED, index, SIZE, style=Style(curved=True))


def rendered() -> Iterator[Case]:
    """Rendered faces, with those parts that nothing covers."""
    for face in rendered_faces():
        seen = tuple(part for part in PARTS if face.visible[part] == 1)
        yield face.landmarks.astype(float), face.clean_label_map, seen


def photographs(data: Path, points: Path, split: str) -> Iterator[Case]:
    """Photographs on which the mesh found a face, at the size of their masks."""
    found = np.load(points / f"{split}.npz")
    by_name = dict(zip(found["names"].tolist(), found["points"], strict=True))
    faces = open_dataset(data, split)
    if faces.labels is not CELEBAMASK_HQ:
        raise SystemExit(f"{data}: the masks are {faces.labels.key}'s; CELEBAMASK_HQ's are needed")
    for index, name in enumerate(faces.names):
        if name not in by_name:
            continue
        sample = faces.sample(index)
        assert sample.label_map is not None
        mesh = resize_landmarks(by_name[name], sample.image.shape, sample.label_map.shape)
        yield from_mesh(mesh), sample.label_map, PARTS[1:]


def keep(
    recorder: Recorder, data: str, scheme: str, counts: Mapping[str, NDArray[np.int64]],
    plain: Mapping[str, NDArray[np.int64]], **more: Any,
) -> None:  # fmt: skip
    """A row of a table."""
    figures = {"iou": pooled(counts), "faces": max(map(len, counts.values())), **more}
    if counts is not plain:
        figures["gain"] = gains(counts, plain)
    recorder.keep(wanted.annotation(data, scheme), figures)


def on_rendered_faces(recorder: Recorder) -> None:
    cases = list(rendered())
    plain = count(cases, polygons)
    keep(recorder, "rendered", "polygons", plain, plain)
    keep(recorder, "rendered", "fitted", count(cases, fitted), plain)


def on_photographs(recorder: Recorder, data: Path, points: Path) -> None:
    drawn = list(photographs(data, points, "train"))
    cases = list(photographs(data, points, "val"))
    plain = count(cases, polygons)
    keep(recorder, "photographs", "polygons", plain, plain)
    filled = count(cases, polygons, opencv)
    keep(recorder, "photographs", "polygons, filled by OpenCV", filled, plain)
    keep(recorder, "photographs", "fitted", count(cases, fitted), plain)
    schemes: dict[str, Scheme] = {"polygons": divided, "fitted": fitted}
    for name, scheme in schemes.items():
        habits = learn(((scheme(p), label_map) for p, label_map, _ in drawn), CELEBAMASK_HQ)
        keep(
            recorder, "photographs", f"{name}, habits", count(cases, by_habit(scheme, habits)),
            plain, learnt_from=len(drawn), habits=as_text(habits),
        )  # fmt: skip


def by_habit(scheme: Scheme, habits: Habits) -> Scheme:
    """A scheme, and what annotators make of it."""
    return lambda points: with_habits(scheme(points), habits)


def as_text(habits: Habits) -> dict[str, str]:
    """Percent of the part's size at each sample; text, so that a record stays short."""
    return {name: " ".join(f"{100 * v:.1f}" for v in found) for name, found in habits.items()}


def speed(recorder: Recorder) -> None:
    """Processor time of a thousand label maps, of landmarks alone and with regions."""
    table = region_table(CELEBAMASK_HQ)
    faces = [(f.landmarks, table[f.label_map]) for f in rendered_faces()]
    figures = {}
    for what, within in (("landmarks", False), ("landmarks and regions", True)):
        label_map(faces[0][0], SIZE, SIZE)
        start = time.process_time()
        for number in range(MAPS):
            points, regions = faces[number % FACES]
            label_map(points, SIZE, SIZE, regions=regions if within else None)
        figures[what] = round(time.process_time() - start, 2)
    recorder.keep(wanted.annotation_speed(SIZE, MAPS), {"seconds": figures})


def figure_5(face: SynthFace) -> Picture:
    """Parts of a face by plain polygons and fitted, and where the two differ from the truth."""
    labels, truth = shown(CELEBAMASK_HQ), face.clean_label_map
    points = face.landmarks.astype(float)
    windows = [
        ("r_brow", "r_eye"), ("l_brow", "l_eye"), ("nose",), ("u_lip", "l_lip", "mouth"),
    ]  # fmt: skip
    figure = Picture(figsize=(3 * len(windows), 5.2), layout="constrained")
    axes = figure.subplots(2, len(windows))
    for row, (title, scheme) in zip(
        axes, (("straight lines", polygons), ("fitted", fitted)), strict=True
    ):
        for axis, parts in zip(row, windows, strict=True):
            outlines = scheme(points)
            drawn = np.zeros_like(truth)
            for part in PARTS:
                if part in parts:
                    drawn[crossing_rule(outlines[part], *truth.shape)] = labels.index(part)
            ids = [labels.index(part) for part in parts]
            real = np.isin(truth, ids)
            wrong = np.where(real | (drawn > 0), truth != drawn, False)
            picture = (0.45 * face.image + 0.55 * colourise(drawn, labels)).astype(np.uint8)
            picture[drawn == 0] = face.image[drawn == 0]
            picture[wrong] = (255, 255, 255)
            axis.imshow(picture)
            rows, columns = np.nonzero(real | (drawn > 0))
            axis.set_xlim(columns.min() - 4, columns.max() + 4)
            axis.set_ylim(rows.max() + 4, rows.min() - 4)
            own = points[(points[:, 0] > columns.min() - 4) & (points[:, 0] < columns.max() + 4)]
            axis.scatter(*own.T, s=4, color="black")
            iou = 1 - np.count_nonzero(wrong) / np.count_nonzero(real | (drawn > 0))
            axis.set_title(f"{title}: {iou:.3f}", fontsize=9)
            axis.set_axis_off()
    return figure


def from_text(habits: Mapping[str, str]) -> Habits:
    """Habits as `as_text` wrote them."""
    return {name: np.array(found.split(), float) / 100 for name, found in habits.items()}


def habits_of_annotators(face: SynthFace, habits: Habits) -> Picture:
    """The outlines of a face where its points put them, and where annotators would."""
    points = face.landmarks.astype(float)
    outlines = fitted(points)
    theirs = with_habits(outlines, habits)
    windows = (("r_brow", "r_eye"), ("l_brow", "l_eye"), ("u_lip", "l_lip", "mouth"))
    figure = Picture(figsize=(12, 3.4), layout="constrained")
    for axis, parts in zip(figure.subplots(1, len(windows)), windows, strict=True):
        axis.imshow(face.image, interpolation="bilinear")
        for drawn, colour, what in ((outlines, "black", "points"), (theirs, RED, "annotators")):
            for part in parts:
                (outline,) = drawn[part]
                label = what if part == parts[0] else None
                axis.plot(*np.concatenate([outline, outline[:1]]).T, color=colour, label=label)
        both = np.concatenate([drawn[part][0] for drawn in (outlines, theirs) for part in parts])
        low, high = both.min(0) - 8, both.max(0) + 8
        axis.set(xlim=(low[0], high[0]), ylim=(high[1], low[1]))
        axis.set_axis_off()
    axis.legend(fontsize=8)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="photographs with masks")
    parser.add_argument("--points", type=Path, help="where mesh_points.py kept its points")
    parser.add_argument("--picture", type=Path, help="draw Fig. 5 there, and measure nothing")
    parser.add_argument("--habits", type=Path, help="draw recorded habits there, measure nothing")
    asked = parser.parse_args()
    face = render(SEED, 4, 1024, style=Style(curved=True))
    if asked.picture:
        figure_5(face).savefig(asked.picture, dpi=110)
        return
    if asked.habits:
        record = read()[wanted.annotation("photographs", "fitted, habits").name]
        habits = from_text(record["figures"]["habits"])
        habits_of_annotators(face, habits).savefig(asked.habits, dpi=110)
        return
    cv2.setNumThreads(1)
    recorder = Recorder(processor(), threads=1, seeds=(SEED,))
    if asked.data and asked.points:
        on_photographs(recorder, asked.data, asked.points)
    elif asked.data or asked.points:
        parser.error("photographs need both --data and --points")
    else:
        on_rendered_faces(recorder)
        speed(recorder)


if __name__ == "__main__":
    main()
