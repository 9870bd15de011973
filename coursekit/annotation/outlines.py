"""From 106 points to the outlines of the parts, category by category (the paper's Section 3.2).

    eyes, inner mouth    two parabolas, above and below
    brows, lips' rim     a smoothed polygon
    nose                 a left and a right half, each in pieces: bridge, base, wing
    jaw                  a smoothed line, closed over the forehead

The subject's left parts are fitted as right ones in a mirror, so both sides of a face are treated
alike. Parabolas are fitted in the part's standard pose; smoothing gives the same in any pose.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from coursekit.annotation.curves import Points, Pose, signed_area, smoothed, two_parabolas
from coursekit.landmarks import LANDMARK_GROUPS, LANDMARK_MIRROR, LANDMARK_POLYGONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Polygons (N, 2), in pixels, whose union is a part.
Outline = tuple[Points, ...]

#: Parts in the order in which they are painted: what comes later lies over what came before.
PARTS = ("nose", "r_brow", "l_brow", "r_eye", "l_eye", "u_lip", "l_lip", "mouth")

_BRIDGE, _BASE = LANDMARK_GROUPS["nose_bridge"], LANDMARK_GROUPS["nose"]
_CHIN = 16
#: Height of the forehead above the jaw's ends against that of the chin below them, from in front.
_FOREHEAD = 0.55

#: The points of each part, to be joined by straight lines.
_CORNERS: Mapping[str, tuple[tuple[int, ...], ...]] = MappingProxyType(
    {
        "nose": ((*_BRIDGE, *_BASE[5::-1]), (*_BRIDGE, *_BASE[5:])),
        **{name: (corners,) for name, corners in LANDMARK_POLYGONS.items()},
    }
)


def polygons(points: Points) -> dict[str, Outline]:
    """Each part as the polygon of its points, what Fig. 5 shows on its left.

    Args:
        points: (106, 2) x and y in pixels. A part of which a point is NaN is left out.

    Returns:
        Outlines by the names of `PARTS`.
    """
    found = {name: tuple(points[list(c)] for c in _CORNERS[name]) for name in PARTS}
    return {name: outline for name, outline in found.items() if _finite(outline)}


def fitted(points: Points) -> dict[str, Outline]:
    """Each part fitted by the scheme of its category, what Fig. 5 shows on its right.

    Args:
        points: (106, 2) x and y in pixels. A part of which a point is NaN is left out, and so is
            one whose ends are one point.

    Returns:
        Outlines by the names of `PARTS`, each sampled at the same places of every face; the
        samples of a left part are those of the right one in a mirror.
    """
    mirrored = points[list(LANDMARK_MIRROR)] * (-1.0, 1.0)
    right, left = dict(_of_a_side(points)), dict(_of_a_side(mirrored))
    found: dict[str, Outline] = {"nose": (right.pop("nose"), _back(left.pop("nose")))}
    found |= {f"r_{name}": (outline,) for name, outline in right.items()}
    found |= {f"l_{name}": (_back(outline),) for name, outline in left.items()}
    found |= {name: (outline,) for name, outline in _of_the_mouth(points)}
    return {name: found[name] for name in PARTS if name in found and _finite(found[name])}


def face(points: Points) -> Points:
    """The outline of the face: the jaw's line, and half an ellipse over the forehead.

    Landmarks do not say where the forehead ends; what does is a network (`regions`). This is for
    when there is none.

    Args:
        points: (106, 2) x and y in pixels.
    """
    jaw = smoothed(points[list(LANDMARK_GROUPS["jaw"])], 3)
    centre, half = (jaw[0] + jaw[-1]) / 2, (jaw[-1] - jaw[0]) / 2
    up = (centre - points[_CHIN]) * _FOREHEAD
    angle = np.linspace(0, np.pi, 33)[1:-1, None]
    return np.concatenate([jaw, centre + np.cos(angle) * half + np.sin(angle) * up])


def _finite(outline: Outline) -> bool:
    return all(bool(np.isfinite(polygon).all()) for polygon in outline)


def _back(outline: Points) -> Points:
    """Out of the mirror."""
    return outline * (-1.0, 1.0)


def _of_a_side(points: Points) -> Iterator[tuple[str, Points]]:
    """Brow, eye and half of the nose on the subject's right."""
    yield "brow", smoothed(points[list(LANDMARK_GROUPS["r_brow"])], closed=True)
    edges = _edges(points[list(LANDMARK_GROUPS["r_eye"])])
    if edges is not None:
        yield "eye", _closed(*edges)
    bridge, base = points[list(_BRIDGE)], points[list(_BASE[5::-1])]
    yield "nose", np.concatenate([smoothed(bridge), smoothed(base)])


def _of_the_mouth(points: Points) -> Iterator[tuple[str, Points]]:
    """Inner mouth and lips, which share its edges: no pixel between them is lost or taken twice."""
    edges = _edges(points[list(LANDMARK_GROUPS["inner_mouth"])])
    if edges is None:
        return
    rim = points[[*LANDMARK_GROUPS["outer_mouth"], LANDMARK_GROUPS["outer_mouth"][0]]]
    yield "u_lip", np.concatenate([smoothed(rim[:7]), edges[0][::-1]])
    yield "l_lip", np.concatenate([smoothed(rim[6:]), edges[1]])
    yield "mouth", _closed(*edges)


def _closed(upper: Points, lower: Points) -> Points:
    """The outline between two edges that share their ends."""
    return np.concatenate([upper, lower[-2:0:-1]])


def _edges(points: Points) -> tuple[Points, Points] | None:
    """The upper and the lower edge, from corner to corner, of eight points around an opening.

    Args:
        points: (8, 2) a corner, three above, the other corner, three below.
    """
    pose = Pose.of(points[0], points[4])
    if pose is None:
        return None
    aligned = pose.align(points)
    # In a picture that was mirrored without its points, what is called above lies below.
    upright = np.array([1.0, -1.0 if signed_area(aligned) < 0 else 1.0])
    upper, lower = two_parabolas(aligned[1:4] * upright, aligned[5:8] * upright)
    return pose.back(upper * upright), pose.back(lower * upright)
