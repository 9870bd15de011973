"""Clothes and jewellery on the canvas: neck and cloth, necklace, glasses, hat, earrings."""

from __future__ import annotations

import numpy as np

from coursekit.labels import CELEBAMASK_HQ
from coursekit.synthfaces.canvas import (
    Canvas,
    Points,
    band,
    blur,
    exact_mask,
    lowered,
    moved,
    polygon_mask,
)
from coursekit.synthfaces.config import Style
from coursekit.synthfaces.person import Lit, Person, Streams
from coursekit.synthfaces.textures import cloth, random_colour
from coursekit.synthfaces.worn import Glasses

_ID = {name: CELEBAMASK_HQ.index(name) for name in CELEBAMASK_HQ.names}


def paint_body(canvas: Canvas, person: Person, lit: Lit, streams: Streams, style: Style) -> None:
    """Neck and shoulders, the chin's shadow on them, and clothes."""
    body, head, rng = person.body, person.head, streams("cloth")
    dim = float(rng.uniform(0.82, 1.05)) if style.shading else 1.0
    mask = polygon_mask(canvas.size, *body.skin)
    patch = canvas.full(mask)
    canvas.paint(patch, lit.skin)
    canvas.shade(patch, dim)
    canvas.mark(mask > 127, _ID["neck"])
    jaw = moved(head.landmarks[2:31], 0.0, rng.uniform(0.10, 0.3) * head.unit)
    if style.shading:
        shadow = canvas.patch(jaw, soft=0.07 * head.unit, within=mask)
        canvas.shade(shadow, np.array([0.50, 0.44, 0.42]), rng.uniform(0.3, 1.0))
    if body.cloth is None:
        return
    colour = random_colour(rng, 0.8)
    if rng.random() < 0.35:
        colour = np.full(3, rng.choice([0.04, 0.10, 0.9]), np.float32)
    if rng.random() < style.hair_coloured_cloth_share:
        colour = person.palette.hair * np.float32(rng.uniform(0.8, 1.2))
    covered = polygon_mask(canvas.size, body.cloth)
    if body.neckline is not None:
        covered = np.where(polygon_mask(canvas.size, body.neckline) > 127, 0, covered).astype(
            np.uint8
        )
    base = 0.75 + 0.25 * np.clip(lit.light, 0.3, 1.3)
    edge = canvas.full(blur(covered, 0.006, canvas.size))
    canvas.shade(edge, 0.7, 0.7)
    canvas.paint(canvas.full(covered), cloth(rng, canvas.size, colour), 1.0, base)
    canvas.mark(covered > 127, _ID["cloth"])
    lapel = random_colour(rng, 0.3)
    for flap in body.lapels:
        canvas.paint(canvas.patch(flap, within=covered), lapel, 0.9)


def paint_necklace(
    canvas: Canvas, line: Points, width: float, lit: Lit, rng: np.random.Generator
) -> None:
    """A chain along an open line, where neck or cloth is seen."""
    neck = (canvas.labels == _ID["neck"]) | (canvas.labels == _ID["cloth"])
    within = neck.astype(np.uint8) * 255
    gold = np.array([(0.8, 0.6, 0.25), (0.8, 0.8, 0.82), (0.9, 0.87, 0.8), (0.1, 0.1, 0.1)])
    colour = gold[int(rng.integers(4))].astype(np.float32)
    below = moved(line, 0.0, width)
    canvas.shade(canvas.patch(below, width=width, soft=0.004, within=within), 0.6, 0.6)
    patch = canvas.patch(line, width=width, within=within)
    sparkle = np.clip(0.75 + 0.4 * lit.grain, 0.2, 1.4)[..., None]
    canvas.paint(patch, (colour * sparkle).astype(np.float32), 0.95)
    # By pixel centres: thinner than a pixel, a chain breaks up, but keeps its share of the area.
    canvas.labels[exact_mask(canvas.size, band(line, width)) & neck] = _ID["neck_l"]


