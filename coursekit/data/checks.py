"""What the masks of a data set tell when they are seen together: the audit's rules."""

from __future__ import annotations

import zlib
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from coursekit.data.findings import Finding, Severity, some
from coursekit.labels import CELEBAMASK_HQ_ALTERNATIVE_ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coursekit.data.inspection import Facts
    from coursekit.labels import LabelSet

# A necklace below this many pixels is a slip of the brush; other classes below this share of the
# mask, which is 16 pixels of 512².
_TINY_NECKLACE = 16
_TINY_SHARE = 16 / 512**2

# How far from the face's own vertical a pair may lie and still tell its sides: sin 15°.
_CLEARLY = 0.26


def check_masks(facts: Sequence[Facts], split: str, labels: LabelSet) -> list[Finding]:
    """Every rule that looks at one split's readable masks."""
    masks = [f for f in facts if f.counts is not None]
    findings: list[Finding] = []
    for rule in (constant, backgroundless, swapped_sides, eyeless, tiny_regions, absent_classes):
        findings += rule(masks, split, labels)
    return findings


def constant(masks: Sequence[Facts], split: str, labels: LabelSet) -> list[Finding]:
    """Masks that are one class from edge to edge."""
    found = [f for f in masks if f.counts is not None and np.count_nonzero(f.counts) <= 1]
    details = tuple(f"{f.label or f.image}: mode {f.mode or '?'}, all {_only(f)}" for f in found)
    return _finding(
        "constant-mask", "error", split, found,
        "the whole mask is one value", "remove the sample, or find its mask", details,
    )  # fmt: skip


def backgroundless(masks: Sequence[Facts], split: str, labels: LabelSet) -> list[Finding]:
    """Masks in which no pixel is background."""
    found = [
        f
        for f in masks
        if f.counts is not None and f.counts[0] == 0 and np.count_nonzero(f.counts) > 1
    ]
    return _finding(
        "no-background", "warning", split, found,
        "no pixel is background", "look whether the photo is a close-up or the mask is wrong",
    )  # fmt: skip


def swapped_sides(masks: Sequence[Facts], split: str, labels: LabelSet) -> list[Finding]:
    """Pairs of which the subject's left part lies where the right one belongs.

    The subject's left is the viewer's right. Sides are judged along the face's own axis, from the
    mouth to the eyes, so that a tilted head does not count.
    """
    pairs = [
        (n, "r" + n[1:]) for n in labels.names if n[:2] == "l_" and "r" + n[1:] in labels.names
    ]
    found, details, judged = [], [], 0
    for facts in masks:
        sides = [(name, side_of(facts, labels, name, other)) for name, other in pairs]
        judged += sum(side != 0 for _, side in sides)
        wrong = [name for name, side in sides if side < 0]
        if wrong:
            found.append(facts)
            details += [
                f"{facts.label or facts.image}: {n} lies on the side of r{n[1:]}" for n in wrong
            ]
    if judged and len(details) > judged / 2 and len(details) > 2:
        return _finding(
            "sides-convention", "error", split, found,
            f"{len(details)} of {judged} pairs have left and right the other way round: these "
            "masks name the image's sides, or were mirrored without swapping the pairs",
            f"swap the ids of the pairs in all of them ({labels.key} names the subject's sides)",
        )  # fmt: skip
    return _finding(
        "swapped-sides", "warning", split, found,
        f"left and right are swapped in {len(details)} of {judged} pairs",
        "exchange the two ids in these masks, or leave the samples out", tuple(details),
    )  # fmt: skip


def side_of(facts: Facts, labels: LabelSet, left: str, right: str) -> int:
    """1 when the subject's left part lies on the subject's left, -1 when not, 0 when unclear."""
    if not (facts.has(labels, left) and facts.has(labels, right)) or facts.centres is None:
        return 0
    across = facts.centres[labels.index(left)] - facts.centres[labels.index(right)]
    up = _upwards(facts, labels)
    lengths = float(np.linalg.norm(across) * np.linalg.norm(up))
    turn = float(up[1] * across[0] - up[0] * across[1])  # (y, x): above 0 for an upright face
    if lengths == 0 or abs(turn) < _CLEARLY * lengths:
        return 0
    return 1 if turn > 0 else -1


def eyeless(masks: Sequence[Facts], split: str, labels: LabelSet) -> list[Finding]:
    """Faces with skin and no eye, and whether glasses explain it."""
    found = [
        f
        for f in masks
        if f.has(labels, "skin") and not f.has(labels, "l_eye") and not f.has(labels, "r_eye")
    ]
    worn = [f for f in found if f.has(labels, "eye_g")]
    bare = [f for f in found if not f.has(labels, "eye_g")]
    return [
        *_finding(
            "no-eyes", "warning", split, bare,
            "a face without eyes and without glasses",
            "look at them: closed or hidden eyes, or a forgotten annotation",
        ),
        *_finding(
            "no-eyes-glasses", "note", split, worn,
            "a face without eyes; it wears glasses, which hide them",
            "nothing, if the glasses are dark",
        ),
    ]  # fmt: skip


