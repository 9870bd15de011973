"""One head in three dimensions: 106 points, outlines of the other parts, pose and crop.

Head coordinates have the distance between the eye centres as their unit and its middle as their
origin: x to the image's right, y down, z towards the viewer. A pose turns the head about a point
between the ears, and the crop puts eyes and mouth where CelebA-HQ's alignment puts them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from coursekit.landmarks import LANDMARK_MIRROR, LANDMARK_POLYGONS
from coursekit.synthfaces.canvas import Points, clamp, smooth_curve
from coursekit.synthfaces.config import Style

# fmt: off
# The mean face, right half of the image: point index -> (x, y, z). Measured so that the projected
# polygons have the mean place and area of CelebAMask-HQ's parts.
_TEMPLATE = {
    # brow: inner top, upper edge, outer, lower edge inwards, inner bottom
    42: (0.20, -0.325, 0.14), 43: (0.38, -0.37, 0.12), 44: (0.56, -0.375, 0.05),
    45: (0.73, -0.32, -0.10), 46: (0.89, -0.20, -0.30), 47: (0.74, -0.245, -0.10),
    48: (0.56, -0.285, 0.05), 49: (0.38, -0.275, 0.12), 50: (0.21, -0.24, 0.14),
    # nose bridge and outline
    51: (0.0, -0.08, 0.16), 52: (0.0, 0.15, 0.30), 53: (0.0, 0.37, 0.45), 54: (0.0, 0.56, 0.58),
    60: (0.0, 0.77, 0.32), 61: (0.10, 0.745, 0.30), 62: (0.24, 0.71, 0.20),
    63: (0.315, 0.58, 0.14), 64: (0.23, 0.38, 0.20), 65: (0.155, -0.05, 0.10),
    # eye: inner corner, upper lid, outer corner, lower lid inwards, centre; pupil
    75: (0.32, 0.025, 0.0), 76: (0.405, -0.055, 0.06), 77: (0.51, -0.082, 0.07),
    78: (0.61, -0.055, 0.02), 79: (0.69, 0.01, -0.12), 80: (0.61, 0.05, 0.0),
    81: (0.51, 0.065, 0.05), 82: (0.41, 0.055, 0.05), 83: (0.505, -0.005, 0.07),
    105: (0.505, -0.008, 0.09),
    # mouth: outer and inner contour
    87: (0.0, 0.975, 0.31), 88: (0.11, 0.945, 0.31), 89: (0.29, 1.01, 0.22),
    90: (0.43, 1.07, 0.03), 91: (0.29, 1.20, 0.18), 92: (0.14, 1.26, 0.25),
    93: (0.0, 1.275, 0.27), 98: (0.0, 1.08, 0.30), 99: (0.18, 1.075, 0.25),
    100: (0.375, 1.073, 0.07), 101: (0.18, 1.082, 0.23), 102: (0.0, 1.086, 0.27),
}
_JAW = np.array([  # chin to temple
    (0.0, 1.79, 0.12), (0.28, 1.74, 0.08), (0.58, 1.52, -0.12), (0.84, 1.14, -0.42),
    (0.97, 0.68, -0.75), (1.045, 0.22, -0.95), (1.05, -0.08, -0.98),
])
_FACE_RELIEF = np.array([  # bulges that form the outline of a turned face
    (0.62, 0.45, -0.02), (0.70, -0.22, 0.0), (0.50, -0.62, 0.06), (0.0, -0.62, 0.15),
    (0.84, -0.55, -0.30), (0.72, -0.95, -0.30), (0.36, -1.05, -0.08), (0.0, -1.08, -0.02),
    (0.40, -1.40, -0.45), (0.0, -1.46, -0.40), (0.93, -0.60, -0.72), (0.70, -1.15, -0.62),
    (0.30, 1.62, 0.12), (0.0, 1.62, 0.20), (0.80, 0.80, -0.25),
])
_EAR = np.array([  # in the ear's own plane: outwards, down
    (0.0, -0.26), (0.09, -0.38), (0.21, -0.41), (0.30, -0.31), (0.32, -0.12), (0.27, 0.08),
    (0.20, 0.22), (0.15, 0.33), (0.07, 0.38), (0.0, 0.30),
])
# fmt: on

SKULL_CENTRE = np.array([0.0, -0.32, -0.95])
SKULL_AXES = np.array([1.10, 1.34, 1.30])
_PIVOT = np.array([0.0, 0.25, -1.0])


def _mean_face() -> Points:
    points = np.full((106, 3), np.nan)
    for index, position in _TEMPLATE.items():
        points[index] = position
    jaw = smooth_curve(_JAW, 8, closed=False)
    steps = np.r_[0, np.cumsum(np.linalg.norm(np.diff(jaw, axis=0), axis=1))]
    along = np.linspace(0, steps[-1], 17)
    points[16:33] = np.stack([np.interp(along, steps, jaw[:, k]) for k in range(3)], 1)
    mirrored = points[list(LANDMARK_MIRROR)] * (-1, 1, 1)
    return np.where(np.isnan(points), mirrored, points)


MEAN_FACE = _mean_face()
# Which points belong to what. Slices where they can be: a slice is a view.
_JAW_LINE, _BROWS, _NOSE, _MOUTH = slice(0, 33), slice(33, 51), slice(51, 66), slice(84, 104)
_UPPER, _LOWER, _LIDS = slice(85, 90), slice(91, 96), (slice(66, 74), slice(75, 83))
_EYES = np.array([*range(66, 84), 104, 105])
#: Where curved outlines keep a corner, in drawing order; brows have none.
_SHARP = {
    "r_brow": (), "l_brow": (), "r_eye": (66, 70), "l_eye": (75, 79), "mouth": (96, 100),
    "u_lip": (84, 90, 100, 96), "l_lip": (90, 84, 96, 100),
}  # fmt: skip


@dataclass(frozen=True)
class Head:
    """A posed, cropped head.

    Attributes:
        landmarks: (106, 2) unit coordinates.
        face: (N, 2) outline of the skin of the face, forehead included.
        nose: polygons (N, 2) whose union is the nose.
        ears: for `l` and `r` (the subject's), the outline and whether it lies before the cheek.
        yaw, pitch, roll: degrees; yaw > 0 turns the nose to the image's right.
        unit: length of one head unit in the frame.
        mouth_open: height of the mouth's opening in head units; 0 when closed.
        eyes_open: 1 for the mean opening, 0 for closed lids.
    """

    landmarks: Points
    face: Points
    nose: tuple[Points, ...]
    ears: dict[str, tuple[Points, bool]]
    yaw: float
    pitch: float
    roll: float
    unit: float
    mouth_open: float
    eyes_open: float
    smile: float
    width: float
    rotation: Points = field(repr=False)
    crop: Points = field(repr=False)
    curved: bool = False

    def part(self, name: str) -> Points:
        """The outline (N, 2), in unit coordinates, of a part named in `LANDMARK_POLYGONS`."""
        corners = LANDMARK_POLYGONS[name]
        outline = self.landmarks[list(corners)]
        return _bent(outline, [corners.index(p) for p in _SHARP[name]]) if self.curved else outline

    def project(self, points: Points) -> Points:
        """Head coordinates (N, 3), or (N, 2) on the plane of the face, as unit coordinates."""
        points = np.asarray(points, dtype=np.float64)
        if points.shape[1] == 2:
            points = np.concatenate([points, np.full((len(points), 1), -0.3)], axis=1)
        turned = (points - _PIVOT) @ self.rotation.T + _PIVOT
        return turned[:, :2] @ self.crop[:, :2].T + self.crop[:, 2]

    def around(self, points: Points) -> Points:
        """Skull coordinates (N, 2) as unit coordinates: the skull's outline is the unit circle.

        They turn with the head's roll but not with its yaw, as the outline of hair does.
        """
        centre = self.project(SKULL_CENTRE[None])[0]
        turn = np.array([[self._cos, -self._sin], [self._sin, self._cos]])
        scale = self.unit * np.array([SKULL_AXES[0] * self.width, SKULL_AXES[1]])
        return (np.asarray(points) * scale) @ turn.T + centre

    def skull(self) -> Points:
        """The outline of the skull without hair, (48, 2) unit coordinates.

        A turned ellipsoid's outline is an ellipse; its matrix is a block of R A² Rᵀ.
        """
        axes = SKULL_AXES * (self.width, 1, 1)
        matrix = (self.rotation @ np.diag(axes**2) @ self.rotation.T)[:2, :2]
        angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        ring = np.stack([np.cos(angle), np.sin(angle)], 1) @ np.linalg.cholesky(matrix).T
        centre = ((SKULL_CENTRE - _PIVOT) @ self.rotation.T + _PIVOT)[:2]
        return (ring + centre) @ self.crop[:, :2].T + self.crop[:, 2]

    @property
    def _cos(self) -> float:
        return float(np.cos(np.radians(self.roll)))

    @property
    def _sin(self) -> float:
        return float(np.sin(np.radians(self.roll)))


def _bent(outline: Points, sharp: list[int]) -> Points:
    """A smooth closed curve through the corners of a polygon; those of `sharp` stay corners."""
    if not sharp:
        return smooth_curve(outline, 8)
    ring = np.roll(outline, -sharp[0], axis=0)
    ring = np.concatenate([ring, ring[:1]])
    ends = [(place - sharp[0]) % len(outline) for place in sharp[1:]] + [len(outline)]
    starts = [0, *ends[:-1]]
    arcs = [
        smooth_curve(ring[a : b + 1], 8, closed=False)[:-1] if b - a > 1 else ring[a:b]
        for a, b in zip(starts, ends, strict=True)
    ]
    return np.concatenate(arcs)


def _rotation(yaw: float, pitch: float, roll: float) -> Points:
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def _shape(rng: np.random.Generator, style: Style, softness: float) -> tuple[Points, float]:
    """The points of one person at rest, and the width of the head against the mean's."""
    spread = style.shape_spread

    def vary(sd: float) -> float:
        return clamp(rng.normal(), -2.2, 2.2) * sd * spread

    p = MEAN_FACE.copy()
    width = 1 + vary(0.05)
    p[_JAW_LINE, 0] *= width
    depth = np.clip((p[_JAW_LINE, 1] - 0.3) / 1.5, 0, 1)
    p[_JAW_LINE, 0] *= 1 + (vary(0.06) - 0.05 * softness) * np.sin(np.pi * depth)
    p[_JAW_LINE, 1] += depth * (vary(0.08) - 0.06 * softness)
    p[_NOSE, 0] *= 0.94 + vary(0.10) - 0.05 * softness
    p[_NOSE, 1] *= 1 + vary(0.06)
    p[_NOSE, 2] *= 1 + vary(0.15)
    p[_MOUTH, 0] *= 1 + vary(0.08)
    p[_MOUTH, 1] += vary(0.05)
    middle = p[98, 1]
    p[_UPPER, 1] += (p[_UPPER, 1] - middle) * (vary(0.22) + 0.08 * softness)
    p[_LOWER, 1] += (p[_LOWER, 1] - middle) * (vary(0.18) + 0.1 * softness - 0.1)
    tilt, lift, thick = vary(0.07) + 0.02, vary(0.04), 1.38 + vary(0.24) - 0.2 * softness
    side = np.sign(p[_BROWS, 0])
    p[_BROWS, 1] += 0.05 + lift + tilt * (np.abs(p[_BROWS, 0]) - 0.55)
    arch = vary(0.03)
    p[_BROWS, 1] -= arch * np.sin(np.pi * (np.abs(p[_BROWS, 0]) - 0.2) / 0.7)
    centre = np.repeat([p[33:42, 1].mean(), p[42:51, 1].mean()], 9)
    line = centre + tilt * (np.abs(p[_BROWS, 0]) - 0.55)
    p[_BROWS, 1] = line + (p[_BROWS, 1] - line) * thick
    p[_BROWS, 0] += side * vary(0.03)
    slant, wide = vary(0.06), 1 + vary(0.06)
    side = np.sign(p[_EYES, 0])
    p[_EYES, 1] += -slant * (np.abs(p[_EYES, 0]) - 0.505)
    p[_EYES, 0] = side * (0.505 + (np.abs(p[_EYES, 0]) - 0.505) * wide)
    p[:, 0] += rng.normal(0, 0.006 * spread, 106) * (np.abs(p[:, 0]) > 0.01)
    p[:, 1] += rng.normal(0, 0.004 * spread, 106)
    return p, width


def _express(
    p: Points, rng: np.random.Generator, style: Style
) -> tuple[Points, float, float, float]:
    """Open or close the mouth and the eyes, smile, raise a brow: (points, mouth, eyes, smile)."""
    p = p.copy()
    is_open = rng.random() < style.open_mouth_share
    wide = rng.random() < 0.10
    smile = rng.beta(2.4, 1.2) if is_open and not wide else rng.beta(1.0, 1.8)
    gap = float(rng.uniform(0.28, 0.5) if wide else rng.uniform(0.065, 0.22)) if is_open else 0.0
    reach = np.abs(p[_MOUTH, 0]) / 0.43
    p[_MOUTH, 0] *= 0.96 + 0.18 * smile - (0.22 if wide else 0.0)
    p[_MOUTH, 1] += 0.14 * smile * (0.4 - reach**2) - 0.02 * smile
    thinner = 1 - 0.22 * smile
    for outer, inner in ((_UPPER, 98), (_LOWER, 102)):
        p[outer, 1] = p[inner, 1] + (p[outer, 1] - p[inner, 1]) * thinner
    drop = np.array([0.0, 0.36, 0.38, 0.36, 0.0])  # how the upper lip shares in the opening
    p[96:101, 1] -= gap * drop
    p[84:91, 1] -= gap * np.array([0.0, 0.32, 0.38, 0.38, 0.38, 0.32, 0.0])
    p[101:104, 1] += gap * np.array([0.57, 0.64, 0.57])
    p[91:96, 1] += gap * np.array([0.53, 0.63, 0.65, 0.63, 0.53])
    if not is_open:  # closed lips meet: the inner mouth has no area at all
        p[[103, 102, 101]] = p[[97, 98, 99]]
    chin = np.clip((p[0:33, 1] - 0.6) / 1.2, 0, 1)
    p[0:33, 1] += 0.55 * gap * chin
    lids = clamp(rng.normal(1.22, 0.22) - 0.25 * smile, 0.35, 1.7)
    if rng.random() < 0.03:
        lids = 0.12
    for eye in _LIDS:
        middle = p[eye, 1].mean()
        p[eye, 1] = middle + (p[eye, 1] - middle) * lids
    raised = rng.normal(0, 0.03)
    p[33:51, 1] -= raised
    gaze = rng.normal(0, 0.035, 2) * (1, 0.3 * lids)
    p[104:106, :2] += gaze
    return p, gap, lids, smile


def _crop(turned: Points, rng: np.random.Generator, style: Style) -> Points:
    """CelebA-HQ's alignment (eyes and mouth corners fix the square) as a (2, 3) affine map."""
    eyes = turned[[74, 83], :2]
    mouth = turned[[84, 90], :2].mean(0)
    across, down = eyes[1] - eyes[0], mouth - eyes.mean(0)
    axis = across + np.array([down[1], -down[0]])
    axis /= np.linalg.norm(axis)
    half = max(np.linalg.norm(across) * 2.0, np.linalg.norm(down) * 1.8)
    half *= np.exp(rng.normal(0, style.scale_jitter))
    centre = eyes.mean(0) + 0.1 * down
    angle = np.radians(rng.normal(0, style.roll_sd))
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = spin @ np.array([[axis[0], axis[1]], [-axis[1], axis[0]]]) / (2 * half)
    shift = 0.5 - turn @ centre + rng.normal(0, style.frame_jitter, 2)
    return np.concatenate([turn, shift[:, None]], axis=1)


def _hull(points: Points) -> Points:
    return cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)


