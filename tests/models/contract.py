"""What every model of the course must do: its tests inherit `ModelContract`."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch

from coursekit import count_parameters, create_model
from coursekit.codabench.formats import FLAT
from coursekit.models import BASELINES


class ModelContract:
    """Subclass with the model's name, its exact parameter count and a small configuration."""

    name: ClassVar[str]
    parameters: ClassVar[int]
    small: ClassVar[dict[str, Any]] = {}
    channels: ClassVar[int] = 19
    stride: ClassVar[int] = 1  # the image's size over the output's, rounded up

    def make(self, **overrides: Any) -> torch.nn.Module:
        torch.manual_seed(0)
        return create_model(self.name, **{**self.small, **overrides})

    def test_parameter_count_is_exact(self) -> None:
        with torch.device("meta"):  # shapes alone
            model = create_model(self.name)
        assert count_parameters(model) == self.parameters
        if self.name in BASELINES:
            assert self.parameters < FLAT.limit

    @pytest.mark.parametrize("size", [(64, 64), (96, 64), (97, 131), (65, 64)])
    def test_logits_are_as_large_as_the_image(self, size: tuple[int, int]) -> None:
        model = self.make().eval()
        with torch.no_grad():
            out = model(torch.randn(2, 3, *size))
        assert out.shape == (2, self.channels, *(-(-side // self.stride) for side in size))

    def test_classes_and_channels_follow_the_configuration(self) -> None:
        model = self.make(num_classes=11, in_channels=1).eval()
        with torch.no_grad():
            side = 64 // self.stride
            assert model(torch.randn(1, 1, 64, 64)).shape == (1, 11, side, side)

    def test_every_parameter_gets_a_gradient(self) -> None:
        model = self.make()
        image = torch.randn(2, 3, 64, 64)
        outputs = model.heads(image) if hasattr(model, "heads") else (model(image),)
        sum(out.square().mean() for out in outputs if out is not None).backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name

    def test_state_goes_round(self) -> None:
        model, other = self.make().eval(), self.make().eval()
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.add_(1)
            image = torch.randn(1, 3, 64, 64)
            assert not torch.equal(model(image), other(image))
            other.load_state_dict(model.state_dict())
            assert torch.equal(model(image), other(image))

    def test_same_seed_same_weights(self) -> None:
        for a, b in zip(self.make().parameters(), self.make().parameters(), strict=True):
            assert torch.equal(a, b)

    def test_images_of_a_batch_do_not_mix(self) -> None:
        model = self.make().eval()
        images = torch.randn(2, 3, 64, 64)
        with torch.no_grad():
            torch.testing.assert_close(model(images)[:1], model(images[:1]), atol=1e-4, rtol=1e-4)

    def test_channels_last_changes_nothing(self) -> None:
        model = self.make().eval()
        image = torch.randn(1, 3, 64, 64)
        with torch.no_grad():
            expected = model(image)
            other = model.to(memory_format=torch.channels_last)
            out = other(image.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(out, expected, atol=1e-4, rtol=1e-4)

    def test_nothing_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.make()
        assert capsys.readouterr() == ("", "")


def output_shapes(model: torch.nn.Module, image: torch.Tensor) -> dict[str, tuple[int, ...]]:
    """The shape, but for the batch, of what each part of a model gives for an image."""
    shapes: dict[str, tuple[int, ...]] = {}

    def listen(name: str) -> Any:
        def note(_part: Any, _inputs: Any, out: Any) -> None:
            if isinstance(out, torch.Tensor):
                shapes[name] = tuple(out.shape[1:])

        return note

    for name, part in model.named_modules():
        part.register_forward_hook(listen(name))
    with torch.no_grad():
        model.eval()(image)
    return shapes
