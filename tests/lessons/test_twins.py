"""What a lesson builds in the open and what the package holds are the same thing."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from coursekit import count_parameters, create_model, data, losses, metrics, optim
from coursekit.codabench.scoring import score_counts
from coursekit.labels import CELEBAMASK_HQ
from coursekit.synthfaces import Style
from tests.lessons.twins import answers

#: Lesson, the class that it builds, the package's name for it, weights.
NETWORKS = [
    ("02_unet", "UNet", "unet", 1_941_411),
    ("03_deeplabv3plus", "DeepLabV3Plus", "deeplabv3plus", 1_964_394),
    ("04_fastscnn", "FastSCNN", "fastscnn", 1_154_435),
    ("05_segformer", "SegFormer", "segformer", 1_975_683),
]


@pytest.mark.parametrize(("lesson", "kind", "model", "count"), NETWORKS)
class TestNetworks:
    def test_the_count(self, lesson: str, kind: str, model: str, count: int) -> None:
        assert count_parameters(answers(lesson)[kind]()) == count

    def test_the_keys_in_their_order(self, lesson: str, kind: str, model: str, count: int) -> None:
        mine, theirs = answers(lesson)[kind]().state_dict(), create_model(model).state_dict()
        assert list(mine) == list(theirs)
        assert [t.shape for t in mine.values()] == [t.shape for t in theirs.values()]

    @pytest.mark.parametrize(("height", "width"), [(64, 64), (47, 65)])
    def test_the_output(
        self, lesson: str, kind: str, model: str, count: int, height: int, width: int
    ) -> None:
        mine, theirs = answers(lesson)[kind](num_classes=11), create_model(model, num_classes=11)
        theirs.load_state_dict(mine.state_dict())
        image = torch.randn(2, 3, height, width)
        with torch.no_grad():
            torch.testing.assert_close(
                mine.eval()(image), theirs.eval()(image), atol=1e-5, rtol=1e-4
            )


class TestUNet:
    @pytest.fixture
    def unet(self) -> dict[str, Any]:
        return answers("02_unet")

    def test_one_seed_gives_both_the_same_weights(self, unet: dict[str, Any]) -> None:
        torch.manual_seed(3)
        mine = unet["UNet"]().state_dict()
        torch.manual_seed(3)
        theirs = create_model("unet").state_dict()
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)

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


@pytest.fixture(scope="module")
def lesson() -> dict[str, Any]:
    return answers("01_data")


@pytest.fixture(scope="module")
def faces() -> data.SynthDataset:
    return data.SynthDataset(seed=2, length=6, size=48)


class TestData:
    def test_the_counts(self, lesson: dict[str, Any], faces: data.SynthDataset) -> None:
        maps = [faces.label_map(i) for i in range(len(faces))]
        np.testing.assert_array_equal(lesson["count_classes"](maps), data.class_counts(faces))

    @pytest.mark.parametrize("absent", [(), (3, 16)])
    def test_the_weights(self, lesson: dict[str, Any], absent: tuple[int, ...]) -> None:
        counts = np.arange(1, 20) * 1000
        counts[list(absent)] = 0
        expected = losses.class_weights(counts)
        np.testing.assert_allclose(lesson["class_weights"](counts), expected, rtol=1e-5)

    def test_the_whitening(self, lesson: dict[str, Any], faces: data.SynthDataset) -> None:
        expected = data.whitening(faces)
        mean, std = lesson["whitening"]([faces.image(i) for i in range(len(faces))])
        np.testing.assert_allclose(mean, expected.mean)
        np.testing.assert_allclose(std, expected.std)

    def test_the_mirror(self, lesson: dict[str, Any], faces: data.SynthDataset) -> None:
        sample = faces[0]
        mirrored = data.mirror(sample.image, sample.label_map, None, CELEBAMASK_HQ)
        image, label_map = lesson["resize_and_mirror"](sample.image, sample.label_map, 48, True)
        np.testing.assert_array_equal(image, mirrored[0])
        np.testing.assert_array_equal(label_map, mirrored[1])


class TestLosses:
    @pytest.fixture
    def maps(self) -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(0)
        return 3 * torch.randn(2, 7, 9, 8), torch.randint(0, 6, (2, 9, 8))

    def test_weights(self) -> None:
        counts = np.arange(1, 20) * 1000
        expected = losses.inverse_frequency_weights(counts)
        got = np.asarray(answers("06_losses")["inverse_frequency"](counts))
        np.testing.assert_allclose(got / got.sum(), expected, rtol=1e-5)

    @pytest.mark.parametrize("gamma", [0.0, 2.0])
    def test_focal(self, maps: tuple[torch.Tensor, torch.Tensor], gamma: float) -> None:
        got = answers("06_losses")["focal_loss"](*maps, gamma)
        torch.testing.assert_close(got, losses.FocalLoss(gamma)(*maps))

    def test_dice(self, maps: tuple[torch.Tensor, torch.Tensor]) -> None:
        got = answers("06_losses")["soft_dice_loss"](*maps)
        torch.testing.assert_close(got, losses.dice_loss(*maps))

    def test_lovasz(self, maps: tuple[torch.Tensor, torch.Tensor]) -> None:
        got = answers("06_losses")["lovasz_softmax"](*maps)
        torch.testing.assert_close(got, losses.lovasz_softmax(*maps))
        order = torch.tensor([True, False, False, True, True, False])
        got = answers("06_losses")["lovasz_gradient"](order)
        torch.testing.assert_close(got, losses.lovasz_gradient(order))


class TestCompetition:
    @pytest.fixture
    def mine(self) -> dict[str, Any]:
        return answers("08_competition")

    @pytest.fixture
    def counts(self) -> np.ndarray:
        counts = np.random.default_rng(0).integers(0, 90, (5, 19, 19))
        counts[:, 16] = counts[:, :, 16] = counts[2, 4] = counts[3, :, 7] = 0
        return counts

    def test_the_scores_of_2025(self, mine: dict[str, Any], counts: np.ndarray) -> None:
        expected = score_counts(counts, "codabench")
        assert mine["image_scores"](counts).mean() == pytest.approx(expected.score)

    def test_f_of_iou(self, mine: dict[str, Any], counts: np.ndarray) -> None:
        matrix = torch.from_numpy(counts.sum(0))
        got = mine["f_from_iou"](metrics.iou(matrix).numpy())
        np.testing.assert_allclose(got, metrics.f1_score(matrix))


class TestRecipes:
    @pytest.fixture
    def mine(self) -> dict[str, Any]:
        return answers("15_recipes")

    def test_one_cause_of_the_shift(self, mine: dict[str, Any]) -> None:
        every = tuple(field.name for field in dataclasses.fields(Style))
        assert mine["only"](Style(), 0.7, every) == Style().shifted(0.7)
        assert mine["only"](Style(), 0.7, ()) == Style()

    @pytest.mark.parametrize("warmup", [0.0, 0.05, 0.33])
    def test_the_schedule_of_house(self, mine: dict[str, Any], warmup: float) -> None:
        for step in range(37):
            expected = optim.averaged_cosine.warm_cosine(step, 37, 0.02, warmup)
            assert mine["warm_cosine"](step, 37, 0.02, warmup) == pytest.approx(expected)


class TestOptimiser:
    @pytest.fixture
    def mine(self) -> dict[str, Any]:
        return answers("07_optimiser")

    def test_the_cosine(self, mine: dict[str, Any]) -> None:
        for t in range(120):
            assert mine["cosine"](t, 50, 1e-3, 5e-4) == pytest.approx(
                optim.cosine_rate(t, 50, 1e-3, 5e-4)
            )

    @pytest.mark.parametrize("seed", range(5))
    def test_the_machine(self, mine: dict[str, Any], seed: int) -> None:
        config = optim.AdamToSGDConfig(patience=1 + seed)
        machine, pipeline = mine["Machine"](config), optim.Pipeline(config)
        for loss in np.random.default_rng(seed).exponential(1, 200):
            if pipeline.phase == "stopped":
                break
            assert machine.record(float(loss)) == pipeline.record(float(loss))
            assert (machine.phase, machine.rate) == (pipeline.phase, pipeline.rate)
        assert machine.phase == pipeline.phase == "stopped"

    @pytest.mark.parametrize("kind", ["sgd", "adam"])
    def test_the_steps(self, mine: dict[str, Any], kind: str) -> None:
        torch.manual_seed(0)
        theirs = torch.nn.Parameter(torch.randn(5, 3))
        weight, zeros = theirs.detach().clone(), torch.zeros(5, 3)
        if kind == "sgd":
            optimiser: Any = torch.optim.SGD([theirs], 0.1, momentum=0.5, weight_decay=0.01)
        else:
            optimiser = torch.optim.Adam([theirs], 0.1, weight_decay=0.01)
        state = (zeros,) if kind == "sgd" else (zeros, zeros)
        step = mine[f"{kind}_step"]
        for t in range(1, 8):
            gradient = torch.randn(5, 3)
            theirs.grad = gradient.clone()
            optimiser.step()
            rest = (t, 0.1) if kind == "adam" else (0.1,)
            weight, *state = step(weight, gradient, *state, *rest, weight_decay=0.01)
            torch.testing.assert_close(weight, theirs.detach())

    def test_the_pipeline(self, mine: dict[str, Any]) -> None:
        def network() -> torch.nn.Module:
            torch.manual_seed(1)
            return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))

        course = (2 * np.exp(-np.arange(60) / 8)) + np.random.default_rng(0).normal(0, 0.2, 60)
        inputs = torch.randn(9, 3)

        def epoch(model: torch.nn.Module, optimiser: Any) -> float:
            optimiser.zero_grad()
            loss = (model.train()(inputs) - inputs[:, :2]).square().mean()
            loss.backward()
            optimiser.step()
            return loss.item()

        config = optim.AdamToSGDConfig(patience=2)
        one, losses_of_one = network(), iter(course.tolist())
        history = mine["run_pipeline"](
            one, optim.Pipeline(config), epoch, lambda _: next(losses_of_one), 40
        )
        other = network()
        pipeline = optim.AdamToSGD(other, config)
        events = []
        for loss in course[:40].tolist():
            if not pipeline.stopped:
                epoch(other, pipeline)
                events.append(pipeline.end_epoch(loss))
        pipeline.load_best()
        assert [entry["event"] for entry in history] == events
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
            torch.testing.assert_close(a, b)