def _visible_jaw(jaw: Points, outline: Points, towards: float) -> Points:
    """Move the jaw points of the side that is turned away out to the face's visible edge."""
    jaw = jaw.copy()
    far = slice(17, 33) if towards > 0 else slice(0, 16)
    start, end = outline, np.concatenate([outline[1:], outline[:1]])
    y = jaw[far, 1][:, None]
    crosses = (start[:, 1] <= y) != (end[:, 1] <= y)  # (points, edges)
    rise = end[:, 1] - start[:, 1]
    slope = (end[:, 0] - start[:, 0]) / np.where(rise == 0, 1, rise)
    x = start[:, 0] + (y - start[:, 1]) * slope
    side = 1.0 if towards > 0 else -1.0
    edge = side * np.where(crosses, side * x, -np.inf).max(1)
    jaw[far, 0] = np.where(crosses.any(1), edge, jaw[far, 0])
    return jaw


def _ears(
    rng: np.random.Generator, project: Callable[[Points], Points], width: float, yaw: float
) -> dict[str, tuple[Points, bool]]:
    """Outlines of both ears; an ear lies before the cheek when its side is turned to the viewer."""
    size, flare = 1.04 + rng.normal(0, 0.1), rng.uniform(0.40, 0.90)
    out = _EAR[:, 0] * size
    ears = {}
    for name, sign in (("l", 1.0), ("r", -1.0)):
        x = sign * (1.04 * width + out * flare * 1.1)
        ear = np.stack([x, 0.31 + _EAR[:, 1] * size, -1.02 - out * (1.2 - flare)], 1)
        ears[name] = (smooth_curve(project(ear), 4), bool(-sign * yaw > 9))
    return ears


