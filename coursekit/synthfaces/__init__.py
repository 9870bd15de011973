"""Procedural faces: the data that the course embeds.

`render(seed, index, size)` draws one person from nothing but those three numbers: a photograph,
its 19-class label map in CelebAMask-HQ's convention, and the 106 landmarks of LaPa, all from one
geometry. The same numbers give the same bytes in any process, in any order and on any number of
threads; the same face at another size is the same face.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import DTypeLike, NDArray

from coursekit.labels import CELEBAMASK_HQ
from coursekit.synthfaces.camera import photograph
from coursekit.synthfaces.canvas import Canvas, Points, to_pixels
from coursekit.synthfaces.config import Style
from coursekit.synthfaces.face import paint_person
from coursekit.synthfaces.noise import NOISE_KINDS, add_label_noise, kinds_of_noise
from coursekit.synthfaces.person import RARE, Person, Streams, draw_person
from coursekit.synthfaces.textures import background

__all__ = ["NOISE_KINDS", "Attributes", "Style", "SynthFace", "kinds_of_noise", "render"]

MIN_SIZE = 16
_NEIGHBOURS = 4  # places around the target where `crowd` may put another face

# (√(n² + 4) − n) / 2 for n = 1, 2, 3, 5: their continued fractions are all n's.
_RATIOS = (0.6180339887498949, 0.41421356237309515, 0.30277563773199456, 0.19258240356725187)

# The random stream of each part is keyed by its place here, so a change to how one part draws
# leaves all others as they were. Append; never re-order.
_PARTS = (
    "person", "shape", "expression", "pose", "hair", "body", "glasses", "hat", "earrings",
    "palette", "light", "relief", "skin", "cloth", "necklace", "features", "frame", "strands",
    "outline", "felt", "metal", "background", "camera", "label_noise", "crowd",
    "fringe",
    "grain",
    "luck",
)  # fmt: skip


@dataclass(frozen=True)
class Attributes:
    """What is known of a face because it was drawn.

    Attributes:
        yaw, pitch, roll: degrees; yaw > 0 turns the nose to the image's right, pitch > 0 lowers
            it, roll > 0 turns the head clockwise in the image.
        mouth_open: whether the inner mouth is seen.
        glasses: `"clear"`, `"sunglasses"` or None.
        hat: `"cap"`, `"beanie"`, `"brim"`, `"scarf"` or None.
        hair: `"bald"`, `"buzz"`, `"short"`, `"bob"`, `"long"` or `"updo"`.
        beard: `"stubble"`, `"full"`, `"goatee"`, `"moustache"` or None.
        earrings, necklace, cloth: whether the person wears any (hair may still hide them).
        neighbours: how many other faces stand near.
        label_noise: the kinds of `NOISE_KINDS` that changed `label_map`.
    """

    yaw: float
    pitch: float
    roll: float
    mouth_open: bool
    glasses: str | None
    hat: str | None
    hair: str
    beard: str | None
    earrings: bool
    necklace: bool
    cloth: bool
    neighbours: int
    label_noise: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class SynthFace:
    """One drawn face; unpacks as `image, label_map, landmarks`.

    Attributes:
        image: (size, size, 3) uint8 RGB.
        label_map: (size, size) uint8, ids 0-18 of `CELEBAMASK_HQ`; noisy if noise was asked for.
        clean_label_map: the same without label noise.
        landmarks: (106, 2) float32 pixel coordinates x, y; **pixel centres are at integers**, so
            the frame spans [-0.5, size - 0.5]. The order is that of `coursekit.landmarks`; points
            of eyes, lips and inner mouth are the corners of the regions in the label map: a pixel
            belongs to the region when its centre lies inside the polygon. Points behind hair or
            out of the frame are given where they would be.
        landmarks_visible: (106,) bool: not out of the frame, and not behind hair, a hat, an
            earring or dark glasses. The jaw of a turned face is the outline that is seen, so a turn
            hides no point.
        visible: for the class names of brows, eyes, nose, mouth, lips and glasses, the share in
            [0, 1] of the part's pixels that nothing covers; a part that is absent (a closed
            mouth, eyes behind dark glasses) has 0. 1 means: not occluded.
        attributes: what was drawn.
    """

    image: NDArray[np.uint8]
    label_map: NDArray[np.uint8]
    clean_label_map: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    landmarks_visible: NDArray[np.bool_]
    attributes: Attributes
    visible: Mapping[str, float] = field(repr=False)

    def __iter__(self) -> Iterator[NDArray]:
        """Give image, label map and landmarks, for `image, label_map, landmarks = render(...)`."""
        yield from (self.image, self.label_map, self.landmarks)


class _Words(ISeedSequence):
    """Words that were drawn from a `SeedSequence` before: four for the generator of one part."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint64) -> NDArray[np.uint64]:
        return self.words