def tiny_regions(masks: Sequence[Facts], split: str, labels: LabelSet) -> list[Finding]:
    """Classes that have a few pixels in a mask: slips of the brush."""
    necklace, specks, details = [], [], []
    for facts in masks:
        if facts.counts is None or facts.label_size is None:
            continue
        area = facts.label_size[0] * facts.label_size[1]
        for index, count in enumerate(facts.counts.tolist()):
            name = labels.names[index]
            if name == "neck_l" and 0 < count < _TINY_NECKLACE:
                necklace.append(facts)
            elif index > 0 and 0 < count < _TINY_SHARE * area:
                specks.append(facts)
                details.append(f"{facts.label or facts.image}: {name}, {count} px")
    mend = "take the class out of the mask, or count it as present in no score per image"
    return [
        *_finding(
            "tiny-necklace", "note", split, necklace,
            f"a necklace of fewer than {_TINY_NECKLACE} pixels", mend,
        ),
        *_finding(
            "speck", "note", split, list({id(f): f for f in specks}.values()),
            f"a class of fewer than {_TINY_NECKLACE} pixels (of 512²)", mend, tuple(details),
        ),
    ]  # fmt: skip


def absent_classes(masks: Sequence[Facts], split: str, labels: LabelSet) -> list[Finding]:
    """Classes that no mask of a split has."""
    if not masks:
        return []
    total = sum(f.counts for f in masks if f.counts is not None)
    absent = tuple(n for n, c in zip(labels.names, np.asarray(total), strict=True) if c == 0)
    if not absent:
        return []
    return [
        Finding(
            "absent-class", "note", split, absent,
            f"no mask of the split has {some(absent, 19)}",
            "expect no score for it here; a class weight of 1/frequency would be infinite",
        )
    ]  # fmt: skip


def styles(facts: Sequence[Facts], labels: LabelSet) -> list[Finding]:
    """Masks that are stored differently from the rest of the set: modes and palettes."""
    stored = [f for f in facts if f.mode]
    findings = _odd_ones(
        stored, lambda f: f.mode, "mixed-modes", "warning", "masks are stored in modes",
        "read palette indices and grey values alike (this reader does), or save all in one mode",
    )  # fmt: skip
    findings += _finding(
        "palette-order", "warning", "", [f for f in stored if f.by_colour],
        f"palettes have {labels.key} colours at other indices: a tool that makes PNGs smaller did "
        "that. They are read by colour; whoever reads indices gets other classes",
        "save them anew with the palette in order (index 1 is skin), without such a tool",
    )  # fmt: skip
    coloured = [f for f in stored if f.palette and not f.by_colour]
    findings += _finding(
        "changed-palette", "error", "", _moved_colours(coloured, labels.num_classes),
        "palettes have the colours of the other masks at other indices: a tool that makes PNGs "
        "smaller did that, and the indices are no class ids",
        "save them anew without such a tool",
    )  # fmt: skip
    findings += _odd_ones(
        coloured, lambda f: f"{len(f.palette) // 3} entries", "mixed-palettes", "note",
        "palettes differ in length:",
        "read the indices (this reader does), or save all with one palette",
    )  # fmt: skip
    # Palettes of different length can only be compared as far as the shortest goes.
    shared = min((len(f.palette) for f in coloured), default=0)
    shared = min(shared, 3 * labels.num_classes)
    findings += _odd_ones(
        coloured, lambda f: f"palette {zlib.crc32(f.palette[:shared]):08x}",
        "mixed-palette-colours", "note", "palettes give the same ids different colours:",
        "check that the ids mean the same in both; these colours are not read",
    )  # fmt: skip
    return findings


def _moved_colours(coloured: Sequence[Facts], num_classes: int) -> list[Facts]:
    """Masks whose colours are mostly those of most masks, some at another index."""
    palettes = Counter(f.palette[: 3 * num_classes] for f in coloured)
    if len(palettes) < 2:
        return []
    usual = _entries(palettes.most_common(1)[0][0])
    places = {colour: index for index, colour in enumerate(usual) if usual.count(colour) == 1}
    moved = []
    for f in coloured:
        counts = np.zeros(0) if f.counts is None else f.counts
        used = [(i, c) for i, c in enumerate(_entries(f.palette)[: len(counts)]) if counts[i]]
        shared = [places[colour] == index for index, colour in used if colour in places]
        if not all(shared) and 2 * len(shared) > len(used):
            moved.append(f)
    return moved


def _entries(palette: bytes) -> list[tuple[int, ...]]:
    return [tuple(palette[k : k + 3]) for k in range(0, len(palette), 3)]


