"""Eyes, brows, nose and mouth: painted and labelled from the outlines of their landmarks."""

from __future__ import annotations

import cv2
import numpy as np

from coursekit.labels import CELEBAMASK_HQ
from coursekit.synthfaces.canvas import (
    Canvas,
    Floats,
    Patch,
    Points,
    clamp,
    exact_mask,
    moved,
    smooth_curve,
)
from coursekit.synthfaces.geometry import Head
from coursekit.synthfaces.skin import Light, Palette

_ID = {name: CELEBAMASK_HQ.index(name) for name in CELEBAMASK_HQ.names}
_ANGLE = np.linspace(0, 2 * np.pi, 20, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLE), np.sin(_ANGLE)], 1)


def paint_eyes(
    canvas: Canvas, head: Head, palette: Palette, bright: float, rng: np.random.Generator
) -> None:
    """Eyeballs with iris, pupil and glint, the lids' shadow, lashes and creases."""
    white = np.array([0.80, 0.76, 0.74]) * clamp(bright, 0.35, 1.15) * rng.uniform(0.85, 1.1)
    white = (white * (0.8 + 0.2 * palette.skin / palette.skin.max())).astype(np.float32)
    u = head.unit
    radius = 0.088 * u * rng.uniform(0.95, 1.1)
    lash = palette.make_up * 0.6 + rng.uniform(0.1, 0.5)
    glint = rng.normal(0, 0.03, 2) * u - (0, 0.035 * u)
    dark = np.array([0.05, 0.035, 0.03], np.float32)
    iris = palette.iris * np.float32(clamp(bright, 0.4, 1.1))
    p = head.landmarks
    eyes, lids = (head.part("r_eye"), head.part("l_eye")), (p[66:71], p[75:80])
    below = (p[70:74], p[[79, 80, 81, 82, 75]])
    # Both eyes at once: most of the time goes into calls, not into pixels.
    canvas.shade(_moved(canvas, lids, -0.06 * u, width=0.09 * u, soft=0.03 * u), 0.85, 0.7)
    canvas.shade(_moved(canvas, lids, -0.085 * u, width=0.018 * u, soft=0.006 * u), 0.6, 0.7)
    canvas.shade(_moved(canvas, below, 0.07 * u, width=0.03 * u, soft=0.02 * u), 0.8, 0.5)
    patch = canvas.patch(*eyes)
    canvas.paint(patch, white)
    inside = canvas.coverage(patch)

    def disc(size: float, offset: Points | float = 0.0) -> Patch | None:
        ring = _CIRCLE * (radius * size) + offset
        return canvas.patch(p[104] + ring, p[105] + ring, within=inside)

    canvas.paint(disc(0.95), iris)
    canvas.paint(disc(0.45), dark)
    canvas.shade(canvas.patch(*lids, width=0.05 * u, soft=0.015 * u, within=inside), 0.5, 0.8)
    canvas.paint(disc(0.22, glint), np.full(3, 0.95 * min(1.0, bright + 0.2), np.float32), 0.85)
    canvas.paint(canvas.patch(*lids, width=(0.018 + 0.028 * lash) * u, soft=0.004 * u), dark, 0.75)
    canvas.shade(canvas.patch(*below, width=0.016 * u, soft=0.005 * u), 0.5, 0.4 + 0.5 * lash)


def _moved(
    canvas: Canvas, lines: tuple[Points, ...], down: float, *, width: float, soft: float
) -> Patch | None:
    return canvas.patch(*(moved(line, 0.0, down) for line in lines), width=width, soft=soft)


def paint_brows(
    canvas: Canvas,
    head: Head,
    palette: Palette,
    bright: float,
    grain: Floats,
    rng: np.random.Generator,
) -> None:
    """Brows: a soft body of hair, thinner towards the nose."""
    opacity = rng.uniform(0.7, 1.0)
    colour = palette.brow * np.float32(clamp(bright, 0.3, 1.1))
    hairs = np.clip(0.85 + 0.28 * grain, 0, 1.2)
    texture = (hairs * 255 / 1.2).astype(np.uint8)
    outlines = []
    for name in ("r_brow", "l_brow"):
        outline = head.part(name)
        middle = outline.mean(0)
        outlines.append(smooth_curve(middle + (outline - middle) * (0.97, 0.86), 4))
    patch = canvas.patch(*outlines, soft=0.018 * head.unit, within=texture)
    canvas.paint(patch, colour, opacity)


def paint_nose(canvas: Canvas, head: Head, light: Light, rng: np.random.Generator) -> None:
    """Nostrils, the wings' creases, the shadow of the bridge and the shadow under the tip."""
    u = head.unit
    p = head.landmarks
    side = -float(np.sign(light.direction[0])) or 1.0
    strength = min(1.0, 0.25 + abs(float(light.direction[0])))
    flank = p[[51, 52, 53, 54, 63, 64, 65]] if side > 0 else p[[51, 52, 53, 54, 57, 56, 55]]
    canvas.shade(canvas.patch(flank, soft=0.05 * u), 0.82, strength * light.diffuse)
    down = p[[57, 58, 60, 62, 63]] + (0.03 * side * u, 0.05 * u)
    canvas.shade(canvas.patch(down, width=0.06 * u, soft=0.04 * u), 0.62, 0.6 * light.diffuse + 0.2)
    left, right = p[[56, 57, 58]], p[[64, 63, 62]]
    left[0], right[0] = left[:2].mean(0), right[:2].mean(0)
    wings = canvas.patch(left, right, width=0.025 * u, soft=0.014 * u)
    canvas.shade(wings, 0.65, 0.8)
    tall = rng.uniform(0.025, 0.045) * (1 + max(0.0, -head.pitch) / 30)
    hole = _CIRCLE * (0.065 * u, tall * u) - (0, 0.03 * u)
    holes = canvas.patch(p[58:60].mean(0) + hole, p[61:63].mean(0) + hole, soft=0.008 * u)
    canvas.shade(holes, np.array([0.28, 0.2, 0.2]), 0.85)


