"""Evaluation against loops, where masks are not square and not as large as their photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from coursekit.checkpoint import ModelInfo
from coursekit.data import open_dataset
from coursekit.inference import prepare
from coursekit.labels import CELEBAMASK_HQ
from coursekit.training import evaluate

INFO = ModelInfo("unet", {}, "celebamask-hq", 24, (0.4, 0.5, 0.6), (0.2, 0.3, 0.4))


@pytest.mark.parametrize("sizes", [((26, 58), (13, 29)), ((31, 20), (62, 40)), ((9, 9), (1, 1))])
def test_predictions_are_mapped_back_to_the_masks_own_size(
    tmp_path: Path, sizes: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    rng = np.random.default_rng(0)
    for kind in ("images", "masks"):
        (tmp_path / "train" / kind).mkdir(parents=True)
    for name in ("a", "b"):
        photo = rng.integers(0, 256, (*sizes[0], 3), np.uint8)
        Image.fromarray(photo).save(tmp_path / "train" / "images" / f"{name}.png")
        mask = rng.choice([0, 1, 5, 18, 255], sizes[1]).astype(np.uint8)
        Image.fromarray(mask).save(tmp_path / "train" / "masks" / f"{name}.png")
    torch.manual_seed(0)
    network = nn.Conv2d(3, 19, 3, padding=1).eval()
    dataset = open_dataset(tmp_path, "train")
    expected = np.zeros((19, 19), np.int64)
    for sample in dataset:
        assert sample.label_map is not None
        height, width = sample.label_map.shape
        with torch.no_grad():
            logits = network(prepare(sample.image, 24, INFO.mean, INFO.std))  # (1, 19, 24, 24)
        for y in range(height):
            for x in range(width):
                if sample.label_map[y, x] == 255:
                    continue
                # The pixel's centre in the square, in grid_sample's −1 to 1.
                at = torch.tensor([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1])
                seen = F.grid_sample(
                    logits, at.view(1, 1, 1, 2), padding_mode="border", align_corners=False
                )
                expected[sample.label_map[y, x], int(seen.argmax())] += 1
    scored = evaluate(network, dataset, INFO)
    assert scored.names == CELEBAMASK_HQ.names
    assert scored.matrix.sum() == expected.sum()
    # A tie of two classes may fall either way by rounding.
    assert np.abs(scored.matrix.numpy() - expected).sum() <= 2
