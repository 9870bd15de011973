"""What the points of a face say of each other, by ridge regression."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coursekit import create_model
from coursekit.data import Augmentation, SynthDataset, Whitening
from coursekit.data.face_crops import FaceCrops
from coursekit.models.heatmaps import read_centres
from coursekit.training import FitConfig, agreement
from coursekit.training.agreement import agree, ridge

PLAIN = Whitening((0.5,) * 3, (0.25,) * 3)


@pytest.mark.parametrize("width", [4, 50])
def test_the_ridge_is_where_its_sum_is_least(width: int) -> None:
    generator = torch.Generator().manual_seed(0)
    known, wanted = (torch.randn(30, n, generator=generator).double() for n in (width, 3))
    found = ridge(known, wanted, 0.7).requires_grad_()
    lost = (known @ found[:-1] + found[-1] - wanted).square().sum() + 0.7 * found.square().sum()
    lost.backward()
    assert found.grad is not None
    assert found.grad.abs().max() < 1e-9


def test_the_ridge_finds_a_linear_function() -> None:
    known = torch.randn(30, 4, generator=torch.Generator().manual_seed(0)).double()
    exact = ridge(known, known @ torch.ones(4, 2).double() + 3, 1e-9)
    torch.testing.assert_close(
        exact, torch.tensor([1.0] * 4 + [3.0])[:, None].expand(5, 2).double()
    )


def test_points_that_are_read_contradict_each_other_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "_VIEWS", 80)
    torch.manual_seed(0)
    model = create_model("hourglass", width=8, stem=(4, 8), depth=1, likelihood=True)
    faces = FaceCrops(SynthDataset(3, 20, 48), 32)
    config = FitConfig(size=32, cpu=True, augmentation=Augmentation())
    agree(model, faces, config, PLAIN)
    assert not model.training
    off: dict[str, list[float]] = {"before": [], "after": []}
    for index in range(20):
        face = faces[index]
        image = torch.from_numpy(face.image / 255).permute(2, 0, 1)[None].float()
        with torch.no_grad():
            maps = model((image - 0.5) / 0.25)
            for name, read in (("before", read_centres), ("after", model.read)):
                off[name].append(np.abs(read(maps)[0][0].numpy() * 4 + 1.5 - face.landmarks).mean())
    assert np.mean(off["after"]) < 0.5 * np.mean(off["before"])  # the mean face, at the least


def test_maps_that_are_read_alone_stay_as_they_are() -> None:
    model = create_model("hourglass", width=8, stem=(4, 8), depth=1)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    agree(model, FaceCrops(SynthDataset(3, 1, 48), 32), FitConfig(size=32, cpu=True), PLAIN)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
