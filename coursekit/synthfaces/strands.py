"""Hair on the canvas: strands, gloss, frayed edges and single hairs."""

from __future__ import annotations

import cv2
import numpy as np

from coursekit.labels import CELEBAMASK_HQ
from coursekit.synthfaces.canvas import Canvas, Floats, Mask, blur, lowered, polygon_mask
from coursekit.synthfaces.config import Style
from coursekit.synthfaces.hair import Hair
from coursekit.synthfaces.person import Lit, Person, Streams
from coursekit.synthfaces.textures import enlarge, lattice_noise

_HAIR = CELEBAMASK_HQ.index("hair")


def strands(
    rng: np.random.Generator,
    size: int,
    crown: tuple[float, float],
    curl: float,
    fineness: float,
    length: float,
) -> tuple[Floats, Floats]:
    """Brightness of hair, (size, size), about 0 with unit spread: streaks that leave the crown.

    The second picture, (size, size), is the distance from the crown in frames.

    Args:
        rng: the random stream.
        size: pixels.
        crown: (x, y) unit coordinates of the point that the streaks leave.
        curl: 0 for straight streaks, 1 for tight curls.
        fineness: streaks per turn around the crown.
        length: how long a streak is, against the frame.
    """
    around = max(8, int(fineness))
    streaks = rng.standard_normal((12, around), dtype=np.float32)
    locks = rng.standard_normal((5, around // 6 + 4), dtype=np.float32)
    steps = 96 if size <= 160 else 256  # the field is smooth: it need not be found per pixel
    axis = (np.arange(steps, dtype=np.float32) + 0.5) / steps
    x, y = axis[None, :] - np.float32(crown[0]), axis[:, None] - np.float32(crown[1])
    radius = np.sqrt(x * x + y * y)
    angle = np.arctan2(x, y) / np.float32(2 * np.pi) + 0.5
    drift = lattice_noise(rng, steps, 5)
    # A lock swings to and fro along its length; neighbouring locks are out of step.
    phase = 1.5 * lattice_noise(rng, steps, 5) + 0.7 * lattice_noise(rng, steps, 16)
    swing = np.sin(radius * np.float32(22 + 50 * curl) + phase)
    shift = 0.020 * drift + np.float32(0.002 + 0.016 * curl) * swing
    angle = angle + shift / (0.3 + radius)
    out = np.zeros((steps, steps), np.float32)
    for table, weight in ((streaks, 0.8), (locks, 0.6)):
        height, width = table.shape
        rows = (radius * np.float32(height / length) + 0.6 * drift) % height
        u = (angle * width) % width
        out += weight * cv2.remap(
            table, u, rows.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
        )
    out += np.float32(0.35 * curl) * swing
    return cv2.resize(out, (size, size), interpolation=cv2.INTER_CUBIC), enlarge(radius, size)


def hair_mask(canvas: Canvas, hair: Hair) -> Mask:
    """The hair before face, ears and clothes: all hair but the opening, and the locks in it."""
    if hair.outer is None:
        return np.zeros((canvas.size, canvas.size), np.uint8)
    mask = polygon_mask(canvas.size, hair.outer)
    mask = np.minimum(mask, 255 - polygon_mask(canvas.size, hair.opening))
    return np.maximum(mask, polygon_mask(canvas.size, *hair.locks)) if hair.locks else mask


def hair_picture(
    canvas: Canvas, person: Person, lit: Lit, streams: Streams, style: Style
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
    colour = tone[..., None] * person.palette.hair
    colour += gloss[..., None]
    if style.shading:
        colour *= np.clip(lit.light, 0.35, 1.35)
    return colour, streaks


def wispy(mask: Mask, streaks: Floats, soft: float) -> Mask:
    """Fray the edge of a mask along the strands."""
    size = mask.shape[0]
    near = blur(mask, soft, size).astype(np.float32) * np.float32(1 / 255)
    ragged = np.float32(2.2) * (near - 0.5) + 0.5 + near * (1 - near) * 1.6 * streaks
    return cv2.convertScaleAbs(np.clip(ragged, 0, 1), alpha=255)


def paint_flyaway(canvas: Canvas, person: Person, rng: np.random.Generator) -> None:
    """Single hairs that leave the outline; too thin for an annotator."""
    hair, width = person.hair, 0.0016
    if hair.outer is None or width * canvas.size < 0.3:  # nothing would be seen of them
        return
    count = int(rng.integers(4, 16))
    at = rng.integers(0, len(hair.outer) - 2, count)
    length = rng.uniform(0.02, 0.09, (count, 1))
    along = hair.outer[at + 1] - hair.outer[at]
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    out = np.stack([along[:, 1], -along[:, 0]], 1)
    lean = rng.normal(0, 1, (count, 1))
    start = (hair.outer[at] - 0.01 * out)[:, None]
    t = np.linspace(0, 1, 6)[:, None]
    step = (length * out)[:, None] * (1.2 * t - 0.5 * t**2)  # leaves outwards, then bends
    bend = (length * lean * along)[:, None] * (0.6 * t + 0.8 * t**2)
    patch = canvas.patch(start + step + bend, width=width)
    canvas.paint(patch, person.palette.hair * np.float32(rng.uniform(0.7, 1.3)), 0.7)


def paint_hair(
    canvas: Canvas,
    person: Person,
    front: Mask,
    hair: tuple[Floats, Floats],
    style: Style,
    rng: np.random.Generator,
) -> None:
    """The hair before the face, with its shadow on it.

    Args:
        canvas: what is painted on.
        person: whose hair it is.
        front: (size, size) uint8, from `hair_mask`.
        hair: colour and strands, from `hair_picture`.
        style: the distribution.
        rng: how frayed the edge is.
    """
    picture, streaks = hair
    opacity = 0.72 if person.hair.kind == "buzz" else 1.0
    if style.shading:
        shadow = blur(lowered(front, 0.012), 0.012, canvas.size)
        canvas.shade(canvas.full(shadow), np.array([0.66, 0.58, 0.55]), 0.7)
    soft = rng.uniform(0.004, 0.010) if person.hair.kind != "buzz" else 0.014
    canvas.paint(canvas.full(wispy(front, streaks, soft), opacity), picture)
    canvas.labels[front > 127] = _HAIR