def _teeth(canvas: Canvas, head: Head, inside: Points, bright: float, tone: float) -> None:
    u = head.unit
    cover = canvas.coverage(canvas.patch(inside))
    white = np.array([0.93, 0.89, 0.83], np.float32) * np.float32(tone * clamp(bright, 0.35, 1.1))
    top, left, right = head.landmarks[[97, 98, 99]], head.landmarks[96], head.landmarks[100]
    tall = min(0.19, max(0.10, head.mouth_open)) * u
    line = np.concatenate([[left], top, [right]])
    lower = moved(line[::-1], 0.0, tall)
    canvas.paint(canvas.patch(np.concatenate([line, lower]), within=cover, soft=0.01 * u), white)
    gap = (right - left) / 9
    edges = [
        np.array([left + gap * k - (0, 0.1 * u), left + gap * k + (0, tall)]) for k in range(1, 9)
    ]
    canvas.shade(canvas.patch(*edges, width=0.01 * u, within=cover), 0.75, 0.6)
    if head.mouth_open > 0.26:
        tongue = head.landmarks[[101, 102, 103]].mean(0) + np.array(
            [(-0.2, 0.02), (-0.1, -0.09), (0.1, -0.09), (0.2, 0.02), (0, 0.1)]
        ) * u  # fmt: skip
        pink = np.array([0.72, 0.36, 0.36], np.float32) * np.float32(bright)
        canvas.paint(canvas.patch(smooth_curve(tongue, 4), within=cover, soft=0.012 * u), pink, 0.9)
    canvas.shade(canvas.patch(line, width=0.05 * u, soft=0.02 * u, within=cover), 0.6, 0.6)


def paint_mouth(
    canvas: Canvas,
    head: Head,
    palette: Palette,
    bright: float,
    rng: np.random.Generator,
) -> None:
    """Lips with their own light, and teeth and tongue between them."""
    u = head.unit
    p = head.landmarks
    lit = np.float32(clamp(bright, 0.3, 1.15))
    shine = rng.uniform(0.05, 0.32) + 0.2 * palette.make_up
    below = moved(p[91:96], 0.0, 0.07 * u)
    canvas.shade(canvas.patch(below, width=0.08 * u, soft=0.04 * u), 0.75, 0.8)
    upper, lower = head.part("u_lip"), head.part("l_lip")
    edge = 0.012 * u * rng.uniform(0.5, 2.0)
    tone = rng.uniform(0.75, 1.0)
    inner = np.array([0.20, 0.07, 0.07], np.float32) * lit
    if head.mouth_open > 0:
        canvas.paint(canvas.patch(head.part("mouth")), inner)
        if rng.random() < 0.9:
            _teeth(canvas, head, head.part("mouth"), bright, tone)
    upright = rng.standard_normal((24, 110), dtype=np.float32)
    creases = cv2.resize(upright, (canvas.size, canvas.size), interpolation=cv2.INTER_CUBIC)
    creases = 1 + np.float32(0.08) * creases
    upper_patch, lower_patch = canvas.patch(upper, soft=edge), canvas.patch(lower, soft=edge)
    canvas.paint(upper_patch, palette.lips * lit * np.float32(1.0), 0.94, creases)
    canvas.paint(lower_patch, palette.lips * lit * np.float32(1.04), 0.94, creases)
    rim = np.concatenate([p[84:96], p[84:85]])
    canvas.shade(canvas.patch(rim, width=0.03 * u, soft=0.018 * u), 0.8, 0.8)
    gleam = (p[[91, 92, 93, 94, 95]] + p[[101, 101, 102, 103, 103]]) / 2
    canvas.paint(
        canvas.patch(gleam[1:4], width=0.05 * u, soft=0.02 * u), np.full(3, 0.95, np.float32) * lit,
        shine,
    )  # fmt: skip
    line = p[[96, 97, 98, 99, 100]]
    canvas.shade(canvas.patch(line, width=0.022 * u, soft=0.01 * u), 0.4, 0.8)


def label_parts(canvas: Canvas, head: Head, eyes: bool) -> None:
    """Mark brows, eyes, mouth and lips in CelebAMask-HQ's order, exactly on their polygons.

    Eyes behind dark glasses are left out, as the annotators leave them out.
    """
    names = ("l_eye", "r_eye", "l_brow", "r_brow") if eyes else ()
    mouth = ("mouth",) if head.mouth_open > 0 else ()
    for name in (*names, *mouth, "u_lip", "l_lip"):
        canvas.mark(exact_mask(canvas.size, head.part(name)), _ID[name])
