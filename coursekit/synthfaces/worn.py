"""Glasses, hats, earrings, necklaces, and the body below the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coursekit.synthfaces.canvas import Points, clamp, smooth_curve
from coursekit.synthfaces.config import Style
from coursekit.synthfaces.geometry import Head
from coursekit.synthfaces.hair import wave


@dataclass(frozen=True)
class Glasses:
    """Two lenses and what holds them: filled outlines, open lines, and their look."""

    lenses: tuple[Points, Points]
    lines: tuple[Points, ...]
    rim: float
    dark: bool


@dataclass(frozen=True)
class Body:
    """Neck and shoulders (skin), what clothes cover of them, and where a necklace hangs."""

    skin: tuple[Points, ...]
    cloth: Points | None
    neckline: Points | None
    lapels: tuple[Points, ...]
    necklace: Points | None
    necklace_width: float


def draw_glasses(rng: np.random.Generator, luck: float, head: Head, style: Style) -> Glasses | None:
    """Draw glasses, or None for the faces that have none; `luck` in [0, 1) decides."""
    if luck >= style.glasses_share:
        return None
    dark = luck < style.glasses_share * style.sunglasses_share
    wide = rng.uniform(0.38, 0.47)
    tall = rng.uniform(0.30, 0.44) if dark else rng.uniform(0.20, 0.36)
    square, lift = rng.uniform(0.45, 1.0), rng.uniform(-0.02, 0.08)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** square * wide
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** square * tall
    droop = rng.normal(0, 0.12)
    lenses = []
    for sign in (-1.0, 1.0):
        px, py = sign * (0.53 + x), lift + 0.02 + y + droop * x
        depth = 0.18 - 0.25 * np.abs(px) ** 2 * 0.5
        lenses.append(head.project(np.stack([px, py, depth], 1)))
    inner = 0.53 - wide + 0.02
    bridge = np.array([(-inner, lift, 0.2), (0.0, lift - 0.05, 0.28), (inner, lift, 0.2)])
    lines = [head.project(bridge)]
    for sign in (-1.0, 1.0):
        if -sign * head.yaw > -12:  # the far arm is hidden by the face
            outer = 0.53 + wide - 0.02
            arm = np.array([(sign * outer, lift - 0.06, 0.05), (sign * 1.06, lift - 0.05, -1.0)])
            lines.append(head.project(arm))
    rim = rng.uniform(0.015, 0.075) * head.unit
    return Glasses((lenses[0], lenses[1]), tuple(lines), float(rim), dark)


def draw_hat(
    rng: np.random.Generator, luck: float, head: Head, style: Style
) -> tuple[str, list[Points]] | None:
    """Draw a hat as (kind, filled outlines, the brim last), or None; `luck` decides."""
    if luck >= style.hat_share:
        return None
    # `luck` is even over a data set, and so is its place below the share: so are the kinds.
    kinds = ("scarf", "cap", "beanie", "brim", "cap", "beanie", "brim", "cap", "brim", "beanie")
    kind = kinds[int(luck / style.hat_share * len(kinds))]
    edge = rng.uniform(-0.62, -0.30) if kind != "scarf" else rng.uniform(-0.8, -0.6)
    tall = {"cap": 1.22, "beanie": 1.28, "brim": 1.45, "scarf": 1.18}[kind] * rng.uniform(1.0, 1.2)
    wide = rng.uniform(1.14, 1.42)
    angle = np.radians(np.linspace(-95, 95, 40))
    dome = np.stack([wide * np.sin(angle), -tall * np.cos(angle)], 1)
    dome[:, 1] = np.where(dome[:, 1] > edge + 0.2, edge + 0.2, dome[:, 1])
    if kind == "brim":
        dome[:, 0] *= 0.86
    dome *= 1 + 0.015 * wave(rng, len(dome), 5)[:, None]
    sag = rng.uniform(-0.05, 0.12)
    lower = np.array([(0.9 * wide, edge + 0.1), (0.45, edge - sag), (0, edge - 1.3 * sag)])
    front = smooth_curve(np.concatenate([lower, (lower * (-1, 1))[1::-1]]), 6, closed=False)
    parts = [head.around(np.concatenate([dome, front]))]
    turn = head.yaw / 45
    if kind == "cap":
        bill = np.array([(-0.8, edge), (-0.6, edge + 0.22), (0, edge + 0.3), (0.6, edge + 0.22),
                         (0.8, edge), (0.0, edge - 0.18)])  # fmt: skip
        bill = bill * (0.95, 1) + (0.55 * turn, 0)
        parts.append(head.around(smooth_curve(bill, 6)))
    elif kind == "brim":
        reach, bend = rng.uniform(1.5, 2.3), rng.uniform(-0.35, 0.25)
        t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        brim = np.stack([reach * np.cos(t), edge + 0.20 * np.sin(t) + bend * np.cos(t) ** 2], 1)
        parts.append(head.around(brim))
    return kind, parts


def draw_earrings(
    rng: np.random.Generator, luck: float, head: Head, style: Style, softness: float
) -> dict[str, tuple[Points, float]]:
    """Earrings by the subject's side: an outline and a line width (0: the outline is filled)."""
    if luck >= style.earring_share * (0.35 + 1.15 * softness):
        return {}
    kind = rng.choice(["stud", "drop", "hoop"], p=[0.25, 0.50, 0.25])
    size = 1.2 * np.exp(rng.normal(0, 0.3))
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    found = {}
    for side, sign in (("l", 1.0), ("r", -1.0)):
        if sign * head.yaw > 12:  # turned away, behind the cheek
            continue
        lobe = head.project(np.array([[sign * 1.08 * head.width, 0.64, -1.0]]))[0]
        if kind == "stud":
            shape = 0.075 * size * np.stack([np.cos(angle), np.sin(angle)], 1)
            width = 0.0
        elif kind == "drop":
            long = rng.uniform(0.22, 0.42) * size
            belly = 0.12 * size * (1 - 0.6 * np.cos(angle))
            shape = np.stack([0.8 * belly * np.sin(angle), long * (1 - np.cos(angle)) * 0.5], 1)
            shape[:, 0] += 0.02 * wave(rng, 24, 5)
            width = 0.0
        else:
            radius = 0.24 * size
            shape = np.stack([0.8 * radius * np.sin(angle), radius * (1 - np.cos(angle))], 1)
            shape = np.concatenate([shape, shape[:1]])
            width = float(rng.uniform(0.035, 0.075) * head.unit)
        found[side] = (lobe + shape * head.unit, width)
    return found