def paint_glasses(canvas: Canvas, glasses: Glasses, unit: float, rng: np.random.Generator) -> None:
    """Lenses, clear or dark, with a glare, and their frame; lenses and frame are one class."""
    frame = (
        random_colour(rng, 0.5, 0.02, 0.6) if rng.random() < 0.6 else np.full(3, 0.04, np.float32)
    )
    rims = [np.concatenate([lens, lens[:1]]) for lens in glasses.lenses]
    if glasses.dark:
        tint = random_colour(rng, 0.4, 0.02, 0.18)
        opacity = rng.uniform(0.82, 1.0)
    else:
        tint, opacity = np.full(3, rng.uniform(0.2, 0.9), np.float32), rng.uniform(0.0, 0.16)
    for lens in glasses.lenses:
        canvas.paint(canvas.patch(lens), tint, opacity)
        middle = lens.mean(0)
        streak = middle + np.array([(-0.2, -0.2), (-0.05, -0.2), (0.12, 0.2), (-0.05, 0.2)]) * unit
        inside = polygon_mask(canvas.size, lens)
        glare = canvas.patch(streak, soft=0.02 * unit, within=inside)
        canvas.paint(glare, np.ones(3, np.float32), rng.uniform(0, 0.4))
    lines = [*rims, *glasses.lines]
    canvas.shade(
        canvas.patch(*(moved(r, 0.0, 0.01) for r in rims), width=glasses.rim, soft=0.005), 0.75, 0.6
    )
    bars = canvas.patch(*lines, width=glasses.rim)
    canvas.paint(bars, frame)
    mask = polygon_mask(canvas.size, *glasses.lenses) > 127
    if bars is not None:
        mask[bars.window] |= bars.alpha > 0.4
    canvas.mark(mask, _ID["eye_g"])


def paint_hat(
    canvas: Canvas, person: Person, outlines: list[Points], lit: Lit, rng: np.random.Generator
) -> None:
    """A hat of cloth and the shadow that it casts; the second outline is its brim."""
    colour = random_colour(rng, 0.8)
    if rng.random() < 0.35:
        colour = person.palette.hair * np.float32(rng.uniform(0.6, 1.2))
    picture = cloth(rng, canvas.size, colour) * np.clip(lit.light, 0.5, 1.25)
    mask = polygon_mask(canvas.size, *outlines)
    shadow = blur(lowered(mask, 0.03), 0.015, canvas.size)
    canvas.shade(canvas.full(shadow), 0.5, 0.8)
    canvas.paint(canvas.full(mask), picture.astype(np.float32))
    if len(outlines) > 1:
        brim = canvas.patch(outlines[1])
        canvas.shade(brim, rng.uniform(0.55, 1.2))
        canvas.shade(
            canvas.patch(outlines[1] - (0, 0.02), width=0.015, soft=0.006, within=mask), 0.6
        )
    canvas.labels[mask > 127] = _ID["hat"]


def paint_earrings(canvas: Canvas, person: Person, lit: Lit, rng: np.random.Generator) -> None:
    """Earrings; those on an ear under the hair are sometimes hidden with it."""
    metal = np.array([(0.85, 0.65, 0.3), (0.85, 0.85, 0.88), (0.9, 0.88, 0.8), (0.15, 0.13, 0.12)])
    colour = metal[int(rng.integers(4))].astype(np.float32)
    if rng.random() < 0.25:
        colour = random_colour(rng, 0.9)
    glitter = np.clip(0.8 + 0.5 * lit.grain, 0.15, 1.6)[..., None]
    picture = (colour * glitter).astype(np.float32)
    for side, (shape, width) in person.earrings.items():
        ear_seen = (canvas.labels == _ID[f"{side}_ear"]).any()
        if not ear_seen and rng.random() < 0.55:  # under the hair
            continue
        patch = canvas.patch(shape, width=width)
        canvas.paint(patch, picture, 0.95)
        if patch is not None:
            face = np.isin(canvas.labels[patch.window], (_ID["skin"],))
            canvas.labels[patch.window][(patch.alpha > 0.4) & ~face] = _ID["ear_r"]
