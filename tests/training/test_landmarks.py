"""The landmark objective: its loss, its score, and a run that finds points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from coursekit import checkpoint, create_model
from coursekit.checkpoint import ModelInfo
from coursekit.data import (
    Augmentation,
    FaceDataset,
    Recipe,
    Sample,
    SynthDataset,
    make,
    open_dataset,
)
from coursekit.data.face_crops import Square
from coursekit.data.statistics import describe
from coursekit.errors import CourseError
from coursekit.inference import prepare
from coursekit.labels import CELEBAMASK_HQ
from coursekit.landmark_inference import fit_head, predict_landmarks
from coursekit.landmarks import LANDMARK_SET
from coursekit.models.heatmaps import draw_heatmaps, shared_out, to_map
from coursekit.models.hourglass import HourglassConfig
from coursekit.optim import AveragedCosineConfig
from coursekit.synthfaces import render
from coursekit.training import FitConfig, LandmarkConfig, LandmarkObjective, evaluate, fit

SMALL = {"width": 8, "stem": (4, 8), "depth": 1}


class Fixed(nn.Module):
    """Says the same maps of every image."""

    def __init__(self, maps: Tensor) -> None:
        super().__init__()
        self.maps = nn.Parameter(maps)

    def forward(self, image: Tensor) -> Tensor:
        return self.maps.expand(len(image), -1, -1, -1)


def batch_of(points: Tensor, side: int = 32) -> dict:
    return {"image": torch.zeros(len(points), 3, side, side), "landmarks": points}


@pytest.mark.parametrize("foreground", [0.0, 20.0])
def test_the_loss_is_the_mean_squared_error_of_points_inside(foreground: float) -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(2, 106, 2, generator=generator) * 31
    points[0, :3] = torch.tensor([[-5.0, 3.0], [torch.nan, 1.0], [31.6, 4.0]])
    maps = torch.rand(1, 106, 8, 8, generator=generator)
    total, mass, _ = LandmarkObjective(Fixed(maps), LandmarkConfig(foreground=foreground))(
        batch_of(points)
    )
    expected, count = 0.0, 0
    for face in range(2):
        for k in range(106):
            x, y = points[face, k].tolist()
            if not (-0.5 <= x <= 31.5 and -0.5 <= y <= 31.5):
                continue
            count += 1
            cx, cy = (x + 0.5) / 4 - 0.5, (y + 0.5) / 4 - 0.5
            rows, columns = np.mgrid[:8, :8]
            bell = np.exp(-((columns - cx) ** 2 + (rows - cy) ** 2) / 2)
            expected += ((1 + foreground * bell) * (maps[0, k].numpy() - bell) ** 2).mean()
    assert mass.tolist() == [count] == [209]
    assert float(total.detach()) == pytest.approx(expected, rel=1e-5)


class Likely(Fixed):
    """As a network whose maps say how likely a point is."""

    config = HourglassConfig(likelihood=True)


def test_maps_of_likelihood_are_asked_for_gaussians_and_for_places() -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(2, 106, 2, generator=generator) * 31
    points[0, :2] = torch.tensor([[-5.0, 3.0], [torch.nan, 1.0]])
    maps = shared_out(3 * torch.randn(1, 106, 8, 8, generator=generator))
    model = Likely(maps)
    total, mass, _ = LandmarkObjective(model, LandmarkConfig(distance=0.5))(batch_of(points))
    total.sum().backward()
    assert model.maps.grad is not None
    assert model.maps.grad.isfinite().all()
    expected = 0.0
    rows, columns = np.mgrid[:8, :8]
    for face in range(2):
        for k in range(106):
            x, y = points[face, k].tolist()
            if not (-0.5 <= x <= 31.5 and -0.5 <= y <= 31.5):
                continue
            cx, cy = (x + 0.5) / 4 - 0.5, (y + 0.5) / 4 - 0.5
            bell = np.exp(-((columns - cx) ** 2 + (rows - cy) ** 2) / 2)
            share = maps[0, k].double().numpy() / maps[0, k].double().sum().item()
            expected -= (bell / bell.sum() * np.log(share)).sum()
            off = abs((share * columns).sum() - cx) + abs((share * rows).sum() - cy)
            expected += 0.5 * off
    assert mass.tolist() == [210]
    assert float(total.detach()) == pytest.approx(expected, rel=1e-5)


@torch.no_grad()
def test_the_score_is_the_nme_of_what_the_maps_say() -> None:
    points = torch.rand(1, 106, 2, generator=torch.Generator().manual_seed(1)) * 18 + 6
    maps = draw_heatmaps(to_map(points, (32, 32), (8, 8)), (8, 8))
    objective = LandmarkObjective(Fixed(maps)).eval()
    shift = torch.tensor([2.0, 0.0])
    score = objective.score()
    for wanted in (points, points + shift):
        sums = objective(batch_of(wanted))
        score.update(sums.output, batch_of(wanted))
    box = (points[0].amax(0) - points[0].amin(0)).prod().sqrt()
    assert score.result()["val_nme"] == pytest.approx(float(2 / box) / 2, abs=2e-4)
    empty = objective.score()
    empty.update(sums.output, batch_of(torch.full((1, 106, 2), torch.nan)))
    assert np.isnan(empty.result()["val_nme"])


class Dots(FaceDataset):
    """A white dot on black, which every one of the 106 points is: learnt in seconds."""

    labels, layout, split, labelled, landmarked = CELEBAMASK_HQ, "dots", "train", False, True
    threads = False

    def __init__(self, count: int, first: int = 0) -> None:
        super().__init__()
        self.first, self.names = first, tuple(map(str, range(first, first + count)))

    def sample(self, index: int, *, landmarks: bool = True) -> Sample:
        rng = np.random.default_rng(self.first + index)
        x, y = rng.uniform(6, 26, 2)
        rows, columns = np.mgrid[:32, :32]
        light = 255 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)
        image = np.repeat(light.astype(np.uint8)[..., None], 3, axis=2)
        spread = np.stack(np.divmod(np.arange(106), 11), 1) / 5 - 1  # a face has a size
        return Sample(
            self.names[index], image, None, (spread + np.array([x, y])).astype(np.float32)
        )

    def subset(self, indices: object) -> Dots:
        raise NotImplementedError

    def identity(self) -> dict:
        return {"dots": self.names}


def test_a_run_finds_points_and_its_checkpoint_gives_them_in_the_photo_s_pixels(tmp_path) -> None:
    torch.manual_seed(0)
    model = create_model("hourglass", **SMALL)
    config = FitConfig(
        size=32, epochs=2, batch_size=8, seed=0, cpu=True,
        objective=LandmarkConfig(foreground=20.0),
        plan=AveragedCosineConfig(lr=0.02, average=0.9),
        augmentation=Augmentation(rotation=20, scale=(0.8, 1.2)),
    )  # fmt: skip
    result = fit(model, Dots(64), Dots(8, 1000), config, tmp_path / "run")
    losses = [entry["val_loss"] for entry in result.history]
    assert losses[-1] < 0.8 * losses[0]
    loaded = checkpoint.load(tmp_path / "run" / "model.safetensors")
    assert loaded.info.label_set == LANDMARK_SET
    assert loaded.info.config["num_classes"] == 106
    sample = Dots(1, 2000)[0]
    assert sample.landmarks is not None
    large = np.kron(sample.image, np.ones((3, 3, 1), np.uint8))
    found = predict_landmarks(loaded.model, large, loaded.info, rounds=1)
    assert found.points.shape == (106, 2)
    wanted = (sample.landmarks + 0.5) * 3 - 0.5
    assert np.abs(found.points - wanted).mean() < 12  # of 96 pixels
    assert found.peaks.shape == (106,)
    with pytest.raises(CourseError, match="finds landmarks and draws no label maps"):
        evaluate(loaded.model, SynthDataset(0, 1, 32), loaded.info)


class Seeing(nn.Module):
    """Says where an image is brightest, of every point."""

    def __init__(self) -> None:
        super().__init__()
        self.none = nn.Parameter(torch.zeros(1))

    def forward(self, image: Tensor) -> Tensor:
        light = nn.functional.avg_pool2d(image.mean(1, keepdim=True), 4).clamp_min(0)
        shifts = [torch.roll(light, (k // 11 - 5, k % 11 - 5), (2, 3)) for k in range(106)]
        return torch.cat(shifts, 1) / light.amax()


def test_a_broken_landmark_file_stops_those_alone_who_need_it(tmp_path) -> None:
    make(tmp_path / "faces", Recipe(2, 1, 0, 32, layout="lapa"))
    (tmp_path / "faces" / "train" / "landmarks" / "0.txt").write_text("106\n1 2\n")
    train, val = (open_dataset(tmp_path / "faces", split) for split in ("train", "val"))
    assert train.landmarked
    config = FitConfig(size=16, epochs=1, batch_size=2, cpu=True)
    fit(create_model("unet", 11, widths=(2, 4)), train, val, config)
    assert describe(tmp_path / "faces", 16)["whitening"] is not None
    config = replace(config, objective=LandmarkConfig())
    with pytest.raises(CourseError, match=r"landmarks/0\.txt: states 106 points and holds 1"):
        fit(create_model("hourglass", **SMALL), train, val, config)


def test_a_face_is_looked_at_again_from_near() -> None:
    """Two rounds see the points at a better scale, and come back to the photo's own pixels."""
    info = ModelInfo("hourglass", {}, LANDMARK_SET, 64, (0.0,) * 3, (1.0,) * 3)
    rows, columns = np.mgrid[:160, :240]
    light = 255 * np.exp(-((rows - 91.3) ** 2 + (columns - 100.7) ** 2) / (2 * 9.0**2))
    image = np.repeat(light.astype(np.uint8)[..., None], 3, axis=2)
    middle = 5 * 11 + 5  # the point that no shift moves
    once = predict_landmarks(Seeing(), image, info, rounds=1).points[middle]
    assert np.abs(once - (100.7, 91.3)).max() < 2
    square = Square(40.0, 30.0, 120.0)
    nearer = predict_landmarks(Seeing(), image, info, square, rounds=1).points[middle]
    assert np.abs(nearer - (100.7, 91.3)).max() < 1.5  # of 7.5 a pixel of the map
    cut = prepare(square.cut(image, 64), 64, info.mean, info.std)
    assert cut.shape == (1, 3, 64, 64)
    twice = predict_landmarks(Seeing(), image, info, rounds=2)
    assert np.isfinite(twice.points).all()
    assert twice.peaks.max() <= 1


