"""Skin: its colours, how light falls on a head, and what grows or is painted on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from coursekit.synthfaces.canvas import Floats, Points, clamp
from coursekit.synthfaces.config import Style
from coursekit.synthfaces.geometry import SKULL_AXES, SKULL_CENTRE, Head
from coursekit.synthfaces.textures import RGB, fractal_noise, lattice_noise

# The light is found on a grid this coarse and then enlarged: it is smooth, and the grid's size
# must not depend on the picture's.
_GRID = 64
_REACH = 1.25  # the grid's side in frames

# Albedo from pale to dark, and what a person may differ from it by.
_TONES = np.array([
    (0.93, 0.76, 0.67), (0.88, 0.69, 0.57), (0.82, 0.62, 0.49), (0.72, 0.51, 0.38),
    (0.57, 0.38, 0.27), (0.42, 0.27, 0.19), (0.30, 0.19, 0.14),
])  # fmt: skip
# Celebrities' hair: mostly dark, with a long tail of blond; grey and dyed hair besides.
_HAIR = np.array([
    (0.09, 0.07, 0.06), (0.16, 0.11, 0.085), (0.24, 0.15, 0.10), (0.36, 0.23, 0.14),
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
    tone = clamp(rng.beta(1.5, 3.2) * 6 if spread else 2.0, 0, 6)
    low = min(int(tone), 5)
    skin = _TONES[low] + (tone - low) * (_TONES[low + 1] - _TONES[low])
    skin = skin * (1.04, 0.97, 0.97)
    skin = skin * (1 + rng.normal(0, 0.035, 3) * spread) * (1 + rng.normal(0, 0.05) * spread)
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
        [(0.20, 0.12, 0.07), (0.34, 0.22, 0.12), (0.32, 0.36, 0.22), (0.35, 0.45, 0.55)]
    )
    iris = irises[int(rng.integers(0, 1 if darkest else 4))] * rng.uniform(0.7, 1.2)
    tones = [np.clip(c, 0.015, 0.98).astype(np.float32) for c in (skin, hair, brow, lips, iris)]
    return Palette(tones[0], tones[1], tones[2], tones[3], tones[4], make_up)


def draw_light(rng: np.random.Generator, style: Style) -> Light:
    """Draw a lamp, usually above and before the head; flash photographs are lit from the front."""
    spread = min(1.0, style.colour_spread)
    frontal = rng.random() < 0.4
    side = rng.normal(0, 0.25 if frontal else 0.75) * spread
    up = rng.normal(0.35 if frontal else 0.55, 0.3)
    direction = np.array([side, -up, 1.0 if frontal else 0.7])
    direction /= np.linalg.norm(direction)
    diffuse = clamp(rng.normal(0.40 if frontal else 0.58, 0.15), 0.1, 0.95)
    warm = rng.normal(0, 0.06) * spread
    colour = np.array([1 + warm, 1.0, 1 - 1.3 * warm], np.float32)
    return Light(direction, diffuse, float(rng.gamma(1.6, 0.07)), colour)


@dataclass(frozen=True)
class Grid:
    """A coarse square grid over the frame, turned with the head so that hills are separable.

    Attributes:
        axis: (N,) coordinates of the grid lines from the frame's centre, in unit coordinates.
        turn: (2, 2) rotation from the grid's directions to the frame's.
    """

    axis: Points
    turn: Points

    @classmethod
    def of(cls, head: Head) -> Grid:
        """The grid that fits a head. It is a little larger than the frame, whose corners turn."""
        angle = np.radians(head.roll)
        c, s = np.cos(angle), np.sin(angle)
        axis = ((np.arange(_GRID) + 0.5) / _GRID - 0.5) * _REACH
        return cls(axis, np.array([[c, -s], [s, c]]))

    def local(self, points: Points) -> Points:
        """Unit coordinates (N, 2) as the grid's."""
        return (points - 0.5) @ self.turn

    def hills(self, points: Points, spreads: Points, heights: Points) -> Points:
        """The sum of Gaussian hills at unit coordinates (N, 2), as a (grid, grid) array."""
        at = self.local(points)
        gx = np.exp(-0.5 * ((self.axis[None] - at[:, :1]) / spreads[:, :1]) ** 2)
        gy = np.exp(-0.5 * ((self.axis[None] - at[:, 1:]) / spreads[:, 1:]) ** 2)
        return (gy * heights[:, None]).T @ gx

    def spread(self, grid: NDArray, size: int) -> Floats:
        """A grid (N, N) or (N, N, 3) as a picture of the frame at `size`²."""
        k = _GRID / _REACH / size
        matrix = self.turn.T * k
        centre = np.array([(size - 1) / 2] * 2)
        offset = (_GRID - 1) / 2 - matrix @ centre
        affine = np.concatenate([matrix, offset[:, None]], axis=1)
        return cv2.warpAffine(
            grid.astype(np.float32), affine, (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip


# Hills and hollows of a face: head coordinates, spread (x, y) and height in head units.
_RELIEF = (
    ((0.0, 0.25, 0.3), (0.11, 0.34), 0.16),  # bridge of the nose
    ((0.0, 0.56, 0.5), (0.15, 0.14), 0.18),  # tip
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


_PLACES = np.array([r[0] for r in _RELIEF])
_SPREADS = np.array([r[1] for r in _RELIEF])
_HEIGHTS = np.array([r[2] for r in _RELIEF])
_BLUSH = np.array([(0.62, 0.55, -0.1), (-0.62, 0.55, -0.1), (0.0, 0.6, 0.5), (0.0, 1.65, 0.1)])
_SOCKETS = np.array([(0.5, 0.10, 0.0), (-0.5, 0.10, 0.0), (0.5, -0.12, 0.05), (-0.5, -0.12, 0.05)])


def _normals(grid: Grid, head: Head, jitter: np.random.Generator) -> tuple[Points, Points, Points]:
    """Unit normals of the head on the grid: an ellipsoid with the hills of the features."""
    centre = grid.local(head.project(SKULL_CENTRE[None] + (0.0, 0.35, 0.0)))[0]
    x, y = grid.axis[None, :] - centre[0], grid.axis[:, None] - centre[1]
    u = 0.85 * x / (head.unit * SKULL_AXES[0] * head.width * 1.12)
    v = 0.75 * y / (head.unit * (SKULL_AXES[1] + 0.30) * 1.12)
    heights = _HEIGHTS * np.exp(jitter.normal(0, 0.2, len(_HEIGHTS))) * head.unit
    height = grid.hills(head.project(_PLACES), _SPREADS * head.unit, heights)
    slope_y, slope_x = np.gradient(height, _REACH / _GRID)
    v = np.clip(v, -1, 0.62)  # the neck is no part of the ellipsoid's underside
    nx, ny = u - 0.65 * slope_x, v - 0.65 * slope_y
    nz = np.sqrt(np.clip(1 - u**2 - v**2, 0.06, 1))
    norm = np.sqrt(nx**2 + ny**2 + nz**2)
    return nx / norm, ny / norm, nz / norm


def light_map(
    grid: Grid, head: Head, light: Light, strength: float, jitter: np.random.Generator
) -> tuple[Points, Points, float]:
    """How bright each place of a head is: (diffuse, gloss) on the grid, and the eyes' level.

    The skull's outline gives the large form, hills at the features the small one; light is
    Lambert's with a soft edge, gloss is Blinn's.

    Args:
        grid: where to find the light.
        head: the posed head.
        light: the lamp.
        strength: 0 gives flat light of 1, 1 the full contrast.
        jitter: varies how pronounced the features are.
    """
    nx, ny, nz = _normals(grid, head, jitter)
    toward = light.direction.copy()
    toward[:2] = toward[:2] @ grid.turn
    lambert = np.clip((nx * toward[0] + ny * toward[1] + nz * toward[2] + 0.25) / 1.25, 0, None)
    half = toward + np.array([0, 0, 1.0])
    half /= np.linalg.norm(half)
    shine = np.clip(nx * half[0] + ny * half[1] + nz * half[2], 0, 1) ** 24
    bright = (1 - light.diffuse) * (0.75 + 0.25 * nz) + light.diffuse * lambert
    at = grid.local(head.landmarks[[52, 60, 74, 83, 93]]) * (_GRID / _REACH) + _GRID / 2
    cells = np.clip(at, 0, _GRID - 1).astype(int)
    middle = bright[cells[:, 1], cells[:, 0]]
    # The camera exposes for the face, mostly: the rest of the difference stays.
    bright = 1 + strength * (bright / (0.15 + 0.85 * middle.mean()) - 1)
    level = float(bright[cells[2:4, 1], cells[2:4, 0]].mean())
    return bright, strength * light.gloss * shine, level


def skin_picture(
    rng: np.random.Generator, grid: Grid, head: Head, palette: Palette, style: Style, size: int
) -> tuple[Points, Floats]:
    """The colour of the skin without light: (grid, grid, 3), and its mottling, (size, size).

    Cheeks and nose are redder, the sockets darker and, with make-up, the lids too.
    """
    unit, texture = head.unit, style.skin_texture
    amount = rng.uniform(0.2, 1.0)
    blush = grid.hills(
        head.project(_BLUSH), np.full((4, 2), 0.28 * unit), amount * np.array([1.0, 1.0, 0.7, 0.4])
    )
    shadow, paint = rng.uniform(0.0, 0.22), palette.make_up * rng.uniform(0, 0.6)
    dark = grid.hills(
        head.project(_SOCKETS), np.array([(0.24, 0.10)] * 2 + [(0.22, 0.08)] * 2) * unit,
        np.array([shadow, shadow, paint, paint]),
    )  # fmt: skip
    tint = texture * blush[..., None] * (0.03, -0.10, -0.09)
    tone = 1 - dark[..., None] * (0.5, 0.62, 0.6)
    mottle = 1 + np.float32(0.03 * texture) * fractal_noise(rng, size, 6, 5)
    if rng.random() < 0.12 * texture:  # freckles
        mottle -= 0.10 * (lattice_noise(rng, size, 110) > 1.7)
    return palette.skin * (1 + tint) * tone, mottle.astype(np.float32)
