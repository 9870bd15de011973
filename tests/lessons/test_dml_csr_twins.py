"""What lessons 09 to 11 build in the open and the package's DML-CSR are the same thing."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from coursekit import count_parameters, create_model, losses, optim
from coursekit.models import ddgcn, decouple
from coursekit.models.abn import ABN
from coursekit.models.dml_csr import SMALL
from coursekit.models.edge_heads import EdgeHeads
from coursekit.optim import aggregation
from tests.lessons.twins import answers


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
