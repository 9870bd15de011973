"""Known mistakes in lesson 13's exercises on label maps: what each gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Mistakes = list[tuple[Any, str]]
    Parts = Sequence[tuple[int, NDArray[np.bool_]]]

_SKIN, _HAIR = 1, 10


def _curve(
    points: Any, start: Any, end: Any, x: Any, height: Any = None, bump: Any = None, **flaws: Any
) -> NDArray[Any]:
    """The parabola of exercise 1; without a height or a flaw it is right."""
    middle, half = (start + end) / 2, (end - start) / 2
    size = float(np.hypot(*half))
    axes = np.array([half, [-half[1], half[0]]]) / size
    centre = flaws.get("centre", middle)
    scale = flaws.get("scale", 1) * size if flaws.get("scale", 1) else 1.0
    u, v = ((points - centre) @ flaws.get("turn", axes.T) / scale).T
    bump = bump or (lambda t: 1 - t**2)
    h = height(u, v) if height else (bump(u) @ v) / (bump(u) @ bump(u))
    drawn = np.stack([x, h * bump(x) if not callable(h) else h(x)], 1)
    if flaws.get("posed"):
        return drawn
    factor = flaws.get("factor", 1) * size if flaws.get("factor", 1) else 1.0
    placed: NDArray[Any] = drawn @ flaws.get("back", axes) * factor + flaws.get("origin", centre)
    return placed


def lid(points: Any, start: Any, end: Any, x: Any) -> NDArray[Any]:
    """The right curve of exercise 1."""
    return _curve(points, start, end, x)


def _quadratic(x: Any, y: Any) -> np.poly1d:
    """The least squares of three coefficients; of fewer points, their smallest."""
    return np.poly1d(np.linalg.lstsq(np.vander(x, 3), y, rcond=None)[0])


def mislaid(points: Any, start: Any, end: Any, x: Any) -> Mistakes:
    """Curves that are not `lid`."""
    middle, half = (start + end) / 2, (end - start) / 2
    across = np.array([half, [-half[1], half[0]]]) / np.hypot(*half)
    given = points, start, end, x

    def b(u: Any) -> Any:
        return 1 - u**2

    def made(height: Any = None, bump: Any = None, **flaws: Any) -> NDArray[Any]:
        return _curve(*given, height, bump, **flaws)

    def free(u: Any, v: Any) -> Any:
        return _quadratic(u, v)

    def cornered(u: Any, v: Any, one: Any = (-1, 0), two: Any = (1, 0)) -> Any:
        return _quadratic([one[0], *u, two[0]], [one[1], *v, two[1]])

    def leaning(u: Any, v: Any) -> Any:
        a, c = np.linalg.lstsq(np.stack([b(u), u * b(u)], 1), v, rcond=None)[0]
        return lambda t: b(t) * (a + c * t)

    def crossed(u: Any, v: Any) -> Any:
        a, c = np.linalg.lstsq(np.stack([b(u), u], 1), v, rcond=None)[0]
        return lambda t: a * b(t) + c * t

    def straight(u: Any, v: Any) -> Any:
        order = np.argsort(u)
        return lambda t: np.interp(t, [-1, *u[order], 1], [0, *v[order], 0])

    right = lid(*given)
    plain = _quadratic(*points.T)
    flat = (middle + np.outer(x, half))[:, 0]
    turned = "the axes turn the wrong way: their rows are the axes, so `@ axes.T` aligns"
    undo = "back into the picture with `@ axes`: the inverse of a turn is its transpose"
    half_s = "s is *half* the distance of the corners"
    ends = "a free parabola misses the corners: it has to be 0 at u = -1 and u = 1"
    least = "this is no least squares: h = Σ b·v / Σ b², with b = 1 - u²"
    return [
        (np.stack([flat, plain(flat)], 1), "this is fitted in the picture: align first"),
        (made(free), ends),
        (made(cornered), f"{ends}; fitting them as points is not enough"),
        (made(leaning), "two numbers are fitted here: h alone"),
        (made(straight), "these are straight lines from point to point: one parabola for all"),
        (
            made(lambda u, v: (v / b(u)).mean()),
            f"{least}; a mean of v / b lets points near the corners shout",
        ),
        (made(lambda u, v: np.median(v / b(u))), f"{least}, not a median"),
        (made(lambda u, v: v[np.abs(v).argmax()]), f"{least}, not the furthest point"),
        (made(lambda u, v: v.max()), f"{least}, not the largest v"),
        (made(lambda u, v: v.min()), f"{least}, not the smallest v"),
        (made(lambda u, v: v.mean()), f"{least}, not the mean of v"),
        (made(lambda u, v: v[len(v) // 2]), f"{least}: all points count, not the middle one alone"),
        (
            made(lambda u, v: (v / b(u))[len(v) // 2]),
            f"{least}: all points count, not the middle one alone",
        ),
        (made(lambda u, v: b(u) @ v / b(u).sum()), "b is squared below the line: Σ b·v / Σ b²"),
        (made(lambda u, v: b(u) @ v / b(u).sum() ** 2), "square first, then sum: Σ b²"),
        (
            made(lambda u, v: v.sum() / b(u).sum()),
            f"{least}; a quotient of plain sums is another fit",
        ),
        (made(lambda u, v: v.sum() / (b(u) @ b(u))), "b is missing above the line: Σ b·v"),
        (made(lambda u, v: b(u) @ v), "divide by Σ b²"),
        (made(lambda u, v: b(u) @ v / len(v)), "divide by Σ b², not by the number of points"),
        (
            made(lambda u, v: (v @ v) / (b(u) @ v)),
            "u and v have changed roles: v is fitted, b is given",
        ),
        (made(lambda u, v: b(u) @ b(u) / (b(u) @ v)), "h stands on its head: Σ b·v / Σ b²"),
        (
            made(lambda u, v: abs(b(u) @ v / (b(u) @ b(u)))),
            "h may be below 0: the upper lid lies there, as y points down",
        ),
        (
            made(lambda u, v: -(b(u) @ v) / (b(u) @ b(u))),
            "the curve lies on the other side of the corners: a sign",
        ),
        (made(bump=lambda t: t**2), "u² is 0 in the middle: the parabola is 1 - u²"),
        (made(bump=lambda t: 1 + t**2), "1 + u² is never 0: the parabola is 1 - u²"),
        (made(bump=lambda t: 1 - np.abs(t)), "1 - |u| is a roof: square it"),
        (made(bump=lambda t: (1 - t) ** 2), "(1 - u)² misses a corner: 1 - u²"),
        (
            made(bump=lambda t: np.sqrt(np.clip(1 - t**2, 0, None))),
            "a root makes half an ellipse: 1 - u²",
        ),
        (made(turn=across), turned),
        (made(back=across.T), undo),
        (made(turn=across, back=across.T), turned),
        (made(turn=np.eye(2), back=np.eye(2)), "nothing is turned: u runs from corner to corner"),
        (made(turn=np.eye(2)), "the points are not turned into the pose"),
        (made(back=np.eye(2)), "the curve is not turned back"),
        (made(scale=0, factor=0), "nothing is scaled: in the pose the corners are at -1 and 1"),
        (made(scale=0), "the points are not scaled: divide by s"),
        (made(factor=0), "the curve is not scaled back: times s"),
        (made(scale=2, factor=2), half_s),
        (made(scale=2), half_s),
        (made(factor=2), half_s),
        (made(centre=start + end / 2), "the middle is half of both: brackets, (start + end) / 2"),
        (made(centre=start), "the pose begins in the middle of the corners, not at one of them"),
        (made(centre=end), "the pose begins in the middle of the corners, not at one of them"),
        (made(centre=points.mean(0)), "the middle of the *corners*, not the mean of the points"),
        (made(origin=start), "the curve is put back at a corner: add the middle"),
        (made(origin=0 * middle), "the middle is not added again"),
        (made(centre=0 * middle, origin=middle), "the middle is not taken off the points"),
        (made(centre=start + end), "the middle is half of start + end"),
        (made(posed=True), "this is the curve in the pose: take it back into the picture"),
        (right[:, ::-1], "x stands first, then y"),
        (right.T, "(M, 2): one row for each x"),
        (right[:, 1], "x and y of each point, not y alone"),
        (np.rint(right), "round nothing: label maps are drawn later"),
        (
            _curve(points, end, start, x),
            "start and end have changed places: u = -1 is start (and an angle needs `arctan2`)",
        ),
        (_curve(points, start, end, np.linspace(-1, 1, len(x))), "`x` has no effect"),
        (
            _curve(points, start, end, (np.asarray(x) + 1) / 2),
            "x runs from -1 to 1, as in the pose",
        ),
        (points, "these are the points: the parabola at each x"),
        (
            made(lambda u, v: (1 - u) ** 2 @ v / ((1 - u) ** 2 @ (1 - u) ** 2)),
            "(1 - u)² is not 1 - u²",
        ),
        (
            made(lambda u, v: lambda t: b(u) @ v / (b(u) @ b(u)) * (1 - t) ** 2),
            "(1 - x)² is not 1 - x²",
        ),
        (
            made(lambda u, v: lambda t: 1 - b(u) @ v / (b(u) @ b(u)) * t**2),
            "h multiplies the whole bracket",
        ),
        (
            made(lambda u, v: lambda t: b(u) @ v / (b(u) @ b(u)) - t**2),
            "h multiplies the whole bracket",
        ),
        (
            made(lambda u, v: np.polyfit(b(u), v, 1)[0]),
            "a line in b with a start of its own is fitted: h alone",
        ),
        (made(lambda u, v: b(u) @ v / np.sqrt(b(u) @ b(u))), "no root: Σ b²"),
        (made(lambda u, v: b(u) @ v / b(u).mean() ** 2 / len(v)), "square first, then average: b²"),
        (
            made(lambda u, v: -_quadratic(u, v)[2]),
            "this h is a free parabola's: fit with b = 1 - u²",
        ),
        (made(lambda u, v: b(v) @ u / (b(v) @ b(v))), "u and v have changed places"),
        (made(lambda u, v: 0.0), "this is the straight line between the corners: h is 0 here"),
        (made(lambda u, v: (1 - u) @ v / ((1 - u) @ (1 - u))), "b is 1 - u², not 1 - u"),
        (made(lambda u, v: np.linalg.norm(v) / np.linalg.norm(b(u))), f"{least}, not lengths"),
        (made(lambda u, v: u @ v / (u @ u)), "v is fitted by b = 1 - u², not by u"),
        (made(lambda u, v: u**2 @ v / (u**2 @ u**2)), "v is fitted by b = 1 - u², not by u²"),
        (made(lambda u, v: 2 * (b(u) @ v) / (b(u) @ b(u))), "h has no factor: Σ b·v / Σ b²"),
        (made(lambda u, v: b(u) @ v / (b(u) @ b(u)) / 2), "h has no factor: Σ b·v / Σ b²"),
        (made(lambda u, v: straight(u, v)(0)), f"{least}; all points count, not the middle alone"),
        (made(lambda u, v: np.median(v)), f"{least}, not a median"),
        (made(lambda u, v: (v @ v) / (b(u) @ b(u))), "above the line stands Σ b·v, not Σ v²"),
        (made(lambda u, v: v.sum()), f"{least}, not the sum of v"),
        (made(lambda u, v: (1 - u**4) @ v / ((1 - u**4) @ (1 - u**4))), "b is 1 - u², not 1 - u⁴"),
        (made(lambda u, v: v[0] / b(u[0])), f"{least}: all points count, not the first alone"),
        (made(lambda u, v: v[0]), f"{least}: all points count, not the first alone"),
        (made(lambda u, v: lambda t: b(u) @ v / (b(u) @ b(u)) * (1 + t**2)), "the curve is 1 - x²"),
        (made(lambda u, v: lambda t: b(u) @ v / (b(u) @ b(u)) * t**2), "the curve is 1 - x²"),
        (made(centre=start, origin=middle), "take the *middle* of the corners off the points"),
        (made(scale=2, factor=2, turn=across.T / 2, back=across / 2), half_s),
        *(
            (made(turn=a.T, back=a), "A has the rows (r_x, r_y) and (-r_y, r_x)")
            for a in (
                across * [[1, -1], [1, 1]],
                across[:, ::-1],
                across * [[1, 1], [-1, 1]],
                across[:, ::-1] * [[1, 1], [-1, -1]],
            )
        ),
        *(
            (made(turn=across.T * k, scale=1 / k), "s is the length √(r_x² + r_y²)")
            for k in np.hypot(*half) / [np.abs(half).sum(), np.abs(half).max(), half @ half]
        ),
        (made(turn=2 * across.T, back=2 * across), "r is *half* the difference of the corners"),
        (np.trunc(right), "round nothing: label maps are drawn later"),
        (made(lambda u, v: v[np.abs(u).argmin()]), f"{least}: all points count, not one alone"),
        (made(lambda u, v: b(u) ** 2 @ v / (b(u) ** 2 @ b(u))), f"{least}: one b less in each sum"),
        (
            made(lambda u, v: b(points[:, 0]) @ v / (b(points[:, 0]) @ b(points[:, 0]))),
            "b is of u in the pose, not of x in the picture",
        ),
        (
            made(lambda u, v: _quadratic(u, v)[0]),
            "this h is a free parabola's: fit with b = 1 - u²",
        ),
        (made(crossed), "two numbers are fitted here: h alone"),
        (
            made(lambda u, v: lambda t: b(u) @ v / (b(u) @ b(u)) * (1 - (t / 2) ** 2)),
            "the curve is 1 - x², as x runs from -1 to 1: no half of x",
        ),
        (
            right + np.outer(x, half) - half,
            "from `start`, x = 1 leads two of r: begin at the middle",
        ),
        (
            np.concatenate([[start], right[1:-1], [end]]),
            "the last x need not be 1: leave the ends as they come out",
        ),
        (
            np.stack([flat, cornered(points[:, 0], points[:, 1], start, end)(flat)], 1),
            "fitted in the picture: align first",
        ),
    ]


def fused(
    regions: NDArray[Any],
    parts: Parts,
    order: Sequence[str] = ("skin", "parts", "cover", "hair", "background"),
    **ids: int,
) -> NDArray[np.uint8]:
    """The label map of exercise 2, painted in an order; without one it is right."""
    found = np.zeros(regions.shape, np.uint8)
    for what in order:
        if what == "parts":
            for label, mask in parts:
                found[mask] = label
        elif what == "skin":
            found[np.isin(regions, (1, 3))] = ids.get("skin", _SKIN)
        elif what == "cover":
            found[regions == 3] = ids.get("cover", _SKIN)
        elif what == "hair":
            found[regions == 2] = ids.get("hair", _HAIR)
        else:
            found[regions == 0] = ids.get("background", 0)
    return found


def misfused(regions: NDArray[Any], parts: Parts) -> Mistakes:
    """Label maps that are not `fused`."""
    right, labels = fused(regions, parts), [label for label, _ in parts]
    turned, masks = list(parts)[::-1], [mask for _, mask in parts]
    counted = [(number + 1, mask) for number, mask in enumerate(masks)]
    brows = np.isin(fused(regions, parts, ("parts",)), (2, 3))
    lost = np.where((regions == 2) & ~brows, fused(regions, parts, ("parts",)), right)
    bare = (regions == 3) & ~np.any([np.zeros_like(regions), *masks], axis=0)
    lost = np.where((lost == 0) & (regions == 2), _HAIR, lost)
    found, rows = np.array(regions), np.zeros(regions.shape, np.uint8) + (regions == 1)
    for label, mask in parts:
        found[mask], rows[np.unique(mask.astype(int))] = label, label
    taken = np.where(found == 3, _SKIN, np.where(found == 2, _HAIR, found))
    whose = "2 and 3 are brows once parts are painted: ask `regions`, not what you paint"
    front, under = "parts lie over the hair here: hair is painted after them", "background last"
    glass = "glasses lie over the parts: paint 3 as skin after the parts"
    return [
        (
            fused(regions, parts, ("skin", "cover", "hair", "background", "parts")),
            "parts come last here, over hair and glasses, and stick out of the head",
        ),
        (
            fused(regions, parts, ("background", "skin", "cover", "hair", "parts")),
            "parts come last here, over hair and glasses, and stick out of the head",
        ),
        (fused(regions, parts, ("skin", "hair", "parts", "cover", "background")), front),
        (fused(regions, parts, ("skin", "hair", "parts", "background")), front),
        (fused(regions, parts, ("hair", "skin", "parts", "cover", "background")), front),
        (lost, "hair covers brows alone here: it lies over every part"),
        (fused(regions, parts, ("skin", "parts", "hair", "background")), glass),
        (np.where(bare, 0, fused(regions, parts, ("skin", "parts", "hair", "background"))), glass),
        (fused(regions, parts, ("skin", "cover", "parts", "hair", "background")), glass),
        (fused(regions, parts, cover=0), "behind glasses is the face: 3 becomes skin, 1"),
        (
            fused(regions, parts, cover=3),
            "3 is the region's id, and a brow's in LaPa: glasses become skin, 1",
        ),
        (fused(regions, parts, cover=_HAIR), "glasses become skin, 1, not hair"),
        (
            fused(regions, parts, ("skin", "parts", "cover", "hair")),
            f"a part sticks out of the head: {under}",
        ),
        (
            fused(regions, parts, ("background", "skin", "parts", "cover", "hair")),
            f"a part sticks out of the head: {under}",
        ),
        (
            fused(regions, parts, ("skin", "parts", "cover", "background")),
            "the hair is not painted",
        ),
        (
            fused(regions, parts, ("parts", "cover", "hair", "background")),
            "the skin is not painted",
        ),
        (
            fused(regions, parts, ("parts", "skin", "cover", "hair", "background")),
            "parts have the skin's id, 1: it is painted first, then parts with their own",
        ),
        (fused(regions, parts, ("skin", "cover", "hair", "background")), "no part is painted"),
        (fused(regions, parts, hair=2), "2 is the region's id: hair is 10 in LaPa"),
        (fused(regions, parts, hair=17), "17 is CelebAMask-HQ's hair: 10 in LaPa"),
        (fused(regions, parts, skin=0, cover=0), "the skin is 1"),
        (fused(regions, parts, skin=2, cover=2), "the skin is 1: 2 is a brow"),
        (fused(regions, parts, background=255), "the background is 0, not 255"),
        (
            fused(regions, turned),
            "the parts are painted in the wrong order: the last of the list lies on top",
        ),
        (fused(regions, parts[:1]), "only the first part is painted"),
        (fused(regions, parts[-1:]), "only the last part is painted: keep what the others left"),
        (fused(regions, counted), "parts have the ids that the list names, not their place in it"),
        (
            fused(regions, [(n - 1, mask) for n, mask in counted]),
            "parts have the ids that the list names, not their place in it",
        ),
        (
            fused(regions, list(zip(labels[::-1], masks, strict=True))),
            "ids and masks are paired wrongly",
        ),
        (fused(regions, [(label, ~mask) for label, mask in parts]), "the masks are inverted"),
        (regions, "these are the regions: paint skin, parts, what covers them, hair, background"),
        (fused(regions, parts, ("parts",)), "these are the parts alone"),
        (
            sum((label * mask for label, mask in parts), np.zeros(regions.shape, int)),
            "overlapping parts are added: what comes later takes the pixel",
        ),
        (
            np.where(regions == 1, fused(regions, parts, ("parts",)), fused(regions, ())),
            "skin between the parts became background",
        ),
        (taken, whose),
        (np.where(regions == 0, 0, taken), whose),
        (
            np.where(regions == 0, 0, np.where(regions == 1, rows, right)),
            "a mask is True or False: whole numbers would name rows",
        ),
    ]