def draw_head(
    shape: np.random.Generator,
    expression: np.random.Generator,
    pose: np.random.Generator,
    style: Style,
    softness: float,
    place: Points | None = None,
) -> Head:
    """Draw a person, an expression and a pose.

    Args:
        shape, expression, pose: one random stream each.
        style: the distribution.
        softness: in [0, 1], finer brows, fuller lips and a narrower jaw towards 1.
        place: a (2, 3) affine map of the frame that moves the head elsewhere.
    """
    points, width = _shape(shape, style, softness)
    points, gap, lids, smile = _express(points, expression, style)
    wide = pose.random() < style.wide_yaw_share
    yaw = pose.uniform(-1, 1) * style.wide_yaw if wide else pose.normal(0, style.yaw_sd)
    yaw = clamp(yaw, -55, 55)
    pitch = clamp(pose.normal(0, style.pitch_sd), -25, 25)
    rotation = _rotation(yaw, pitch, 0.0)
    turned = (points - _PIVOT) @ rotation.T + _PIVOT
    crop = _crop(turned, pose, style)
    if place is not None:
        crop = place[:, :2] @ crop
        crop[:, 2] += place[:, 2]

    def project(p: Points) -> Points:
        return ((p - _PIVOT) @ rotation.T + _PIVOT)[:, :2] @ crop[:, :2].T + crop[:, 2]

    relief = _FACE_RELIEF * (width, 1, 1)
    relief = np.concatenate([relief, relief * (-1, 1, 1)])
    landmarks = project(points)
    face = _hull(np.concatenate([project(relief), landmarks[:33], landmarks[51:66]]))
    if abs(yaw) > 4:
        landmarks[:33] = _visible_jaw(landmarks[:33], face, yaw)
    ears = _ears(shape, project, width, yaw)
    lines = [landmarks[51:55], landmarks[60:54:-1], landmarks[60:66]]
    if style.curved:
        lines = [smooth_curve(line, 8, closed=False) for line in lines]
    bridge, right, left = lines
    nose = (
        np.concatenate([right[:0:-1], left]),
        np.concatenate([bridge, right]),
        np.concatenate([bridge, left]),
    )
    unit = float(np.sqrt(abs(np.linalg.det(crop[:, :2]))))
    roll = float(np.degrees(np.arctan2(crop[1, 0], crop[0, 0])))
    return Head(
        landmarks, face, nose, ears, yaw, pitch, roll,
        unit, gap, lids, smile, width, rotation, crop, style.curved,
    )  # fmt: skip