def _neckline(rng: np.random.Generator, half: float, base: float) -> tuple[str, Points | None]:
    """How far clothes leave the neck free, in body coordinates: (kind, outline or None)."""
    kind = str(rng.choice(["crew", "scoop", "vee", "high", "suit"], p=[0.25, 0.27, 0.18, 0.1, 0.2]))
    if kind == "high":
        top = base - rng.uniform(0.1, 0.45)
        return kind, np.array([(-3, -3), (-half, top), (0, top + 0.22), (half, top), (3, -3)])
    edge = half + {"crew": 0.08, "scoop": 0.55, "vee": 0.15, "suit": 0.12}[kind] * rng.uniform(
        0.6, 1.4
    )
    deep = {"crew": 0.30, "scoop": 0.6, "vee": 0.9, "suit": 0.35}[kind] * rng.uniform(0.6, 1.3)
    start = base + rng.uniform(0.0, 0.15)
    if kind in ("vee", "suit"):
        curve = np.array([(-edge, start), (0, start + deep), (edge, start)])
    else:
        t = np.linspace(-1, 1, 17)
        curve = np.stack([edge * t, start + deep * (1 - t**2) ** 0.6], 1)
    return kind, np.concatenate([[(-edge, -3)], curve, [(edge, -3)]])


def _torso(half: float, base: float, slope: float) -> Points:
    """Neck and shoulders in body coordinates, from the lower right over the neck to the left."""
    right = np.array([
        (half, 0.8), (half * 0.97, base - 0.25), (half + 0.12, base),
        (half + 0.55, base + 0.1 + slope * 0.4),
        (2.1, base + 0.12 + slope), (3.2, base + 0.35 + 2 * slope), (3.6, 5),
    ])  # fmt: skip
    return np.concatenate([right[::-1], right * (-1, 1)])


def _chain(rng: np.random.Generator, half: float, base: float) -> Points:
    """A necklace in body coordinates: an open line from one side of the neck to the other."""
    t = np.linspace(-1, 1, 21)
    low = base + rng.uniform(0.0, 0.35)
    return np.stack([half * 1.02 * t, low - 0.42 * np.abs(t) ** 1.7 + 0.05], 1)


def draw_body(
    rng: np.random.Generator, luck: float, head: Head, style: Style, softness: float
) -> Body:
    """Draw neck, shoulders, clothes and a necklace.

    The body hangs from the head but turns only a little with it.
    """
    root = head.project(np.array([[0.0, 0.9, -0.75]]))[0]
    lean = np.radians(head.roll * 0.5 + rng.normal(0, 5))
    turn = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]])
    offset = rng.normal(0, 0.08)

    def place(points: Points) -> Points:
        local = (np.asarray(points, dtype=np.float64) - (0, 0.9)) * head.unit
        return local @ turn.T + root

    half = clamp(rng.normal(0.86 - 0.17 * softness, 0.06), 0.58, 1.05)
    base = rng.normal(1.56, 0.16)
    slope = rng.uniform(0.18, 0.55)
    outline = _torso(half, base, slope)
    outline[:, 0] += offset * np.clip(outline[:, 1] - 1.2, 0, 1)
    skin = place(smooth_curve(outline, 6, closed=False))
    cloth, neckline = None, None
    lapels: tuple[Points, ...] = ()
    if rng.random() < 0.80 - 0.20 * softness:
        kind, free = _neckline(rng, half, base)
        grown = outline + np.where(outline[:, 1:] > base - 0.3, np.array([[0, -0.04]]), 0)
        cloth = place(smooth_curve(grown, 6, closed=False))
        neckline = None if free is None else place(free)
        if kind == "suit":
            flap = np.array(
                [
                    (half, base - 0.12),
                    (half + 0.3, base + 0.05),
                    (0.25, base + 0.75),
                    (0.0, base + 0.5),
                ]
            )
            lapels = (place(flap), place(flap * (-1, 1)))
    chance = style.necklace_share * (0.3 + 1.2 * softness)
    necklace = place(_chain(rng, half, base)) if luck < chance else None
    width = (0.020 + 0.020 * min(1.0, luck / max(chance, 1e-9))) * head.unit
    return Body((skin,), cloth, neckline, lapels, necklace, width)
