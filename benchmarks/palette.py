"""Chooses the palette that colour-blind people can read, and measures any palette.

    .venv/bin/python benchmarks/palette.py            measure both palettes of the course
    .venv/bin/python benchmarks/palette.py --search   choose one anew (a minute), print it as code

Two colours are as far apart as CIEDE2000 says (Sharma, Wu and Dalal 2005) for the kind of vision
that tells them apart least: normal vision, protanopia and deuteranopia, simulated by the matrices
of Machado, Oliveira and Fernandes (2009) at full severity. Classes that touch on a face must be
further apart than others; left and right must differ in lightness as well.
"""

from __future__ import annotations

import argparse
import sys
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from coursekit.labels import CELEBAMASK_HQ, PALETTES, LabelSet, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: From linear RGB to linear RGB as it is seen.
VISIONS = {
    "normal vision": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}  # fmt: skip

#: Classes that touch on a face, each with those after it; the background touches all.
NEIGHBOURS = {
    "skin": "nose eye_g l_eye r_eye l_brow r_brow l_ear r_ear u_lip l_lip hair hat ear_r neck_l "
    "neck cloth",
    "nose": "eye_g u_lip",
    "eye_g": "l_eye r_eye l_brow r_brow l_ear r_ear hair",
    "l_eye": "r_eye l_brow",
    "r_eye": "r_brow",
    "l_brow": "r_brow hair hat",
    "r_brow": "hair hat",
    "l_ear": "r_ear hair hat ear_r neck",
    "r_ear": "hair hat ear_r neck",
    "mouth": "u_lip l_lip",
    "u_lip": "l_lip",
    "hair": "hat ear_r neck cloth",
    "ear_r": "neck cloth",
    "neck_l": "neck cloth",
    "neck": "cloth",
}
#: How much further apart neighbours must be than others, the least difference in lightness between
#: left and right, and the least chroma: greys are hard to tell from photographs below them.
_CLOSER, _LIGHTNESS, _CHROMA = 2.0, 25.0, 30.0


