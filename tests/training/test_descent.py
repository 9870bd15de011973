"""The steps that follow a landmark network's maps, by ridge regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from coursekit import create_model
from coursekit.checkpoint import ModelInfo
from coursekit.data import SynthDataset
from coursekit.landmarks import LANDMARK_SET
from coursekit.training import descent
from coursekit.training.descent import descend
from tests.training.test_agreement import PLAIN

INFO = ModelInfo("hourglass", {}, LANDMARK_SET, 32, PLAIN.mean, PLAIN.std)
SMALL: dict[str, Any] = {"width": 8, "stem": (4, 8), "depth": 1, "likelihood": True}


def fitted(seed: int, count: int = 4) -> Any:
    """An untrained network and steps that are fitted to rendered faces."""
    torch.manual_seed(0)
    model = create_model("hourglass", **SMALL, descent=2).eval()
    descend(model, INFO, SynthDataset(3, count, 72), seed)
    return model


def test_points_of_new_faces_come_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    def errors(*_: Any) -> np.ndarray:  # each face as a whole, by some 5 % of its box
        return np.random.default_rng(0).normal(0, 0.05, (50, 1, 2)).repeat(106, 1)

    monkeypatch.setattr(descent, "_errors", errors)
    model, off = fitted(0, 60), []
    for index, error in zip(range(12), errors()[::-1], strict=False):
        face = SynthDataset(4, 12, 72).sample(index)
        assert face.landmarks is not None
        start = face.landmarks + error * 35
        found = model.descent(face.image, start)
        off.append([np.linalg.norm(p - face.landmarks, axis=1).mean() for p in (start, found)])
    before, after = np.mean(off, 0)
    assert after < 0.7 * before


def test_a_seed_says_all() -> None:
    first, again, other = (fitted(seed).descent.steps for seed in (0, 0, 1))
    assert first.equal(again)
    assert not first.equal(other)


def test_a_network_without_steps_and_photos_without_points_are_left_alone() -> None:
    plain = create_model("hourglass", **SMALL)
    before = {key: value.clone() for key, value in plain.state_dict().items()}
    descend(plain, INFO, SynthDataset(3, 2, 72))
    assert all(torch.equal(before[key], value) for key, value in plain.state_dict().items())

    class Unknown(SynthDataset):
        def sample(self, index: int, *, landmarks: bool = True) -> Any:
            found = super().sample(index, landmarks=landmarks)
            found.landmarks[7] = np.nan
            return found

    model = create_model("hourglass", **SMALL, descent=1)
    descend(model, INFO, Unknown(3, 2, 72))
    assert not model.descent.steps.any()