def sizes(facts: Sequence[Facts], split: str) -> list[Finding]:
    """Masks that have another size than their photos (in the same proportion)."""
    found = [
        f for f in facts
        if f.image_size and f.label_size and f.image_size != f.label_size
        and not any(x.kind == "size-mismatch" for x in f.findings)
    ]  # fmt: skip
    kinds = Counter((f.image_size, f.label_size) for f in found)
    shown = "; ".join(f"{n}× photo {_by(a)}, mask {_by(b)}" for (a, b), n in kinds.most_common(3))
    return _finding(
        "size-differs", "note", split, found,
        f"photo and mask differ in size ({shown})",
        "resize both to the working size (this reader does)",
    )  # fmt: skip


def class_order(facts: Sequence[Facts], labels: LabelSet) -> list[Finding]:
    """Masks whose ids seem to follow the other public order of the 19 classes.

    No file says which order it is in, so this judges by what cannot be: in the course's order 17
    is the neck and lies below the skin's middle; in the other it is the hair, large and above.
    """
    if labels.key != "celebamask-hq":
        return []
    masks = [f for f in facts if f.counts is not None and f.label]
    skin, hair, neck = (labels.index(n) for n in ("skin", "hair", "neck"))
    told, odd = 0, []
    for f in masks:
        if f.counts is None or f.centres is None or not (f.counts[skin] and f.counts[neck]):
            continue
        told += 1
        above = f.centres[neck, 0] < f.centres[skin, 0]
        if above and f.counts[hair] < f.counts[neck]:
            odd.append(f)
    other = ", ".join(f"{i} {n}" for i, n in enumerate(CELEBAMASK_HQ_ALTERNATIVE_ORDER) if i > 1)
    mend = (
        "compare one in colour with its photo; if so, re-map with "
        "coursekit.labels.reorder_table(CELEBAMASK_HQ_ALTERNATIVE_ORDER, CELEBAMASK_HQ)"
    )
    if not told and masks:
        return [
            Finding(
                "class-order-unknown", "note", "", (),
                "no mask has both skin and neck, so it cannot be told whether the ids follow the "
                "course's order or the other public one; the course's is assumed",
                mend,
            )
        ]  # fmt: skip
    return _finding(
        "class-order", "error" if len(odd) > told / 2 else "warning", "", odd,
        f"in {len(odd)} of {told} masks id 17 (neck) is large and above the face: they look as if "
        f"their ids follow another public order ({other})",
        mend,
    )  # fmt: skip


def _finding(
    kind: str, severity: Severity, split: str, found: Sequence[Facts], message: str, mend: str,
    details: tuple[str, ...] = (),
) -> list[Finding]:  # fmt: skip
    names = tuple(f.label or f.image for f in found)
    if not names:
        return []
    return [Finding(kind, severity, split, names, message, mend, details)]


def _upwards(facts: Facts, labels: LabelSet) -> np.ndarray:
    """From mouth (or nose) to eyes and brows, as (y, x); straight up when the mask lacks them."""

    def middle(names: tuple[str, ...]) -> np.ndarray | None:
        assert facts.centres is not None
        there = [facts.centres[labels.index(n)] for n in names if facts.has(labels, n)]
        return np.mean(there, axis=0) if there else None

    # Both of a pair or neither: one eye alone would tilt the axis.
    both = [
        (f"l_{part}", f"r_{part}")
        for part in ("eye", "brow")
        if facts.has(labels, f"l_{part}") and facts.has(labels, f"r_{part}")
    ]
    top = middle(tuple(name for pair in both for name in pair))
    bottom = middle(("u_lip", "l_lip", "mouth"))
    bottom = middle(("nose",)) if bottom is None else bottom
    straight = np.array([-1.0, 0.0])
    return straight if top is None or bottom is None else np.asarray(top - bottom)


def _odd_ones(
    facts: Sequence[Facts], key: Callable[[Facts], str], kind: str, severity: Severity,
    message: str, mend: str,
) -> list[Finding]:  # fmt: skip
    """All files that are not like most, when a set is not all alike."""
    counts = Counter(key(f) for f in facts)
    if len(counts) < 2:
        return []
    usual = counts.most_common(1)[0][0]
    odd = [f for f in facts if key(f) != usual]
    shown = ", ".join(f"{name} ({count})" for name, count in counts.most_common())
    details = tuple(f"{f.label}: {key(f)}" for f in odd)
    return _finding(kind, severity, "", odd, f"{message} {shown}", mend, details)


def _only(facts: Facts) -> str:
    present = [] if facts.counts is None else np.flatnonzero(facts.counts).tolist()
    return str(present[0]) if present else "ignored"


def _by(size: tuple[int, int] | None) -> str:
    return "?" if size is None else f"{size[1]}×{size[0]}"
