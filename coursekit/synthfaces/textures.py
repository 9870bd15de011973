"""Noise, strands, cloth and backgrounds: pictures without a face in them."""

from __future__ import annotations

import cv2
import numpy as np

from coursekit.synthfaces.canvas import Floats

RGB = Floats


def lattice_noise(rng: np.random.Generator, size: int, cells: int) -> Floats:
    """Smooth noise (size, size) of unit variance at the lattice points, about `cells` waves wide.

    The lattice does not depend on `size`, so a face keeps its texture at every resolution.
    """
    grid = rng.standard_normal((cells, cells), dtype=np.float32)
    return cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)


def fractal_noise(rng: np.random.Generator, size: int, cells: int, octaves: int) -> Floats:
    """A sum of lattice noises whose waves halve in size and in strength, (size, size)."""
    total = rng.standard_normal((cells, cells), dtype=np.float32)
    for octave in range(1, octaves):
        fine = cells << octave
        total = cv2.resize(total, (fine, fine), interpolation=cv2.INTER_CUBIC)
        total += rng.standard_normal((fine, fine), dtype=np.float32) * np.float32(0.5**octave)
    return cv2.resize(total, (size, size), interpolation=cv2.INTER_CUBIC)


def enlarge(picture: Floats, size: int) -> Floats:
    """A square picture (N, N) or (N, N, 3) at another size."""
    if picture.shape[0] == size:
        return picture
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)


def random_colour(
    rng: np.random.Generator, saturation: float = 0.6, low: float = 0.03, high: float = 0.97
) -> RGB:
    """A colour (3,) in [0, 1] of any hue; `saturation` bounds how far it is from grey."""
    value = rng.uniform(low, high)
    hue = rng.uniform(0, 2 * np.pi)
    tint = np.cos(hue + np.array([0.0, -2.094, 2.094])) * rng.uniform(0, saturation)
    return np.clip(value * (1 + tint), 0, 1).astype(np.float32)


def cloth(rng: np.random.Generator, size: int, colour: RGB) -> Floats:
    """A picture (size, size, 3) of cloth: plain, striped, checked or printed, with folds.

    The lower half repeats the upper: no garment reaches over both.
    """
    frame, size = size, min(size, 256)  # cloth is soft: half the pixels serve at 512
    half = (size + 1) // 2
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    folds = fractal_noise(rng, size, 4, 4)[:half] * np.float32(0.16) + 1
    kind = rng.choice(["plain", "plain", "stripes", "checks", "print", "knit"])
    second = random_colour(rng)
    angle, count, share = rng.uniform(0, np.pi), rng.uniform(8, 40), rng.uniform(0.2, 0.6)
    x, y = axis[None, :] * np.float32(count), axis[:half, None] * np.float32(count)
    across, down = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    weight: Floats | None = None
    if kind == "stripes":
        weight = ((across * x + down * y) % 1 < share).astype(np.float32)
    elif kind == "checks":
        weight = ((across * x + down * y) % 1 < share).astype(np.float32)
        weight = 0.5 * (weight + ((across * y - down * x) % 1 < share))
    elif kind == "print":
        weight = (lattice_noise(rng, size, int(count))[:half] > 0.6).astype(np.float32)
    elif kind == "knit":
        weight = 0.15 * lattice_noise(rng, size, 96)[:half]
    if weight is None:
        picture = folds[..., None] * colour
    else:
        picture = (colour + weight[..., None] * (second - colour)) * folds[..., None]
    picture = np.concatenate([picture, picture[: size - half]])
    return enlarge(picture.astype(np.float32, copy=False), frame)


def _letters(rng: np.random.Generator, picture: Floats, size: int) -> None:
    """Rows of large letters, as on the walls that people are photographed before.

    The letters are strokes of our own: fonts differ between versions of OpenCV.
    """
    colour = tuple(float(c) for c in random_colour(rng, 0.8))
    tall = rng.uniform(0.05, 0.22)
    thick = max(1, round(size * tall * rng.uniform(0.08, 0.25)))
    glyphs = [np.stack([rng.integers(0, 3, 5) / 2, rng.integers(0, 4, 5) / 3], 1) for _ in range(5)]
    origin = rng.uniform(-0.2, 0.1, 2)
    strokes = []
    step_x, step_y = tall * rng.uniform(0.7, 1.0), tall * rng.uniform(1.3, 3.0)
    for row in range(int(1.3 / step_y) + 1):
        for column in range(int(1.3 / step_x) + 1):
            if column % 7 > 4:  # the gap between two words
                continue
            corner = origin + np.array([column * step_x, row * step_y])
            stroke = (corner + glyphs[column % 7] * (0.55 * tall, tall)) * size
            strokes.append(np.round(stroke * 16).astype(np.int32))
    cv2.polylines(picture, strokes, False, colour, thick, cv2.LINE_AA, 4)


