"""What a lesson builds in the open and what the package holds are the same thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from coursekit import count_parameters, create_model, losses, metrics
from coursekit.grading.source import read_lesson

SOURCES = Path(__file__).parents[2] / "notebooks" / "source"


def answers(name: str) -> dict[str, Any]:
    """The names that the answer cells of a lesson, and the imports before them, define."""
    lesson = read_lesson(SOURCES / f"{name}.py")
    names: dict[str, Any] = {}
    helpers = {"def fit_to", "import torch", "import numpy"}
    for cell in lesson.solved():
        wanted = cell.id in {e.name for e in lesson.exercises} or any(
            cell.source.startswith(h) or f"\n{h}" in cell.source for h in helpers
        )
        if cell.kind == "code" and wanted:
            exec(compile(cell.source, cell.id, "exec", dont_inherit=True), names)
    return names


@pytest.fixture(scope="module")
def unet() -> dict[str, Any]:
    return answers("02_unet")


class TestUNet:
    def test_the_count(self, unet: dict[str, Any]) -> None:
        assert count_parameters(unet["UNet"]()) == 1_941_411

    def test_the_keys_in_their_order(self, unet: dict[str, Any]) -> None:
        mine, theirs = unet["UNet"]().state_dict(), create_model("unet").state_dict()
        assert list(mine) == list(theirs)
        assert [t.shape for t in mine.values()] == [t.shape for t in theirs.values()]

    def test_one_seed_gives_both_the_same_weights(self, unet: dict[str, Any]) -> None:
        torch.manual_seed(3)
        mine = unet["UNet"]().state_dict()
        torch.manual_seed(3)
        theirs = create_model("unet").state_dict()
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)

    @pytest.mark.parametrize(("height", "width"), [(64, 64), (47, 33)])
    def test_the_output(self, unet: dict[str, Any], height: int, width: int) -> None:
        mine, theirs = unet["UNet"](num_classes=11), create_model("unet", num_classes=11)
        theirs.load_state_dict(mine.state_dict())
        image = torch.randn(2, 3, height, width)
        with torch.no_grad():
            torch.testing.assert_close(mine(image), theirs(image))

    def test_the_loss(self, unet: dict[str, Any]) -> None:
        logits, target = torch.randn(2, 19, 8, 8), torch.randint(0, 19, (2, 8, 8))
        weights = losses.class_weights(np.arange(1, 20) * 1000)
        expected = losses.WeightedCrossEntropy(weights)(logits, target)
        got = unet["weighted_cross_entropy"](logits, target, weights)
        torch.testing.assert_close(got, expected)

    def test_the_score(self, unet: dict[str, Any]) -> None:
        matrix = torch.randint(0, 50, (19, 19))
        matrix[7] = matrix[:, 7] = matrix[4] = 0
        assert unet["mean_iou"](matrix) == pytest.approx(metrics.mean_iou(matrix))