def _streams(seed: int, index: int, lane: int) -> Streams:
    """One independent random stream for each part of one person.

    A `SeedSequence` for each of two dozen parts would cost a tenth of a picture of 128²; one for
    all of them, read four words at a time, does not.
    """
    source = np.random.SeedSequence([seed, index], spawn_key=(lane,))
    words = source.generate_state(4 * len(_PARTS), np.uint64).reshape(-1, 4)

    def stream(part: str) -> np.random.Generator:
        seed_words = _Words(words[_PARTS.index(part)])  # NumPy's stubs forget ISeedSequence
        return np.random.Generator(np.random.PCG64(seed_words))  # type: ignore[arg-type]

    return stream


def _luck(seed: int, index: int) -> Mapping[str, float]:
    """A number in [0, 1) for each of `RARE`, even over any run of indices.

    Were they independent, one data set of 200 faces would have twice the hats of the next. They
    are multiples of numbers that no fraction comes near, the golden ratio and its kin, modulo 1.
    """
    return {
        name: (0.5 + 0.7548776662466927 * seed * (k + 1) + ratio * (index + 1)) % 1
        for k, (name, ratio) in enumerate(zip(RARE, _RATIOS, strict=True))
    }


def _check(seed: int, index: int, size: int, **knobs: float) -> None:
    for name, value in (("seed", seed), ("index", index), ("size", size)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise ValueError(f"{name} must be a whole number, not {value!r}; pass an int")
    for name, value in (("seed", seed), ("index", index)):
        if value < 0:
            raise ValueError(f"{name} must not be negative, not {value}; pass {name}={-value}")
    if size < MIN_SIZE:
        raise ValueError(
            f"size must be at least {MIN_SIZE} pixels, not {size}; pass size={MIN_SIZE}"
        )
    for name, knob in knobs.items():
        number = isinstance(knob, int | float | np.integer | np.floating)
        if not number or not 0 <= knob <= 1:
            raise ValueError(
                f"{name} must lie in [0, 1], not {knob!r}; 0 turns it off, 1 is its full strength"
            )


def _neighbours(
    canvas: Canvas,
    seed: int,
    index: int,
    target: Person,
    style: Style,
    crowd: float,
    rng: np.random.Generator,
) -> int:
    """Paint other people beside and behind the target; they stay background in the labels."""
    count = 0
    for lane in range(1, _NEIGHBOURS + 1):
        present = rng.random() < crowd
        scale, side = rng.uniform(0.35, 0.85), -1.0 if lane % 2 else 1.0
        x, y = 0.5 + side * rng.uniform(0.36, 0.62), rng.uniform(0.2, 0.85)
        if not present:
            continue
        place = np.array([[scale, 0, x - 0.5 * scale], [0, scale, y - 0.5 * scale]])
        streams = _streams(seed, index, lane)
        luck = dict(zip(RARE, streams("luck").random(len(RARE)).tolist(), strict=True))
        person = draw_person(streams, style, luck, target.light, place)
        paint_person(canvas, person, streams, style)
        count += 1
    canvas.labels[:] = 0
    canvas.drawn.clear()
    return count


def _visible(canvas: Canvas) -> Mapping[str, float]:
    names = ("nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip", "l_lip")
    counts = np.bincount(canvas.labels.ravel(), minlength=CELEBAMASK_HQ.num_classes)
    shares = {}
    for name in names:
        label = CELEBAMASK_HQ.index(name)
        drawn = canvas.drawn.get(label, 0)
        shares[name] = float(counts[label] / drawn) if drawn else 0.0
    return shares


def _seen(canvas: Canvas, points: Points, unit: float) -> NDArray[np.bool_]:
    """Which of (106, 2) pixel coordinates are neither covered nor out of the frame.

    What covers a point on an outline is looked for just inside of it.
    """
    inwards = points.mean(0) - points
    inwards /= np.maximum(np.linalg.norm(inwards, axis=1, keepdims=True), 1e-9)
    last = canvas.size - 1
    column, row = np.rint(points + 0.04 * unit * canvas.size * inwards).clip(0, last).astype(int).T
    in_frame = ((points >= -0.5) & (points <= last + 0.5)).all(1)
    return in_frame & ~canvas.covered[row, column]


def _attributes(person: Person, neighbours: int, noise: tuple[str, ...]) -> Attributes:
    head, glasses = person.head, person.glasses
    return Attributes(
        yaw=head.yaw,
        pitch=head.pitch,
        roll=head.roll,
        mouth_open=head.mouth_open > 0,
        glasses=None if glasses is None else "sunglasses" if glasses.dark else "clear",
        hat=None if person.hat is None else person.hat[0],
        hair=person.hair.kind,
        beard=person.beard,
        earrings=bool(person.earrings),
        necklace=person.body.necklace is not None,
        cloth=person.body.cloth is not None,
        neighbours=neighbours,
        label_noise=noise,
    )


def render(
    seed: int,
    index: int,
    size: int,
    *,
    label_noise: float = 0.0,
    crowd: float = 0.0,
    shift: float = 0.0,
    style: Style | None = None,
) -> SynthFace:
    """Draw one face.

    Args:
        seed: which data set, >= 0.
        index: which face of it, >= 0.
        size: side of the square frame in pixels, >= 16.
        label_noise: probability in [0, 1] of each kind in `NOISE_KINDS`, independently. It changes
            `label_map` alone: image, landmarks and `clean_label_map` stay.
        crowd: probability in [0, 1] that each of four places beside the target holds another
            face. Other faces are background in the label map, as in CelebAMask-HQ.
        shift: 0 for the default distribution, 1 for the hardest: wider turns of the head, crops
            off the aligned one, more glasses and hats, stronger light, colour, blur and noise.
        style: the distribution to draw from; the default one when None.

    Returns:
        The face; see `SynthFace` for shapes and conventions.

    Raises:
        ValueError: when an argument is out of its range; the message names it and the mend.
    """
    _check(seed, index, size, label_noise=label_noise, crowd=crowd, shift=shift)
    style = (Style() if style is None else style).shifted(shift)
    seed, index, size = int(seed), int(index), int(size)
    streams = _streams(seed, index, 0)
    person = draw_person(streams, style, _luck(seed, index))
    palette = person.palette
    behind = background(
        streams("background"), size, style.background_clutter, (palette.hair, palette.skin)
    )
    canvas = Canvas(size, behind)
    neighbours = 0
    if crowd > 0:
        neighbours = _neighbours(canvas, seed, index, person, style, crowd, streams("crowd"))
    paint_person(canvas, person, streams, style)
    image = photograph(canvas.image, streams("camera"), style)
    noisy, kinds = add_label_noise(canvas.labels, canvas.bare, label_noise, streams("label_noise"))
    landmarks: Points = to_pixels(person.head.landmarks, size)
    return SynthFace(
        image,
        noisy,
        canvas.labels,
        landmarks.astype(np.float32),
        _seen(canvas, landmarks, person.head.unit),
        _attributes(person, neighbours, kinds),
        _visible(canvas),
    )
