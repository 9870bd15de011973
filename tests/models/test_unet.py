"""U-Net, layer by layer."""

from __future__ import annotations

from itertools import pairwise

import torch

from coursekit import count_parameters, create_model
from tests.models.contract import ModelContract


class TestUNet(ModelContract):
    name = "unet"
    parameters = 1_941_411
    small = {"widths": (4, 8, 8, 8, 16)}  # noqa: RUF012


def test_shapes_at_each_level() -> None:
    model = create_model("unet").eval()
    shapes = []
    for module in [*model.down, model.bottleneck, *model.up, model.head]:
        module.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[1:])))
    with torch.no_grad():
        model(torch.zeros(1, 3, 64, 96))
    assert shapes == [
        (16, 64, 96), (32, 32, 48), (64, 16, 24), (128, 8, 12), (256, 4, 6),
        (128, 8, 12), (64, 16, 24), (32, 32, 48), (16, 64, 96), (19, 64, 96),
    ]  # fmt: skip


def test_count_from_the_description() -> None:
    """Convolutions with bias only, as the report's text lists them."""

    def conv(a: int, b: int, k: int) -> int:
        return a * b * k * k + b

    widths = [3, 16, 32, 64, 128, 256]
    total = sum(conv(a, b, 3) + conv(b, b, 3) for a, b in pairwise(widths))
    for a, b in ((256, 128), (128, 64), (64, 32), (32, 16)):
        total += conv(a, b, 2) + conv(2 * b, b, 3) + conv(b, b, 3)
    assert total + conv(16, 19, 1) == 1_941_411


def test_a_configuration_within_the_limit_of_2025() -> None:
    model = create_model("unet", widths=(15, 30, 60, 120, 240))
    assert count_parameters(model) == 1_706_464 < 1_821_085


def test_skips_carry_detail() -> None:
    """Without its skips the network could not tell where in a 16×16 block a pixel lies."""
    torch.manual_seed(0)
    model = create_model("unet").eval()
    image = torch.zeros(1, 3, 64, 64)
    changed = image.clone()
    changed[..., 33, 37] = 10
    with torch.no_grad():
        difference = (model(changed) - model(image)).abs().sum(1)[0]
    y, x = divmod(int(difference.argmax()), 64)
    assert abs(y - 33) <= 2
    assert abs(x - 37) <= 2
