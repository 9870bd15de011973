"""Eq. 1 of BSPNet against sums that are written out here; runs that are cut and go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from coursekit import create_model, losses
from coursekit.checkpoint import read_tensors
from coursekit.data import Augmentation, SynthDataset
from coursekit.errors import CourseError
from coursekit.models.bspnet import Outputs
from coursekit.optim import AveragedCosineConfig, PolyConfig
from coursekit.training import (
    BoundarySensitiveConfig,
    BoundarySensitiveObjective,
    FitConfig,
    FitResult,
    ParsingConfig,
    boundary_sensitive,
    fit,
)
from tests.training.test_multi_task import Killed, batch, faces, loss


class Small(nn.Module):
    """Three branches on one convolution."""

    def __init__(self, classes: int = 19) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
        self.fusion, self.semantic = nn.Conv2d(6, classes, 1), nn.Conv2d(6, classes, 1)
        self.binary = nn.Conv2d(6, 2, 1)
        self.calls: list[str] = []

    def heads(self, image: Tensor) -> Outputs:
        self.calls.append("heads")
        x = self.body(image)
        return Outputs(self.fusion(x), self.semantic(x), self.binary(x))

    def forward(self, image: Tensor) -> Tensor:
        self.calls.append("forward")
        return self.fusion(self.body(image))


def written_out(said: Outputs, target: Tensor, config: BoundarySensitiveConfig) -> Tensor:
    """Eq. 1 to 4 with masks and means."""
    first, second, third = config.weights
    known, edges = target != 255, losses.binary_edges(target)
    w = torch.where(edges == 1, 1 + config.alpha, 1.0)
    ce = nn.CrossEntropyLoss(reduction="none", ignore_index=255)
    both = ce(said.binary, edges.long())
    return (
        first * ce(said.semantic, target)[known].mean()
        + second * (both[edges == 0].mean() + both[edges == 1].mean()) / 2
        + third * (w * ce(said.logits, target))[known].mean()
    )


@pytest.mark.parametrize(
    ("weights", "alpha", "parts"),
    [
        ((1.0, 1.0, 2.0), 200.0, {"semantic", "binary", "fusion"}),  # C
        ((1.0, 1.0, 2.0), 0.0, {"semantic", "binary", "fusion"}),  # B
        ((0.7, 0.0, 1.3), 5.0, {"semantic", "fusion"}),
        ((0.0, 0.6, 1.3), 5.0, {"binary", "fusion"}),
        ((0.0, 0.0, 1.0), 200.0, {"fusion"}),
    ],
)
def test_eq_1_has_the_terms_that_are_on(weights: Any, alpha: float, parts: set[str]) -> None:
    config, model, given = BoundarySensitiveConfig(weights, alpha), Small(), batch()
    found = loss(BoundarySensitiveObjective(model, config, 19), given)
    torch.testing.assert_close(
        found, written_out(Small().heads(given["image"]), given["target"], config)
    )
    found.backward()
    reached = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert reached == {"body", *parts}
    assert model.calls == ["heads" if len(parts) > 1 else "forward"]


def test_model_a_is_plain_cross_entropy() -> None:
    config = BoundarySensitiveConfig((0, 0, 1), 0)
    ours = config.build(Small(), faces()[0])
    theirs = ParsingConfig(weighted=False).build(Small(), faces()[0])
    torch.testing.assert_close(loss(ours, batch()), loss(theirs, batch()))


def test_shares_of_a_batch_add_up_to_it() -> None:
    """So processes may divide it; also where a share has no boundary."""
    assert BoundarySensitiveConfig().divisible
    objective = BoundarySensitiveObjective(Small().eval(), BoundarySensitiveConfig(), 19)
    given = batch()
    given["target"][0] = 3
    total, mass, _ = objective(given)
    shares = [objective({k: v[i : i + 1] for k, v in given.items()}) for i in range(3)]
    torch.testing.assert_close(sum(s.total for s in shares), total)
    torch.testing.assert_close(sum(s.mass for s in shares), mass)
    assert shares[0].mass[-1] == 0 and shares[0].total[-1] == 0


def test_images_without_a_boundary_and_without_labels_are_safe() -> None:
    for label, value in ((4, True), (255, False)):
        model, given = Small(), batch()
        given["target"] = torch.full_like(given["target"], label)
        total, mass, _ = BoundarySensitiveObjective(model, BoundarySensitiveConfig(), 19)(given)
        assert total.isfinite().all() and bool(total.any()) == bool(mass.any()) == value
        total.sum().backward()
        assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_bfloat16_is_of_networks_alone_and_wrappers_are_seen_through() -> None:
    objective = BoundarySensitiveObjective(Small(), BoundarySensitiveConfig(), 19)
    exact = loss(objective, batch())
    objective.precision = "bf16"
    total, _, logits = objective(batch())
    assert total.dtype == logits.dtype == torch.float32
    torch.testing.assert_close(loss(objective, batch()), exact, rtol=0.05, atol=0.05)
    wrapped = BoundarySensitiveObjective(nn.DataParallel(Small()), BoundarySensitiveConfig(), 19)
    torch.testing.assert_close(loss(wrapped, batch()), exact)


def test_a_network_without_the_branches_is_told_so() -> None:
    alone = create_model("bspnet", **TINY, branches="semantic")
    with pytest.raises(CourseError, match="semantic and binary, and this BSPNet has no output sem"):
        BoundarySensitiveConfig().check(alone, *faces())
    plain = create_model("unet", widths=(4, 6))
    with pytest.raises(CourseError, match=r"UNet has no output binary .* \(--without boundary\)"):
        BoundarySensitiveConfig((0, 1, 1)).check(plain, *faces())
    for network in (alone, plain):
        BoundarySensitiveConfig((0, 0, 1)).check(network, *faces())
    three = create_model("bspnet", **TINY).train()
    BoundarySensitiveConfig().check(three, *faces())
    assert three.training
    with pytest.raises(CourseError, match="num_classes 11"):
        BoundarySensitiveConfig().check(create_model("bspnet", 11, **TINY), *faces())


def test_bad_settings_are_named() -> None:
    for wrong, told in (
        ({"weights": (1, 1)}, "3 numbers"),
        ({"weights": (1, 1, 0)}, "the last, of the prediction, above 0"),
        ({"weights": (1, float("nan"), 1)}, "of at least 0"),
        ({"weights": 2}, "weights is 2"),
        ({"alpha": -1.0}, "alpha is -1.0"),
        ({"alpha": float("inf")}, "alpha is inf"),
        ({"alpha": "200"}, "alpha is '200'"),
    ):
        with pytest.raises(CourseError, match=told):
            BoundarySensitiveConfig(**wrong)


TINY = {"stem": (4, 4, 8), "widths": (4, 4, 4, 4), "blocks": (1, 1, 1, 1), "context_channels": 8,
        "head_channels": 8, "edge_channels": 4}  # fmt: skip


def run(out: Path, plan: Any, precision: Any) -> FitResult:
    torch.manual_seed(0)
    config = FitConfig(
        size=64, epochs=3, batch_size=2, seed=2, cpu=True, objective=BoundarySensitiveConfig(),
        plan=plan, augmentation=Augmentation((0.75, 1.25), rotation=30.0), precision=precision,
    )  # fmt: skip
    data = SynthDataset(0, 4, 64), SynthDataset(1, 2, 64)
    model = create_model("bspnet", **TINY)
    return fit(model, *data, config, out, resume=True, progress=False)


@pytest.mark.parametrize(
    ("plan", "precision"),
    [(PolyConfig(lr=0.01), "fp32"), (AveragedCosineConfig(average=0.5), "bf16")],
)
def test_a_run_that_was_killed_goes_on_bit_for_bit(
    plan: Any, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the paper's plan, and in half precision with an average of the weights."""
    whole = run(tmp_path / "whole", plan, precision)
    assert whole.best_epoch == 2 and 0 <= whole.history[-1]["val_mean_iou"] <= 1
    forward, left = BoundarySensitiveObjective.forward, [3]

    def counted(objective: BoundarySensitiveObjective, given: dict) -> Any:
        left[0] -= objective.training
        if left[0] < 0:
            raise Killed
        return forward(objective, given)

    with monkeypatch.context() as patch:
        patch.setattr(boundary_sensitive.BoundarySensitiveObjective, "forward", counted)
        with pytest.raises(Killed):  # in mid-epoch, the second
            run(tmp_path / "cut", plan, precision)
    cut = run(tmp_path / "cut", plan, precision)
    for entry in (*whole.history, *cut.history):
        entry.pop("seconds")
    assert cut.history == whole.history
    for kind in ("model", "state"):
        one, two = (read_tensors(tmp_path / n / f"{kind}.safetensors")[0] for n in ("whole", "cut"))
        assert set(one) == set(two) and all(torch.equal(v, two[key]) for key, v in one.items())
