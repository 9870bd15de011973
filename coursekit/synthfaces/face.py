"""One person on a canvas: drawn from back to front, labelled in CelebAMask-HQ's order."""

from __future__ import annotations

import numpy as np

from coursekit.labels import CELEBAMASK_HQ
from coursekit.synthfaces.canvas import Canvas, Mask, blur, clamp, moved, polygon_mask
from coursekit.synthfaces.config import Style
from coursekit.synthfaces.dressing import (
    paint_body,
    paint_earrings,
    paint_glasses,
    paint_hat,
    paint_necklace,
)
from coursekit.synthfaces.features import (
    label_parts,
    paint_brows,
    paint_eyes,
    paint_mouth,
    paint_nose,
)
from coursekit.synthfaces.person import Lit, Person, Streams
from coursekit.synthfaces.skin import Grid, light_map, skin_picture
from coursekit.synthfaces.strands import hair_mask, hair_picture, paint_flyaway, paint_hair, wispy
from coursekit.synthfaces.textures import lattice_noise

_ID = {name: CELEBAMASK_HQ.index(name) for name in CELEBAMASK_HQ.names}


def _light(canvas: Canvas, person: Person, streams: Streams, style: Style) -> Lit:
    head, size = person.head, canvas.size
    grid = Grid.of(head)
    bright, gloss, level = light_map(grid, head, person.light, style.shading, streams("relief"))
    colour, mottle = skin_picture(streams("skin"), grid, head, person.palette, style, size)
    full = bright[..., None] * person.light.colour
    skin = grid.spread(colour * full + gloss[..., None], size)
    skin *= mottle[..., None]
    grain = lattice_noise(streams("grain"), size, 110)
    return Lit(skin, grid.spread(full, size), level, grain)


def _paint_ear(canvas: Canvas, person: Person, lit: Lit, side: str, front: Mask) -> None:
    outline, _ = person.head.ears[side]
    u = person.head.unit
    patch = canvas.patch(outline)
    if patch is None:
        return
    inside = patch.alpha > 0.5
    if (front[patch.window][inside] > 127).all():  # under the hair
        return
    canvas.paint(patch, lit.skin)
    canvas.shade(patch, 1.1)
    canvas.labels[patch.window][inside] = _ID[f"{side}_ear"]
    within = canvas.coverage(patch)
    centre = outline.mean(0)
    inner = centre + (outline - centre) * 0.55
    canvas.shade(
        canvas.patch(inner, soft=0.03 * u, within=within), np.array([0.42, 0.34, 0.32]), 0.85
    )


def _paint_beard(
    canvas: Canvas, person: Person, face: Mask, rng: np.random.Generator, lit: Lit
) -> None:
    head, kind = person.head, person.beard
    low = rng.uniform(0.75, 1.0)
    ring = [(-0.98, 0.25), (-0.80, low - 0.1), (-0.5, low), (-0.36, 0.88), (0, 0.84), (0.36, 0.88),
            (0.5, low), (0.80, low - 0.1), (0.98, 0.25)]  # fmt: skip
    if kind == "goatee":
        ring = [
            (-0.42, 1.9),
            (-0.5, 1.3),
            (-0.48, 0.95),
            (0, 0.84),
            (0.48, 0.95),
            (0.5, 1.3),
            (0.42, 1.9),
        ]
    elif kind == "moustache":
        ring = [(-0.5, 1.12), (-0.35, 0.88), (0, 0.83), (0.35, 0.88), (0.5, 1.12), (0, 0.98)]
    outline = head.project(np.array([(x, y, 0.1 - 0.75 * abs(x) ** 1.5) for x, y in ring]))
    if kind in ("stubble", "full"):
        jaw = head.landmarks[3:30]
        outline = np.concatenate([outline, moved(jaw[::-1], 0.0, 0.02)])
    texture = np.clip(195 + 30 * lit.grain, 0, 255).astype(np.uint8)
    within = np.minimum(face, texture)
    opacity = rng.uniform(0.25, 0.6) if kind == "stubble" else rng.uniform(0.75, 1.0)
    colour = person.palette.brow * np.float32(0.9 * clamp(lit.level, 0.3, 1.1))
    soft = (0.05 if kind == "stubble" else 0.03) * head.unit
    canvas.paint(canvas.patch(outline, soft=soft, within=within), colour, opacity)


