"""Skin: its colours, how light falls on a head, and what grows or is painted on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from coursekit.synthfaces.canvas import Floats, Points
from coursekit.synthfaces.config import Style
from coursekit.synthfaces.geometry import SKULL_AXES, SKULL_CENTRE, Head
from coursekit.synthfaces.textures import RGB, fractal_noise, lattice_noise

# The light is found on a grid this coarse and then enlarged: it is smooth, and the grid's size
# must not depend on the picture's.
_GRID = 96

# Albedo from pale to dark, and what a person may differ from it by.
_TONES = np.array([
    (0.93, 0.76, 0.67), (0.88, 0.69, 0.57), (0.82, 0.62, 0.49), (0.72, 0.51, 0.38),
    (0.57, 0.38, 0.27), (0.42, 0.27, 0.19), (0.30, 0.19, 0.14),
])  # fmt: skip
# Celebrities' hair: mostly dark, with a long tail of blond; grey and dyed hair besides.
_HAIR = np.array([
    (0.07, 0.055, 0.05), (0.14, 0.09, 0.07), (0.24, 0.15, 0.10), (0.36, 0.23, 0.14),
    (0.52, 0.36, 0.21), (0.70, 0.53, 0.33), (0.84, 0.71, 0.50), (0.45, 0.19, 0.09),
    (0.60, 0.58, 0.56), (0.85, 0.83, 0.80),
])  # fmt: skip
_HAIR_SHARES = np.array([0.20, 0.19, 0.16, 0.12, 0.09, 0.08, 0.06, 0.04, 0.04, 0.02])


@dataclass(frozen=True)
class Palette:
    """The colours of one person, (3,) RGB in [0, 1] each, before any light falls on them."""

    skin: RGB
    hair: RGB
    brow: RGB
    lips: RGB
    iris: RGB
    make_up: float


@dataclass(frozen=True)
class Light:
    """One lamp: a direction towards it (3,), its share against the ambient light, its gloss."""

    direction: Points
    diffuse: float
    gloss: float
    colour: RGB


def draw_palette(rng: np.random.Generator, style: Style, softness: float) -> Palette:
    """Draw the colours of a person; `softness` in [0, 1] makes make-up likelier."""
    spread = style.colour_spread
    tone = np.clip(rng.beta(1.1, 2.7) * 6 if spread else 2.0, 0, 6)
    low = min(int(tone), 5)
    skin = _TONES[low] + (tone - low) * (_TONES[low + 1] - _TONES[low])
    skin = skin * (1 + rng.normal(0, 0.05, 3) * spread) * (1 + rng.normal(0, 0.08) * spread)
    darkest = tone > 3.6
    kind = int(rng.choice(len(_HAIR), p=_HAIR_SHARES)) if spread else 2
    if darkest and rng.random() < 0.8:
        kind = int(rng.integers(0, 3))
    hair = (
        _HAIR[kind] * (1 + rng.normal(0, 0.12, 3) * spread) * np.exp(rng.normal(0, 0.25) * spread)
    )
    if rng.random() < 0.02 * spread:
        hair = rng.uniform(0.1, 0.9, 3)
    brow = 0.55 * hair + 0.45 * hair.mean() * np.array([0.9, 0.6, 0.45])
    brow = np.minimum(brow * rng.uniform(0.5, 1.0), 0.45)
    make_up = float(softness * rng.random() ** 0.7) if rng.random() < 0.9 * softness else 0.0
    natural = skin * np.array([0.86, 0.62, 0.66]) * rng.uniform(0.85, 1.1)
    painted = np.array([rng.uniform(0.45, 0.9), rng.uniform(0.08, 0.4), rng.uniform(0.12, 0.42)])
    lips = natural + make_up * rng.random() * (painted - natural)
    irises = np.array(
        [(0.16, 0.09, 0.05), (0.30, 0.18, 0.09), (0.32, 0.36, 0.22), (0.35, 0.45, 0.55)]
    )
    iris = irises[int(rng.integers(0, 1 if darkest else 4))] * rng.uniform(0.7, 1.2)
    colours = [np.clip(c, 0.015, 0.98).astype(np.float32) for c in (skin, hair, brow, lips, iris)]
    return Palette(*colours, make_up)


def draw_light(rng: np.random.Generator, style: Style) -> Light:
    """Draw a lamp, usually above and before the head; flash photographs are lit from the front."""
    spread = min(1.0, style.colour_spread)
    frontal = rng.random() < 0.4
    side = rng.normal(0, 0.25 if frontal else 0.75) * spread
    up = rng.normal(0.35 if frontal else 0.55, 0.3)
    direction = np.array([side, -up, 1.0 if frontal else 0.7])
    direction /= np.linalg.norm(direction)
    diffuse = float(np.clip(rng.normal(0.40 if frontal else 0.58, 0.15), 0.1, 0.95))
    warm = rng.normal(0, 0.06) * spread
    colour = np.array([1 + warm, 1.0, 1 - 1.3 * warm], np.float32)
    return Light(direction, diffuse, float(rng.gamma(1.6, 0.07)), colour)


def _bump(axis: Floats, at: Points, spread: tuple[float, float], roll: float = 0.0) -> Floats:
    """A Gaussian hill on the grid, with unit height, `spread` in unit coordinates along x and y."""
    if abs(roll) < 1e-3:
        gx = np.exp(-0.5 * ((axis - at[0]) / spread[0]) ** 2)
        gy = np.exp(-0.5 * ((axis - at[1]) / spread[1]) ** 2)
        return (gy[:, None] * gx[None, :]).astype(np.float32)
    c, s = np.cos(roll), np.sin(roll)
    x, y = axis[None, :] - at[0], axis[:, None] - at[1]
    u, v = c * x + s * y, c * y - s * x
    return np.exp(-0.5 * ((u / spread[0]) ** 2 + (v / spread[1]) ** 2)).astype(np.float32)


# Hills and hollows of a face: head coordinates, spread (x, y) and height in head units.
_RELIEF = (
    ((0.0, 0.25, 0.3), (0.10, 0.34), 0.20),  # bridge of the nose
    ((0.0, 0.56, 0.5), (0.15, 0.14), 0.22),  # tip
    ((0.22, 0.62, 0.2), (0.09, 0.09), 0.09),  # wings
    ((-0.22, 0.62, 0.2), (0.09, 0.09), 0.09),
    ((0.50, -0.02, 0.0), (0.26, 0.15), -0.11),  # eye sockets
    ((-0.50, -0.02, 0.0), (0.26, 0.15), -0.11),
    ((0.50, -0.01, 0.0), (0.14, 0.09), 0.06),  # eyeballs
    ((-0.50, -0.01, 0.0), (0.14, 0.09), 0.06),
    ((0.45, -0.33, 0.1), (0.35, 0.10), 0.07),  # brow ridges
    ((-0.45, -0.33, 0.1), (0.35, 0.10), 0.07),
    ((0.58, 0.48, 0.0), (0.28, 0.22), 0.13),  # cheeks
    ((-0.58, 0.48, 0.0), (0.28, 0.22), 0.13),
    ((0.0, 0.99, 0.3), (0.28, 0.07), 0.05),  # lips
    ((0.0, 1.22, 0.27), (0.24, 0.07), 0.07),
    ((0.0, 1.40, 0.15), (0.30, 0.06), -0.06),  # hollow under the lip
    ((0.0, 1.65, 0.12), (0.26, 0.16), 0.10),  # chin
)


def light_map(
    head: Head, light: Light, strength: float, jitter: np.random.Generator
) -> tuple[Floats, Floats]:
    """How bright each place of a head is: (diffuse, gloss), each a coarse square grid.

    The skull's outline gives the large form (the normals of an ellipsoid), bumps at the features
    give the small one; light is Lambert's with a soft edge, gloss is Blinn's.

    Args:
        head: the posed head.
        light: the lamp.
        strength: 0 gives flat light of 1, 1 the full contrast.
        jitter: varies how pronounced the features are.
    """
    axis = ((np.arange(_GRID) + 0.5) / _GRID).astype(np.float64)
    centre = head.project(SKULL_CENTRE[None] + (0.0, 0.35, 0.0))[0]
    c, s = np.cos(np.radians(head.roll)), np.sin(np.radians(head.roll))
    x, y = axis[None, :] - centre[0], axis[:, None] - centre[1]
    u = (c * x + s * y) / (head.unit * SKULL_AXES[0] * head.width * 1.12)
    v = (c * y - s * x) / (head.unit * (SKULL_AXES[1] + 0.30) * 1.12)
    nx, ny = 0.85 * (c * u - s * v), 0.75 * (s * u + c * v)
    height = np.zeros((_GRID, _GRID), np.float32)
    heights = np.array([r[2] for r in _RELIEF]) * np.exp(jitter.normal(0, 0.2, len(_RELIEF)))
    places = head.project(np.array([r[0] for r in _RELIEF]))
    for at, (_, spread, _), tall in zip(places, _RELIEF, heights, strict=True):
        wide = (spread[0] * head.unit, spread[1] * head.unit)
        height += np.float32(tall * head.unit) * _bump(axis, at, wide, np.radians(head.roll))
    slope_y, slope_x = np.gradient(height, 1 / _GRID)
    nx, ny = nx - 0.65 * slope_x, ny - 0.65 * slope_y
    nz = np.sqrt(np.clip(1 - (0.85 * u) ** 2 - (0.75 * v) ** 2, 0.06, 1))
    norm = np.sqrt(nx**2 + ny**2 + nz**2)
    facing = (nx * light.direction[0] + ny * light.direction[1] + nz * light.direction[2]) / norm
    lambert = np.clip((facing + 0.25) / 1.25, 0, None)
    half = light.direction + (0, 0, 1.0)
    half /= np.linalg.norm(half)
    shine = np.clip((nx * half[0] + ny * half[1] + nz * half[2]) / norm, 0, 1) ** 24
    bright = (1 - light.diffuse) * (0.75 + 0.25 * nz / norm) + light.diffuse * lambert
    middle = np.clip(places[[0, 10, 11]] * _GRID, 0, _GRID - 1).astype(int)
    level = float(bright[middle[:, 1], middle[:, 0]].mean())  # what the camera exposes for
    bright = 1 + strength * (bright / (0.15 + 0.85 * level) - 1)
    return bright.astype(np.float32), (strength * light.gloss * shine).astype(np.float32)


def enlarge(grid: Floats, size: int) -> Floats:
    """A coarse grid as a (size, size) picture."""
    return cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)


def skin_picture(
    rng: np.random.Generator, head: Head, palette: Palette, style: Style, size: int
) -> Floats:
    """The colour of the skin everywhere, (size, size, 3), without light.

    Cheeks and nose are redder, the sockets darker, and skin is mottled.
    """
    axis = ((np.arange(_GRID) + 0.5) / _GRID).astype(np.float64)
    blush = np.zeros((_GRID, _GRID), np.float32)
    amount = rng.uniform(0.2, 1.0)
    spots = np.array([(0.62, 0.55, -0.1), (-0.62, 0.55, -0.1), (0.0, 0.6, 0.5), (0.0, 1.65, 0.1)])
    for at, weight in zip(head.project(spots), (1.0, 1.0, 0.7, 0.4), strict=True):
        blush += np.float32(weight * amount) * _bump(axis, at, (0.30 * head.unit, 0.26 * head.unit))
    dark = np.zeros((_GRID, _GRID), np.float32)
    sockets = head.project(np.array([(0.5, 0.10, 0.0), (-0.5, 0.10, 0.0)]))
    shadow = rng.uniform(0.05, 0.3)
    for at in sockets:
        dark += np.float32(shadow) * _bump(axis, at, (0.24 * head.unit, 0.10 * head.unit))
    lids = head.project(np.array([(0.5, -0.12, 0.05), (-0.5, -0.12, 0.05)]))
    paint = palette.make_up * rng.uniform(0, 0.7)
    for at in lids:
        dark += np.float32(paint) * _bump(axis, at, (0.22 * head.unit, 0.08 * head.unit))
    texture = style.skin_texture
    mottle = 1 + np.float32(0.035 * texture) * fractal_noise(rng, size, 6, 5)
    if rng.random() < 0.15 * texture:  # freckles
        mottle -= 0.12 * (lattice_noise(rng, size, 110) > 1.7)
    tint = enlarge(blush, size)[..., None] * np.array([0.03, -0.10, -0.09], np.float32)
    tone = 1 - enlarge(dark, size)[..., None] * np.array([0.5, 0.62, 0.6], np.float32)
    return (palette.skin * (1 + texture * tint) * tone * mottle[..., None]).astype(np.float32)
