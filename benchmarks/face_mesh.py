"""The points of an independent face mesh on a folder of photographs, for photo_landmarks.py.

mediapipe carries its mesh inside the wheel and needs no network. It is a peer, not a dependency,
and asks for older versions of what the course uses, so it gets an environment of its own:

python -m venv MESH && MESH/bin/pip install mediapipe==0.10.21
MESH/bin/python benchmarks/face_mesh.py ROOT/val/images mesh.npz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

#: First of the 106 points → points of the mesh from there on.
COUNTERPARTS = {
    33: (70, 63, 105, 66, 107, 55, 65, 52, 53),  # brows
    42: (336, 296, 334, 293, 300, 283, 282, 295, 285),
    66: (33, 161, 159, 157, 133, 154, 145, 163),  # eyes
    75: (362, 384, 386, 388, 263, 390, 374, 381),
    84: (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),  # mouth
    96: (78, 81, 13, 311, 308, 402, 14, 178),
    104: (468,), 105: (473,),  # pupils
    51: (168,), 54: (4,), 57: (129,), 60: (2,), 63: (358,), 16: (152,),  # nose, chin
}  # fmt: skip


def main() -> int:
    """Write (N, 106, 2) float32 "points", NaN where the mesh has none, and the photos' "names"."""
    import mediapipe

    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    paths = sorted(p for p in Path(sys.argv[1]).iterdir() if p.suffix in (".jpg", ".png"))
    points = np.full((len(paths), 106, 2), np.nan, np.float32)
    settings = {"static_image_mode": True, "refine_landmarks": True}
    with mediapipe.solutions.face_mesh.FaceMesh(**settings, min_detection_confidence=0.1) as mesh:
        for row, path in zip(points, paths, strict=True):
            image = np.asarray(Image.open(path).convert("RGB"))
            found = mesh.process(image).multi_face_landmarks
            if not found:
                continue
            size = np.array([image.shape[1], image.shape[0]])
            there = np.array([(p.x, p.y) for p in found[0].landmark]) * size - 0.5
            for first, numbers in COUNTERPARTS.items():
                row[first : first + len(numbers)] = there[list(numbers)]
    np.savez(sys.argv[2], points=points, names=[p.stem for p in paths])
    seen = int(np.isfinite(points[:, 66, 0]).sum())
    print(f"{sys.argv[2]}: {seen} faces in {len(paths)} photographs")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