def lab(colours: NDArray[np.integer], vision: str) -> NDArray[np.float64]:
    """CIE L*a*b* of colours as somebody sees them.

    Args:
        colours: (N, 3) sRGB in [0, 255].
        vision: one of `VISIONS`.

    Returns:
        (N, 3), under the white of sRGB (D65).
    """
    share = np.asarray(colours, dtype=np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    linear = (linear @ np.array(VISIONS[vision]).T).clip(0, 1)
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
    xyz = linear @ to_xyz.T / to_xyz.sum(1)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def ciede2000(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    """The difference ΔE₀₀ of colours in L*a*b*, whose shapes (…, 3) are broadcast."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(two, -1, 0)
    mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean7 / (mean7 + 25.0**7)))
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1 = np.degrees(np.arctan2(b1, (1 + g) * a1)) % 360
    h2 = np.degrees(np.arctan2(b2, (1 + g) * a2)) % 360
    grey = c1 * c2 == 0
    turn = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    mean_h = np.where(grey, h1 + h2, (h1 + turn / 2) % 360)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (1 - 0.17 * np.cos(np.radians(mean_h - 30)) + 0.24 * np.cos(np.radians(2 * mean_h))
         + 0.32 * np.cos(np.radians(3 * mean_h + 6))
         - 0.20 * np.cos(np.radians(4 * mean_h - 63)))  # fmt: skip
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    mean_c7 = mean_c**7
    bend = -2 * np.sqrt(mean_c7 / (mean_c7 + 25.0**7))
    bend = bend * np.sin(np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2))))
    d_l, d_c = (l2 - l1) / s_l, (c2 - c1) / s_c
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / s_h
    return np.sqrt(d_l**2 + d_c**2 + d_h**2 + bend * d_c * d_h)


def touching(labels: LabelSet = CELEBAMASK_HQ) -> set[tuple[int, int]]:
    """Pairs of ids, the lower first, that touch on a face or are left and right of a part."""
    names = [(a, b) for a, others in NEIGHBOURS.items() for b in others.split()]
    names += [("background", name) for name in labels.names[1:]]
    known = [pair for pair in names if set(pair) <= set(labels.names)]
    pairs = {(labels.index(a), labels.index(b)) for a, b in known} | set(labels.mirror_pairs)
    return {(min(pair), max(pair)) for pair in pairs}


def distances(labels: LabelSet) -> dict[tuple[int, int], tuple[float, str]]:
    """For each pair of classes the least ΔE₀₀ of all kinds of vision, and whose it is."""
    seen = {vision: lab(labels.palette_array(), vision) for vision in VISIONS}
    found = {}
    for a, b in combinations(range(labels.num_classes), 2):
        each = {vision: float(ciede2000(c[a], c[b])) for vision, c in seen.items()}
        vision = min(each, key=lambda name: each[name])
        found[a, b] = (each[vision], vision)
    return found


def lightness_gap(labels: LabelSet) -> float:
    """The least difference in L* between left and right, for all kinds of vision."""
    each = [lab(labels.palette_array(), vision)[:, 0] for vision in VISIONS]
    return float(min(abs(light[a] - light[b]) for light in each for a, b in labels.mirror_pairs))


def search(seed: int = 0, starts: int = 60) -> list[tuple[int, int, int]]:
    """Colours for the 19 classes of which the closest pair is as far apart as we can find.

    From random colours, each class in turn takes the colour that costs least beside the others,
    until none changes; the best of many starts is kept. The background stays black.
    """
    steps = np.arange(0, 256, 17)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    vivid = np.hypot(*lab(grid, "normal vision")[:, 1:].T) >= _CHROMA
    grid = np.concatenate([[[0, 0, 0]], grid[vivid]])
    seen = [lab(grid, vision) for vision in VISIONS]
    rows = [
        np.min([ciede2000(colours[i], colours) for colours in seen], 0) for i in range(len(grid))
    ]
    apart = np.array(rows, np.float32)
    light = np.stack([colours[:, 0] for colours in seen])
    need = np.ones((19, 19))
    for a, b in touching():
        need[a, b] = need[b, a] = _CLOSER
    partner = {a: b for pair in CELEBAMASK_HQ.mirror_pairs for a, b in (pair, pair[::-1])}
    rng, best, kept = np.random.default_rng(seed), 0.0, np.zeros(19, int)
    for _ in range(starts):
        chosen = np.concatenate([[0], rng.choice(len(grid), 18, replace=False)])
        for sharpness in (0.3, 0.6, 1.2, 2.4):
            for _ in range(30):
                before = chosen.copy()
                for i in 1 + rng.permutation(18):
                    others = np.delete(np.arange(19), i)
                    cost = np.exp(-sharpness * apart[:, chosen[others]] / need[i, others]).sum(1)
                    if i in partner:
                        gap = abs(light - light[:, chosen[partner[i]], None]).min(0)
                        cost = cost + 1e3 * (gap < _LIGHTNESS)
                    chosen[i] = cost.argmin()
                if (before == chosen).all():
                    break
        worst = min(apart[chosen[a], chosen[b]] / need[a, b] for a, b in combinations(range(19), 2))
        if worst > best:
            best, kept = worst, chosen
    return [tuple(int(v) for v in grid[c]) for c in kept]


def report(labels: LabelSet) -> str:
    """The closest pairs of a palette, in words."""
    found, near = distances(labels), touching(labels)
    lines = []
    for kind, pairs in (("touching", near), ("all", set(found))):
        (a, b), (value, vision) = min(
            ((pair, found[pair]) for pair in pairs), key=lambda item: item[1][0]
        )
        lines.append(
            f"  closest of {len(pairs)} {kind} pairs: {labels.titles[a]} and {labels.titles[b]}, "
            f"{value:.1f} under {vision}"
        )
    return "\n".join([*lines, f"  left and right: {lightness_gap(labels):.0f} of L* apart"])


def main() -> None:
    """Measure both palettes, or choose one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--search", action="store_true", help="choose one anew")
    if parser.parse_args().search:
        print(*search(), sep="\n")
        return
    for name in PALETTES:
        print(f"{name}\n{report(shown(CELEBAMASK_HQ, name))}")


if __name__ == "__main__":
    main()
