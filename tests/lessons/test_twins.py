"""What a lesson builds in the open and what the package holds are the same thing."""

from __future__ import annotations

import copy
import dataclasses
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from coursekit import count_parameters, create_model, data, losses, metrics, optim
from coursekit.codabench.scoring import score_counts
from coursekit.grading.run.assemble import public_notebook, solutions
from coursekit.labels import CELEBAMASK_HQ
from coursekit.lessons.course import whole_lesson
from coursekit.lessons.source import read_lesson
from coursekit.models import ddgcn, decouple
from coursekit.models.abn import ABN
from coursekit.models.dml_csr import SMALL
from coursekit.models.edge_heads import EdgeHeads
from coursekit.optim import aggregation
from coursekit.synthfaces import Style

SOURCES = Path(__file__).parents[2] / "notebooks" / "source"


@cache
def answers(name: str) -> dict[str, Any]:
    """What the answer cells of a lesson define, and the cells that they need."""
    whole = whole_lesson(read_lesson(SOURCES / f"{name}.py"))
    names: dict[str, Any] = {}
    for cell in public_notebook(whole, solutions(whole))["cells"]:
        if cell["id"] not in whole.points:
            source = "".join(cell["source"])
            exec(compile(source, cell["id"], "exec", dont_inherit=True), names)
    return names


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

    def test_one_cause_of_the_shift(self, mine: dict[str, Any]) -> None:
        every = tuple(field.name for field in dataclasses.fields(Style))
        assert mine["only"](Style(), 0.7, every) == Style().shifted(0.7)
        assert mine["only"](Style(), 0.7, ()) == Style()


