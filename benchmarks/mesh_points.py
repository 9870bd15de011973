"""The points that mediapipe's face mesh finds on photographs: landmarks that we had no hand in.

    uv run --no-project --python 3.11 --with mediapipe==0.10.21 \\
        benchmarks/mesh_points.py --data ROOT --keep FOLDER

It needs NumPy 1, so it runs in an environment of its own and imports nothing of the course. FOLDER
gets one `SPLIT.npz` for each split: `names` and `points`, (N, 478, 2) pixels, centres at whole
numbers. ROOT/SPLIT/images holds the photographs. Nothing is downloaded: the wheel has the network.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import mediapipe
import numpy as np

SUFFIXES = (".jpg", ".jpeg", ".png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--splits", nargs="+", default=["train", "val"])
    asked = parser.parse_args()
    mesh = mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.3
    )
    asked.keep.mkdir(parents=True, exist_ok=True)
    for split in asked.splits:
        names, points, missed = [], [], []
        for path in sorted((asked.data / split / "images").iterdir()):
            if path.suffix.lower() not in SUFFIXES:
                continue
            image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            found = mesh.process(image).multi_face_landmarks
            if not found:
                missed.append(path.stem)
                continue
            shares = np.array([(p.x, p.y) for p in found[0].landmark])
            points.append(shares * image.shape[1::-1] - 0.5)
            names.append(path.stem)
        target = asked.keep / f"{split}.npz"
        np.savez(target, names=np.array(names), points=np.array(points, np.float32))
        print(f"wrote {target}: {len(names)} faces; none found on {len(missed)}: {missed}")


if __name__ == "__main__":
    main()