def _paint_lines(canvas: Canvas, person: Person, rng: np.random.Generator) -> None:
    """Folds from nose to mouth, and wrinkles."""
    head, u = person.head, person.head.unit
    age = rng.random() ** 2
    deep = 0.25 + 0.5 * head.smile + 0.5 * age
    fold = np.array([(0.33, 0.62, 0.1), (0.42, 0.78, 0.12), (0.49, 0.92, 0.1), (0.53, 1.05, 0.05)])
    sides = [head.project(fold * (sign, 1, 1)) for sign in (-1.0, 1.0)]
    canvas.shade(canvas.patch(*sides, width=0.03 * u, soft=0.02 * u), 0.72, min(1.0, deep))
    count = int(age * 5)
    if count:
        brow = np.array([(-0.45, 0.03, 0.05), (0, 0.0, 0.12), (0.45, 0.03, 0.05)])
        lines = np.array([brow + np.array([0, -0.55 - 0.1 * k, 0]) for k in range(count)])
        lines += rng.normal(0, 0.02, lines.shape)
        lines = head.project(lines.reshape(-1, 3)).reshape(count, 3, 2)
        canvas.shade(canvas.patch(lines, width=0.015 * u, soft=0.01 * u), 0.75, age)


def _paint_face(
    canvas: Canvas, person: Person, lit: Lit, front: Mask, streams: Streams, style: Style
) -> None:
    head, rng = person.head, streams("features")
    outlines = [head.face]
    if person.hair.kind in ("bald", "buzz"):
        outlines.append(head.skull())
    face = polygon_mask(canvas.size, *outlines)
    for side, (_, before) in head.ears.items():
        if not before:
            _paint_ear(canvas, person, lit, side, front)
    canvas.paint(canvas.full(blur(face, 0.0012, canvas.size)), lit.skin)
    canvas.labels[face > 127] = _ID["skin"]
    for side, (_, before) in head.ears.items():
        if before:
            _paint_ear(canvas, person, lit, side, front)
    if style.shading:
        _paint_lines(canvas, person, rng)
        paint_nose(canvas, head, person.light, rng)
    if person.beard is not None:
        _paint_beard(canvas, person, face, rng, lit)
    paint_mouth(canvas, head, person.palette, lit.level, rng)
    paint_brows(canvas, head, person.palette, lit.level, lit.grain, rng)
    paint_eyes(canvas, head, person.palette, lit.level, rng)
    nose = polygon_mask(canvas.size, *head.nose)
    canvas.mark(nose > 127, _ID["nose"])


def paint_person(canvas: Canvas, person: Person, streams: Streams, style: Style) -> None:
    """Paint a person over what the canvas shows, and label every class.

    Args:
        canvas: what is painted on; its label map is written over.
        person: who.
        streams: gives the random stream of a part by name.
        style: the distribution, for its strengths of shading and texture.
    """
    lit = _light(canvas, person, streams, style)
    picture, streaks = hair_picture(canvas, person, lit, streams, style)
    hair = person.hair
    if hair.outer is not None and hair.kind not in ("bald", "buzz"):
        back, outline = polygon_mask(canvas.size, hair.outer), streams("outline")
        frayed = wispy(back, streaks, outline.uniform(0.003, 0.008))
        canvas.paint(canvas.full(frayed), picture * np.float32(0.75))
        canvas.labels[back > 127] = _ID["hair"]
        paint_flyaway(canvas, person, outline)
    paint_body(canvas, person, lit, streams, style)
    canvas.bare = canvas.labels.copy()
    body = person.body
    if body.necklace is not None:
        paint_necklace(canvas, body.necklace, body.necklace_width, lit, streams("necklace"))
    front = hair_mask(canvas, hair)
    _paint_face(canvas, person, lit, front, streams, style)
    if person.glasses is not None:
        paint_glasses(canvas, person.glasses, person.head.unit, streams("frame"))
    dark = person.glasses is not None and person.glasses.dark
    label_parts(canvas, person.head, eyes=not dark)
    face = canvas.labels.copy()
    paint_hair(canvas, person, front, (picture, streaks), style, streams("fringe"))
    if person.hat is not None:
        paint_hat(canvas, person, person.hat[1], lit, streams("felt"))
    if person.earrings:
        paint_earrings(canvas, person, lit, streams("metal"))
    canvas.covered = canvas.labels != face
    if person.glasses is not None and dark:
        canvas.covered |= polygon_mask(canvas.size, *person.glasses.lenses) > 127
    chain = canvas.labels == _ID["neck_l"]
    canvas.bare = np.where(chain, canvas.bare, canvas.labels)