def _objects(rng: np.random.Generator, picture: Floats, size: int) -> None:
    """Boxes, discs and bars of any colour, as the things in a room or a street."""
    for _ in range(int(rng.integers(3, 14))):
        colour = tuple(float(c) for c in random_colour(rng, 0.7))
        x, y = (rng.uniform(-0.1, 1.1, 2) * size).tolist()
        kind = rng.integers(0, 3)
        if kind == 0:
            half = rng.uniform(0.02, 0.35, 2) * size
            box = cv2.boxPoints(((x, y), tuple((2 * half).tolist()), float(rng.uniform(0, 90))))
            cv2.fillConvexPoly(picture, np.round(box).astype(np.int32), colour, cv2.LINE_AA)
        elif kind == 1:
            radius = int(rng.uniform(0.02, 0.2) * size)
            cv2.circle(picture, (int(x), int(y)), radius, colour, -1, cv2.LINE_AA)
        else:
            end = (rng.uniform(-0.2, 1.2, 2) * size).astype(int).tolist()
            width = max(1, int(rng.uniform(0.01, 0.08) * size))
            cv2.line(picture, (int(x), int(y)), end, colour, width, cv2.LINE_AA)


def _paper(rng: np.random.Generator, familiar: tuple[RGB, ...]) -> Floats:
    """Studio paper, (24, 24, 3): one colour that goes over into another."""
    first = random_colour(rng, 0.5, 0.0, 1.0)
    if rng.random() < 0.22:  # black or white more often than chance has it
        value = rng.uniform(0, 0.08) if rng.random() < 0.5 else rng.uniform(0.85, 1.0)
        first = np.full(3, value, np.float32)
    if rng.random() < 0.18:
        first = familiar[int(rng.integers(len(familiar)))] * np.float32(rng.uniform(0.7, 1.2))
    second = np.clip(first * rng.uniform(0.4, 1.5), 0, 1)
    if rng.random() < 0.4:
        second = random_colour(rng)
    angle = rng.uniform(0, 2 * np.pi)
    axis = np.linspace(-0.5, 0.5, 24, dtype=np.float32)
    ramp = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None] + 0.5
    if rng.random() < 0.25:  # a lamp's pool of light
        x, y = rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.2)
        ramp = np.clip(np.hypot(axis[None, :] - x, axis[:, None] - y) * 1.6, 0, 1)
    return (first + ramp[..., None] * (second - first)).astype(np.float32)


def background(
    rng: np.random.Generator, size: int, clutter: float, familiar: tuple[RGB, ...]
) -> Floats:
    """A background (size, size, 3): studio paper, blurred things, letters, foliage.

    Args:
        rng: the random stream.
        size: pixels.
        clutter: 0 gives plain grey, 1 the whole variety.
        familiar: colours of the person, which the background takes up now and then.
    """
    if clutter == 0:
        return np.full((size, size, 3), 0.5, np.float32)
    kind, focus = rng.random(2)
    blurred = 0.0 if focus < 0.2 else 0.004 if focus < 0.45 else 0.012 if focus < 0.75 else 0.03
    # What is blurred needs few pixels.
    frame, size = size, min(max(48, size // 2) if blurred > 0.01 else size, 256)
    picture = enlarge(_paper(rng, familiar), size)
    if 0.35 < kind < 0.73:
        _objects(rng, picture, size)
    elif 0.73 < kind < 0.88:
        _letters(rng, picture, size)
    elif kind > 0.88:  # foliage
        noise = fractal_noise(rng, size, 6, 5)[..., None]
        picture = picture * (1 + 0.35 * noise) + 0.12 * np.maximum(noise - 0.6, 0)
    stains = np.float32(rng.uniform(0, 0.14)) * fractal_noise(rng, size, 3, 4)
    picture = picture * (1 + stains[..., None])
    if blurred * size > 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), blurred * size)
    return enlarge(np.clip(picture, 0, 1, out=picture), frame)