@pytest.mark.parametrize("merge", ["code", "paper"])
class TestDDGCN:
    @pytest.fixture
    def both(self, merge: str) -> tuple[torch.nn.Module, torch.nn.Module]:
        mine = answers("09_ddgcn")["DDGCN"](20, 16, conva=3, merge=merge)
        theirs = ddgcn.DDGCN(20, 16, conva=3, merge=merge)
        assert list(mine.state_dict()) == list(theirs.state_dict())
        for i, value in enumerate(mine.state_dict().values()):  # λ and γ are 0, and would hide much
            value += 0.2 * torch.randn(value.shape, generator=torch.manual_seed(i)).abs()
        theirs.load_state_dict(mine.state_dict())
        return mine, theirs

    @pytest.mark.parametrize(("height", "width"), [(8, 8), (17, 10), (1, 3)])
    @pytest.mark.parametrize("training", [False, True])
    def test_the_output_and_the_gradients(
        self, both: tuple[torch.nn.Module, ...], height: int, width: int, training: bool
    ) -> None:
        c5 = torch.randn(3, 20, height, width)
        outs, slopes = [], []
        for block in both:
            outs.append(block.train(training)(c5))
            slopes.append(torch.autograd.grad(outs[-1].pow(3).sum(), [*block.parameters()]))
        torch.testing.assert_close(*outs, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(*slopes, atol=1e-3, rtol=1e-3)

    def test_the_start(self, merge: str) -> None:
        block = ddgcn.DDGCN(20, 16, merge=merge).eval()
        x = torch.randn(2, 16, 11, 9)
        expected = block.merge_as_code(x) if merge == "code" else block.merge_as_paper(x)
        torch.testing.assert_close(answers("09_ddgcn")["at_start"](block, x), expected)

    def test_the_count(self, merge: str) -> None:
        with torch.device("meta"):
            whole = create_model("dml_csr", 11, edge_heads="none", merge=merge, conva=3)
        rest = count_parameters(whole) - count_parameters(whole.context)
        found = answers("09_ddgcn")["readings"](count_parameters(whole), rest)
        assert found == [(3, merge)]


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


class TestEdges:
    @pytest.fixture
    def mine(self) -> dict[str, Any]:
        return answers("10_edges")

    @pytest.fixture
    def maps(self) -> torch.Tensor:
        torch.manual_seed(0)
        maps = torch.randint(0, 19, (2, 5, 6)).repeat_interleave(3, 1).repeat_interleave(2, 2)
        maps[0, :2], maps[1, 5:8, 3:6] = 255, 255
        return maps

    @pytest.mark.parametrize("sides", ["both", "inner"])
    @pytest.mark.parametrize("width", [1, 2])
    def test_the_labels(
        self, mine: dict[str, Any], maps: torch.Tensor, sides: str, width: int
    ) -> None:
        how = {"sides": sides, "width": width}
        assert mine["category_edges"](maps, 19, **how).equal(losses.category_edges(maps, 19, **how))
        assert mine["binary_edges"](maps, **how).equal(losses.binary_edges(maps, **how))

    def test_the_heads(self, mine: dict[str, Any]) -> None:
        channels, conv_abn = (5, 6, 7), mine["conv_abn"]
        one, other = mine["EdgeHeads"](channels, 11, 4), EdgeHeads(channels, 11, conv_abn, width=4)
        assert list(one.state_dict()) == list(other.state_dict())
        other.load_state_dict(one.state_dict())
        sizes = ((2, 5, 9, 8), (2, 6, 5, 4), (2, 7, 5, 4))
        maps = [torch.randn(size) for size in sizes]
        for a, b in zip(one(*maps), other(*maps), strict=True):
            torch.testing.assert_close(a, b)

    def test_the_losses(self, mine: dict[str, Any], maps: torch.Tensor) -> None:
        logits, binary, category = (torch.randn(2, n, 15, 12) for n in (19, 2, 19))
        one, each = losses.binary_edges(maps), losses.category_edges(maps, 19)
        for name, arguments in (
            ("binary_edge_loss", (binary, one)),
            ("category_edge_loss", (category, each)),
            ("binary_edge_attention", (logits, maps, one)),
            ("category_edge_attention", (logits, maps, each)),
            ("category_edge_attention", (logits, maps, each, torch.arange(19.0))),
        ):
            expected = getattr(losses, name)(*arguments)
            torch.testing.assert_close(mine[name](*arguments), expected)

    def test_decoupled(self, mine: dict[str, Any]) -> None:
        network = create_model("dml_csr", 19, **SMALL).eval()
        image = torch.randn(1, 3, 64, 65)
        one, other = mine["decouple"](network), decouple(network)
        assert list(one.state_dict()) == list(other.state_dict())
        assert torch.equal(one(image), other(image))


class TestSelfRegulation:
    @pytest.fixture
    def mine(self) -> dict[str, Any]:
        return answers("11_self_regulation")

    @pytest.mark.parametrize(("k", "count"), [(1, 1), (2, 3), (5, 10)])
    def test_the_aggregate(self, mine: dict[str, Any], k: int, count: int) -> None:
        networks = [mine["specimen"](seed) for seed in range(count + 1)]
        best, *states = [dict(network.state_dict()) for network in networks]
        names = {name for name, _ in networks[0].named_parameters()}
        total = None
        for network in networks[1:]:
            total = aggregation.add_student(total, network)
        expected = states[-1] | aggregation.aggregate(best, total, k, count)
        got = mine["aggregate"](best, states, k, names)
        assert list(got) == list(expected)
        for name, value in expected.items():
            torch.testing.assert_close(got[name], value)

    @pytest.mark.parametrize("renewed", [[], [True] * 4, [False, True, False, False, True]])
    def test_the_shares(self, mine: dict[str, Any], renewed: list[bool]) -> None:
        unit = torch.eye(len(renewed) + 1)
        best = m = {"w": unit[0]}
        for k, new in enumerate(renewed, 1):
            best = m if new else best
            m = aggregation.aggregate(best, {"w": unit[k]}, k, 1)
        np.testing.assert_allclose(mine["shares"](renewed), m["w"], rtol=1e-6)

    @pytest.mark.parametrize("parts", [(4, 4), (7, 2, 3)])
    def test_the_statistics(self, mine: dict[str, Any], parts: tuple[int, ...]) -> None:
        batches = list(torch.randn(sum(parts), 3, 9, 8).double().split(parts))
        one, other = (mine["specimen"]().eval() for _ in range(2))
        mine["reestimate"](one, batches)
        optim.reestimate_statistics(other, lambda: iter(batches))
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
            torch.testing.assert_close(a, b)

    @pytest.mark.parametrize("share", [0.5, 0.0])
    def test_the_distillation(self, mine: dict[str, Any], share: float) -> None:
        student, teacher = 3 * torch.randn(2, 2, 7, 9, 8)
        valid = torch.rand(2, 9, 8) < share
        expected = losses.distillation_loss(student, teacher, valid)
        torch.testing.assert_close(mine["distillation_loss"](student, teacher, valid), expected)

    def test_the_cycles_are_the_plans(self, mine: dict[str, Any]) -> None:
        """With the aggregate of the cycle before as M_best, and a student that goes on."""
        config = optim.SelfRegulationConfig(
            0, 2, 3, cycle_lr=0.1, best="aggregate", weight_decay=0.0
        )
        torch.manual_seed(0)
        start = torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 3), ABN(4), torch.nn.Conv2d(4, 5, 1), torch.nn.BatchNorm2d(5)
        )
        images, valid = torch.randn(6, 3, 9, 8), torch.ones(6, 7, 6, dtype=torch.bool)
        noise = torch.randn(6, 5, 7, 6)
        one, learner = (
            copy.deepcopy(start),
            SimpleNamespace(network=copy.deepcopy(start), teacher=None),
        )
        sgd = torch.optim.SGD(one.parameters(), 0.1, momentum=config.momentum)
        epochs = iter(range(config.epochs))

        def cost(network: torch.nn.Module, teacher: torch.nn.Module) -> torch.Tensor:
            loss: torch.Tensor = mine["distillation_loss"](
                network.train()(images), teacher(images) + noise, valid
            )
            return loss

        def train_epoch(network: torch.nn.Module, teacher: torch.nn.Module) -> None:
            sgd.param_groups[0]["lr"] = config.rate(next(epochs), 1)
            sgd.zero_grad()
            cost(network, teacher).backward()
            sgd.step()

        teacher = copy.deepcopy(start).eval().requires_grad_(False)
        made = mine["run_cycles"](one, teacher, train_epoch, [images], 2, 3)
        plan = config.build(learner, config.epochs)
        ends = []
        for _ in range(config.epochs):
            plan.zero_grad()
            cost(learner.network, learner.teacher).backward()
            plan.step()
            if plan.end_epoch(1.0, lambda: iter([images])) == "improved":
                with plan.for_use():
                    ends.append(copy.deepcopy(learner.network.state_dict()))
        assert len(made) == len(ends) == 2
        for m, state in zip(made, ends, strict=True):
            for a, b in zip(m.state_dict().values(), state.values(), strict=True):
                torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
