"""One person on a canvas: drawn from back to front, labelled in CelebAMask-HQ's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from coursekit.labels import CELEBAMASK_HQ
from coursekit.synthfaces.canvas import (
    Canvas,
    Floats,
    Mask,
    Points,
    blur,
    clamp,
    lowered,
    polygon_mask,
    smooth_curve,
)
from coursekit.synthfaces.config import Style
from coursekit.synthfaces.features import (
    label_parts,
    paint_brows,
    paint_eyes,
    paint_mouth,
    paint_nose,
)
from coursekit.synthfaces.geometry import Head, draw_head
from coursekit.synthfaces.hair import Hair, draw_hair
from coursekit.synthfaces.skin import (
    Grid,
    Light,
    Palette,
    draw_light,
    draw_palette,
    light_map,
    skin_picture,
)
from coursekit.synthfaces.textures import cloth, lattice_noise, random_colour, strands
from coursekit.synthfaces.worn import (
    Body,
    Glasses,
    draw_body,
    draw_earrings,
    draw_glasses,
    draw_hat,
)

_ID = {name: CELEBAMASK_HQ.index(name) for name in CELEBAMASK_HQ.names}
#: What few people wear.
RARE = ("hat", "glasses", "necklace", "earrings")
Streams = Callable[[str], np.random.Generator]


@dataclass(frozen=True)
class Person:
    """Everything that decides how one person looks, before a pixel is drawn."""

    head: Head
    hair: Hair
    body: Body
    glasses: Glasses | None
    hat: tuple[str, list[Points]] | None
    earrings: dict[str, tuple[Points, float]]
    palette: Palette
    light: Light
    beard: str | None
    softness: float


def draw_person(
    streams: Streams,
    style: Style,
    luck: Mapping[str, float],
    light: Light | None = None,
    place: Points | None = None,
) -> Person:
    """Draw a person from one random stream for each part.

    Args:
        streams: gives the stream of a part by name.
        style: the distribution.
        luck: for each of `RARE`, a number in [0, 1) that decides whether it is worn.
        light: the lamp; drawn when None.
        place: a (2, 3) affine map of the frame that moves the head elsewhere.
    """
    trait = streams("person")
    softness = float(
        np.clip(
            trait.choice([trait.normal(0.12, 0.1), trait.normal(0.88, 0.1)], p=[0.4, 0.6]), 0, 1
        )
    )
    head = draw_head(
        streams("shape"), streams("expression"), streams("pose"), style, softness, place
    )
    hair = draw_hair(streams("hair"), head, style, softness)
    beard = None
    if softness < 0.5 and trait.random() < style.beard_share * 2:
        beard = str(
            trait.choice(["stubble", "full", "goatee", "moustache"], p=[0.45, 0.28, 0.15, 0.12])
        )
    return Person(
        head,
        hair,
        draw_body(streams("body"), luck["necklace"], head, style, softness),
        draw_glasses(streams("glasses"), luck["glasses"], head, style),
        draw_hat(streams("hat"), luck["hat"], head, style),
        draw_earrings(streams("earrings"), luck["earrings"], head, style, softness),
        draw_palette(streams("palette"), style, softness),
        draw_light(streams("light"), style) if light is None else light,
        beard,
        softness,
    )


@dataclass
class _Lit:
    """Pictures that several parts share: lit skin, the light, its gloss."""

    skin: Floats
    light: Floats
    level: float
    grain: Floats


def _light(canvas: Canvas, person: Person, streams: Streams, style: Style) -> _Lit:
    head, size = person.head, canvas.size
    grid = Grid.of(head)
    bright, gloss, level = light_map(grid, head, person.light, style.shading, streams("relief"))
    colour, mottle = skin_picture(streams("skin"), grid, head, person.palette, style, size)
    full = bright[..., None] * person.light.colour
    skin = grid.spread(colour * full + gloss[..., None], size)
    skin *= mottle[..., None]
    grain = lattice_noise(streams("grain"), size, 110)
    return _Lit(skin, grid.spread(full, size), level, grain)


def _paint_body(canvas: Canvas, person: Person, lit: _Lit, streams: Streams, style: Style) -> None:
    body, head, rng = person.body, person.head, streams("cloth")
    dim = np.float32(rng.uniform(0.82, 1.05) if style.shading else 1.0)
    canvas.paint(canvas.full(polygon_mask(canvas.size, *body.skin)), lit.skin * dim)
    mask = polygon_mask(canvas.size, *body.skin)
    canvas.mark(mask > 127, _ID["neck"])
    jaw = head.landmarks[2:31] + (0.0, rng.uniform(0.10, 0.3) * head.unit)
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
    canvas.paint(canvas.full(covered), cloth(rng, canvas.size, colour) * base)
    canvas.mark(covered > 127, _ID["cloth"])
    lapel = random_colour(rng, 0.3)
    for flap in body.lapels:
        canvas.paint(canvas.patch(flap, within=covered), lapel, 0.9)


def _paint_necklace(canvas: Canvas, person: Person, lit: _Lit, rng: np.random.Generator) -> None:
    line, width = person.body.necklace, person.body.necklace_width
    canvas.bare = canvas.labels.copy()
    if line is None:
        return
    neck = (canvas.labels == _ID["neck"]) | (canvas.labels == _ID["cloth"])
    within = neck.astype(np.uint8) * 255
    gold = np.array([(0.8, 0.6, 0.25), (0.8, 0.8, 0.82), (0.9, 0.87, 0.8), (0.1, 0.1, 0.1)])
    colour = gold[int(rng.integers(4))].astype(np.float32)
    canvas.shade(canvas.patch(line + (0, width), width=width, soft=0.004, within=within), 0.6, 0.6)
    patch = canvas.patch(line, width=width, within=within)
    sparkle = np.clip(0.75 + 0.4 * lit.grain, 0.2, 1.4)[..., None]
    canvas.paint(patch, (colour * sparkle).astype(np.float32), 0.95)
    if patch is not None:
        canvas.labels[patch.window][patch.alpha > 0.4] = _ID["neck_l"]


def _paint_ear(canvas: Canvas, person: Person, lit: _Lit, side: str) -> None:
    outline, _ = person.head.ears[side]
    u = person.head.unit
    mask = polygon_mask(canvas.size, outline)
    canvas.paint(canvas.full(mask), lit.skin * np.float32(1.1))
    canvas.labels[mask > 127] = _ID[f"{side}_ear"]
    centre = outline.mean(0)
    inner = centre + (outline - centre) * 0.62
    canvas.shade(canvas.patch(inner, soft=0.03 * u, within=mask), np.array([0.5, 0.42, 0.4]), 0.8)
    core = centre + (outline - centre) * 0.3 + (0, 0.04 * u)
    canvas.shade(canvas.patch(core, soft=0.02 * u, within=mask), 0.55, 0.8)
    rim = np.concatenate([outline, outline[:1]])
    canvas.shade(canvas.patch(rim, width=0.03 * u, soft=0.015 * u), 0.75, 0.5)


def _paint_beard(
    canvas: Canvas, person: Person, face: Mask, rng: np.random.Generator, lit: _Lit
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
        outline = np.concatenate([outline, jaw[::-1] + (0, 0.02)])
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
    for k in range(int(age * 5)):
        y = -0.55 - 0.1 * k
        line = np.array([(-0.45, y + 0.03, 0.05), (0, y, 0.12), (0.45, y + 0.03, 0.05)])
        line = head.project(line + rng.normal(0, 0.02, (3, 3)))
        canvas.shade(canvas.patch(line, width=0.015 * u, soft=0.01 * u), 0.75, age)


def _paint_face(canvas: Canvas, person: Person, lit: _Lit, streams: Streams, style: Style) -> None:
    head, rng = person.head, streams("features")
    outlines = [head.face]
    if person.hair.kind in ("bald", "buzz"):
        outlines.append(head.skull)
    face = polygon_mask(canvas.size, *outlines)
    for side, (_, before) in head.ears.items():
        if not before:
            _paint_ear(canvas, person, lit, side)
    canvas.paint(canvas.full(blur(face, 0.0012, canvas.size)), lit.skin)
    canvas.labels[face > 127] = _ID["skin"]
    for side, (_, before) in head.ears.items():
        if before:
            _paint_ear(canvas, person, lit, side)
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


def _paint_glasses(canvas: Canvas, person: Person, rng: np.random.Generator) -> None:
    glasses = person.glasses
    if glasses is None:
        return
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
        streak = (
            middle
            + np.array([(-0.2, -0.2), (-0.05, -0.2), (0.12, 0.2), (-0.05, 0.2)]) * person.head.unit
        )
        inside = polygon_mask(canvas.size, lens)
        glare = canvas.patch(streak, soft=0.02 * person.head.unit, within=inside)
        canvas.paint(glare, np.ones(3, np.float32), rng.uniform(0, 0.4))
    lines = [*rims, *glasses.lines]
    canvas.shade(
        canvas.patch(*(r + (0, 0.01) for r in rims), width=glasses.rim, soft=0.005), 0.75, 0.6
    )
    bars = canvas.patch(*lines, width=glasses.rim)
    canvas.paint(bars, frame)
    mask = polygon_mask(canvas.size, *glasses.lenses) > 127
    if bars is not None:
        mask[bars.window] |= bars.alpha > 0.4
    canvas.mark(mask, _ID["eye_g"])


def _hair_mask(canvas: Canvas, hair: Hair) -> Mask:
    """The hair before face, ears and clothes: all hair but the opening, and the locks in it."""
    if hair.outer is None:
        return np.zeros((canvas.size, canvas.size), np.uint8)
    mask = polygon_mask(canvas.size, hair.outer)
    mask = np.minimum(mask, 255 - polygon_mask(canvas.size, hair.opening))
    return np.maximum(mask, polygon_mask(canvas.size, *hair.locks)) if hair.locks else mask


def _hair_picture(
    canvas: Canvas, person: Person, lit: _Lit, streams: Streams, style: Style
) -> tuple[Floats, Floats]:
    """The colour of hair everywhere, (size, size, 3), and its strands, (size, size)."""
    rng, hair = streams("strands"), person.hair
    fine = rng.uniform(110, 260)
    streaks, far = strands(rng, canvas.size, hair.crown, hair.curl, fine, rng.uniform(0.5, 1.6))
    contrast = np.float32(style.hair_texture * rng.uniform(0.25, 0.55))
    tone = np.clip(1 + contrast * streaks, 0.15, 2.4)
    if rng.random() < 0.3:  # lighter towards the tips
        tone *= 1 + np.float32(rng.uniform(0.2, 1.2)) * np.clip(far * 1.6 - 0.6, 0, 1)
    # A band of gloss lies around the crown, broken by the strands.
    band = cv2.exp(
        ((far - rng.uniform(0.15, 0.35)) * np.float32(1 / rng.uniform(0.06, 0.13))) ** 2 * -1
    )
    gloss = np.float32(style.hair_texture * rng.uniform(0.02, 0.22)) * np.clip(0.6 + streaks, 0, 2)
    gloss *= np.float32(0.25) + band
    light = np.clip(lit.light, 0.35, 1.35) if style.shading else np.float32(1.0)
    colour = person.palette.hair * tone[..., None] + gloss[..., None]
    return (colour * light).astype(np.float32), streaks


def _wispy(mask: Mask, streaks: Floats, soft: float) -> Mask:
    """Fray the edge of a mask along the strands."""
    size = mask.shape[0]
    near = blur(mask, soft, size).astype(np.float32) * np.float32(1 / 255)
    ragged = np.float32(2.2) * (near - 0.5) + 0.5 + near * (1 - near) * 1.6 * streaks
    return cv2.convertScaleAbs(np.clip(ragged, 0, 1), alpha=255)


def _flyaway(canvas: Canvas, person: Person, rng: np.random.Generator) -> None:
    """Single hairs that leave the outline; too thin for an annotator."""
    hair = person.hair
    if hair.outer is None or hair.kind == "buzz":
        return
    count = int(rng.integers(4, 18))
    at = rng.integers(0, len(hair.outer) - 2, count)
    length = rng.uniform(0.02, 0.09, (count, 1))
    along = hair.outer[at + 1] - hair.outer[at]
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    out = np.stack([along[:, 1], -along[:, 0]], 1)
    lean = rng.normal(0, 1, (count, 1))
    start = hair.outer[at] - 0.01 * out
    middle = start + length * (0.6 * out + 0.5 * lean * along)
    end = start + length * (0.7 * out + 1.4 * lean * along)
    lines = np.stack([start, middle, end], 1)
    patch = canvas.patch(*lines, width=0.003)
    canvas.paint(patch, person.palette.hair * np.float32(rng.uniform(0.7, 1.3)), 0.7)


def _paint_hair(
    canvas: Canvas,
    person: Person,
    front: Mask,
    hair: tuple[Floats, Floats],
    style: Style,
    rng: np.random.Generator,
) -> None:
    picture, streaks = hair
    opacity = 0.72 if person.hair.kind == "buzz" else 1.0
    if style.shading:
        shadow = blur(lowered(front, 0.012), 0.012, canvas.size)
        canvas.shade(canvas.full(shadow), np.array([0.66, 0.58, 0.55]), 0.7)
    soft = rng.uniform(0.004, 0.010) if person.hair.kind != "buzz" else 0.014
    canvas.paint(canvas.full(_wispy(front, streaks, soft), opacity), picture)
    canvas.labels[front > 127] = _ID["hair"]


def _paint_hat(canvas: Canvas, person: Person, lit: _Lit, rng: np.random.Generator) -> None:
    if person.hat is None:
        return
    colour = random_colour(rng, 0.8)
    if rng.random() < 0.35:
        colour = person.palette.hair * np.float32(rng.uniform(0.6, 1.2))
    picture = cloth(rng, canvas.size, colour) * np.clip(lit.light, 0.5, 1.25)
    _, outlines = person.hat
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
    canvas.bare[mask > 127] = _ID["hat"]


def _paint_earrings(canvas: Canvas, person: Person, lit: _Lit, rng: np.random.Generator) -> None:
    if not person.earrings:
        return
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


def paint_person(canvas: Canvas, person: Person, streams: Streams, style: Style) -> None:
    """Paint a person over what the canvas shows, and label every class.

    Args:
        canvas: what is painted on; its label map is written over.
        person: who.
        streams: gives the random stream of a part by name.
        style: the distribution, for its strengths of shading and texture.
    """
    lit = _light(canvas, person, streams, style)
    picture, streaks = _hair_picture(canvas, person, lit, streams, style)
    hair = person.hair
    if hair.outer is not None and hair.kind not in ("bald", "buzz"):
        back, outline = polygon_mask(canvas.size, hair.outer), streams("outline")
        frayed = _wispy(back, streaks, outline.uniform(0.003, 0.008))
        canvas.paint(canvas.full(frayed), picture * np.float32(0.75))
        canvas.labels[back > 127] = _ID["hair"]
        _flyaway(canvas, person, outline)
    _paint_body(canvas, person, lit, streams, style)
    _paint_necklace(canvas, person, lit, streams("necklace"))
    necklace = canvas.labels == _ID["neck_l"]
    _paint_face(canvas, person, lit, streams, style)
    _paint_glasses(canvas, person, streams("frame"))
    dark = person.glasses is not None and person.glasses.dark
    label_parts(canvas, person.head, eyes=not dark)
    _paint_hair(
        canvas, person, _hair_mask(canvas, hair), (picture, streaks), style, streams("fringe")
    )
    _paint_hat(canvas, person, lit, streams("felt"))
    _paint_earrings(canvas, person, lit, streams("metal"))
    bare = np.where(necklace & (canvas.labels == _ID["neck_l"]), canvas.bare, canvas.labels)
    canvas.bare = bare.astype(np.uint8)
