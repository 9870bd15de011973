"""The few faces under data/ are what the renderer draws now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from coursekit.data import SynthDataset, audit

FACES = Path(__file__).parent.parent / "data" / "faces"


def test_the_committed_faces_are_the_renderers() -> None:
    assert audit(FACES).ok
    rendered = SynthDataset(0, 4, 128)
    for index, sample in enumerate(rendered):
        mask = np.array(Image.open(FACES / "train" / "masks" / f"{index}.png"))
        # Another processor may round a boundary the other way; a stale picture differs far more.
        assert (mask != sample.label_map).mean() < 0.002
