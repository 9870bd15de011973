"""The U-Net that the course brings: trained on rendered faces alone, so that anyone may have it.

    python benchmarks/shipped.py --out out/shipped

renders 1,500 faces, trains on them by the recipe `house` (ten minutes of one core), and writes
coursekit/weights/unet_rendered_faces.safetensors, in half precision. No photograph is involved.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from coursekit import checkpoint
from coursekit.checkpoint import SHIPPED, write_tensors

SIZE = "64"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out/shipped"))
    out = parser.parse_args().out
    faces, run = out / "faces", out / "run"
    course = [sys.executable, "-m", "coursekit"]
    if not faces.is_dir():
        made = ["--train", "1500", "--val", "100", "--test", "0", "--size", SIZE, "--seed", "20"]
        subprocess.run([*course, "data", "make", str(faces), *made], check=True)
    if not (run / "scores.json").is_file():
        how = ["--recipe", "house", "--size", SIZE, "--epochs", "15", "--seed", "0", "--cpu"]
        how += ["--resume"] if (run / "state.safetensors").is_file() else []
        call = [*course, "train", "unet", "--data", str(faces), *how, "--out", str(run)]
        subprocess.run(call, check=True)
    loaded = checkpoint.load(run / "model.safetensors")
    halves = {name: tensor.half() for name, tensor in loaded.model.state_dict().items()}
    SHIPPED.parent.mkdir(exist_ok=True)
    write_tensors(SHIPPED, halves, {"kind": "model", "info": asdict(loaded.info)})
    checkpoint.load(SHIPPED)
    print(f"wrote {SHIPPED}: {SHIPPED.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