def test_a_head_is_laid_over_points_of_which_a_third_is_anywhere() -> None:
    rng = np.random.default_rng(0)
    for index in range(8):
        points = render(3, index, 64).landmarks.astype(float)
        unit = np.linalg.norm(points[83] - points[74])
        wrong = rng.permutation(106)[:35]
        spoilt = points.copy()
        spoilt[wrong] = rng.uniform(0, 64, (35, 2))
        off = np.linalg.norm(fit_head(spoilt, np.ones(106)) - points, axis=1) / unit
        assert np.median(off) < 0.15
        assert (off < 0.45).mean() > 0.95  # each is near enough to be looked for there


def test_what_does_not_fit_is_refused() -> None:
    photos = SynthDataset(0, 2, 32)
    model = create_model("hourglass", **SMALL)
    with pytest.raises(CourseError, match="19 maps, and landmarks need 106"):
        LandmarkConfig().check(create_model("unet", widths=(2, 4)), photos, photos)
    photos.landmarked = False
    with pytest.raises(CourseError, match="photos without landmarks"):
        LandmarkConfig().check(model, photos, photos)
    with pytest.raises(CourseError, match="sigma is 0"):
        LandmarkConfig(sigma=0)
    with pytest.raises(CourseError, match="distance is -1"):
        LandmarkConfig(distance=-1)
    with pytest.raises(CourseError, match="objective=LandmarkConfig"):
        fit(model, photos, photos, FitConfig(size=32, cpu=True))
