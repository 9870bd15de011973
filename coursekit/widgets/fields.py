"""What a pixel of a prediction can see of the image, and what it looks at: receptive fields."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.widgets.box import beside, can_move, html, moving, spoken
from coursekit.widgets.controls import choice, slider
from coursekit.widgets.heat import heated
from coursekit.widgets.picker import picker, show

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor, nn

#: Narrow networks see as far as wide ones, and answer at once. By name: the network's name in the
#: package, sizes with which it is measured, and the least, of which it is asked what it can reach.
NETWORKS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "U-Net": ("unet", {"widths": (8, 16, 32, 64, 128)}, {"widths": (1, 1, 1, 1, 1)}),
    "DeepLabV3+": (
        "deeplabv3plus",
        {"stages": ((8, 16), (16, 32), (48, 64)), "aspp": 32, "low_level": 8, "decoder": 16},
        {"stages": ((1, 1), (1, 1), (1, 1)), "aspp": 1, "low_level": 1, "decoder": 1},
    ),
    "FastSCNN": (
        "fastscnn",
        {"downsample": (16, 24, 32), "bottlenecks": (32, 48, 64), "width": 64},
        {"downsample": (1, 1, 1), "bottlenecks": (1, 1, 4), "width": 4, "expansion": 1},
    ),
    "SegFormer": (
        "segformer",
        {"dims": (8, 16, 32, 64), "heads": (1, 1, 1, 1), "decoder": 64},
        {"dims": (1, 1, 1, 1), "heads": (1, 1, 1, 1), "decoder": 1, "expansion": 1},
    ),
}
TRAINED = "U-Net, trained"
_RIM, _SQUARE = (0, 255, 255), 4


@dataclass(frozen=True)
class Field:
    """What one pixel's scores depend on.

    Attributes:
        pull: (H, W), how much a change of each pixel of the image changes them, their sum 1.
        reach: first row, first column, last row, last column of the pixels that can change them.
        half: radius of the circle around the pixel that holds half of the pull, in pixels.
        most: radius of the circle that holds 90 % of it.
    """

    pull: NDArray[np.float64]
    reach: tuple[int, int, int, int]
    half: float
    most: float

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width of what can change them, in pixels."""
        top, left, bottom, right = self.reach
        return bottom - top + 1, right - left + 1


class Probe:
    """A network whose receptive field can be asked for at any pixel.

    One pass is kept, and each question is a pass backwards.

    Args:
        network: maps (1, 3, H, W) to (1, classes, H, W).
        image: (H, W, 3) uint8, on which it is measured.
        skeleton: a network of the same shape, as narrow as can be, of which it is asked what can
            be reached at all.
    """

    def __init__(self, network: nn.Module, image: NDArray[np.uint8], skeleton: nn.Module) -> None:
        import torch

        pixels = torch.from_numpy(image / 255.0).float().permute(2, 0, 1)[None]
        generator = torch.Generator().manual_seed(0)
        # A flat region would leave max-pooling to chance.
        noise = 0.1 * torch.randn(pixels.shape, generator=generator)
        self._measured = _run(network.eval(), 2 * (pixels - 0.5) + noise)
        bare = _all_positive(skeleton)
        self._reached = _run(bare, torch.rand(pixels.shape, generator=generator).double() + 0.5)

    def at(self, row: int, column: int) -> Field:
        """The field of the scores of a pixel."""
        pull = _pulled(self._measured, row, column)
        rows, columns = np.nonzero(_pulled(self._reached, row, column))
        reach = (int(rows.min()), int(columns.min()), int(rows.max()), int(columns.max()))
        pull = pull / max(pull.sum(), 1e-300)
        y, x = np.indices(pull.shape)
        away = np.hypot(y - row, x - column).ravel()
        order = np.argsort(away, kind="stable")
        inside = np.cumsum(pull.ravel()[order])
        half, most = (
            float(away[order][min(np.searchsorted(inside, share), len(inside) - 1)])
            for share in (0.5, 0.9)
        )
        return Field(pull, reach, half, most)


def _run(network: nn.Module, image: Tensor) -> tuple[Tensor, Tensor]:
    """The image and the logits, with what is between them kept."""
    image.requires_grad_(True)
    for weight in network.parameters():
        weight.requires_grad_(False)
    return image, network(image)


def _pulled(kept: tuple[Tensor, Tensor], row: int, column: int) -> NDArray[np.float64]:
    """(H, W): the length of the gradient of the scores at a pixel, with signs by turns."""
    import torch

    image, logits = kept
    scores = logits[0, :, row, column]
    signs = torch.ones_like(scores)
    signs[1::2] = -1 if image.dtype == torch.float32 else 1
    (slope,) = torch.autograd.grad((scores * signs).sum(), image, retain_graph=True)
    return np.asarray(slope[0].square().sum(0).sqrt().double().numpy())


def _all_positive(network: nn.Module) -> nn.Module:
    """A copy in which nothing is cut or cancelled: a gradient is 0 only where nothing arrives."""
    import torch
    from torch import nn

    def bare(part: nn.Module) -> None:
        for name, child in part.named_children():
            if isinstance(child, nn.MaxPool2d):
                setattr(part, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
            elif isinstance(
                child, nn.modules.batchnorm._NormBase | nn.LayerNorm | nn.ReLU | nn.GELU
            ):
                setattr(part, name, nn.Identity())
            else:
                bare(child)

    whole = copy.deepcopy(network).eval().double()
    bare(whole)
    with torch.no_grad():
        for weight in whole.parameters():
            weight.fill_(weight.ndim > 1 and 1 / weight[0].numel())
    return whole


@lru_cache(maxsize=16)
def probe_of(name: str, size: int) -> Probe:
    """A network of the course on a rendered face.

    Args:
        name: of `NETWORKS`, with fresh weights; or `TRAINED`, with those that the course brings.
        size: side of the image, in pixels.
    """
    import torch

    from coursekit import checkpoint, synthfaces
    from coursekit.models import create_model

    image = synthfaces.render(0, 4, size).image
    kind, widths, least = NETWORKS["U-Net" if name == TRAINED else name]
    skeleton = create_model(kind, num_classes=1, **least)
    if name == TRAINED:
        return Probe(checkpoint.load(checkpoint.SHIPPED).model, image, skeleton)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Probe(create_model(kind, **widths), image, skeleton)


def drawn(image: NDArray[np.uint8], field: Field, opacity: float) -> NDArray[np.uint8]:
    """The pull over a photo, and a rim around what can be reached: (H, W, 3).

    The pull is summed over squares of `_SQUARE`² pixels: single pixels are not seen.
    """
    side = len(image) // _SQUARE
    pull = field.pull[: side * _SQUARE, : side * _SQUARE]
    squares = pull.reshape(side, _SQUARE, side, _SQUARE).sum((1, 3))
    picture = heated(image, squares, opacity, root=True)
    top, left, bottom, right = field.reach
    for rows, columns in (
        (slice(top, bottom + 1), [left, right]),
        ([top, bottom], slice(left, right + 1)),
    ):
        picture[rows, columns] = _RIM
    return picture


def in_numbers(field: Field) -> str:
    """The figures of a field, as HTML."""
    height, width = field.sides
    share = height * width / field.pull.size
    return (
        f"can see <b>{height} × {width}</b> pixels of the image, {share:.0%} of it (the rim)<br>"
        f"half of the pull comes from within <b>{field.half:.0f}</b> pixels, 90 % from within "
        f"<b>{field.most:.0f}</b>"
    )


def receptive_fields(size: int = 192) -> Any:
    """A face, and for the pixel that is pointed at what each network's scores depend on.

    The rim is what can be reached in theory; the heat is measured, by a gradient, and drawn by its
    square root.

    Args:
        size: side of the face, in pixels.

    Returns:
        An ipywidgets box to be shown as the last line of a cell. Without ipywidgets: a still
        figure, after a message.
    """
    from coursekit import synthfaces

    image = synthfaces.render(0, 4, size).image
    field = lru_cache(maxsize=256)(lambda name, row, column: probe_of(name, size).at(row, column))

    def still() -> Figure:
        return _still(image, field)

    if not can_move():
        return still()
    picture = picker(
        "The face: point at the pixel whose scores are asked for", size // 2, size // 2
    )
    controls = {
        "place": picture,
        "network": choice([*NETWORKS, TRAINED], "network"),
        "opacity": slider(0.7, 0.0, 1.0, 0.05, "opacity"),
    }
    note = html("note")

    def update(place: Sequence[int], network: str, opacity: float) -> None:
        found = field(network, *place)
        alt = f"What the scores of {network} at row {place[0]}, column {place[1]} depend on"
        show(picture, drawn(image, found, opacity), alt)
        note.value = spoken(f"{network}: a pixel's scores<br>{in_numbers(found)}")

    return moving(update, controls, [beside(picture, [*list(controls.values())[1:], note])], still)


def _still(image: NDArray[np.uint8], field: Callable[[str, int, int], Field]) -> Figure:
    """All networks, asked in the middle and near a corner."""
    from coursekit.plots import Picture

    names, size = [*NETWORKS, TRAINED], len(image)
    places = {"middle": (size // 2, size // 2), "corner": (size // 5, size // 5)}
    figure = Picture(figsize=(8.5, 3.7), layout="constrained")
    grid = figure.subplots(len(places), len(names), squeeze=False)
    said = []
    for line, (where, place) in zip(grid, places.items(), strict=True):
        for axes, name in zip(line, names, strict=True):
            found = field(name, *place)
            axes.imshow(drawn(image, found, 0.7), interpolation="nearest")
            axes.plot(place[1], place[0], "c+", markersize=8)
            axes.set_title(f"{name}\n90 % within {found.most:.0f}", fontsize=8)
            axes.set_axis_off()
            height, width = found.sides
            said.append(f"{name}, {where}: can see {height} by {width} pixels, 90 % of the pull "
                        f"within {found.most:.0f}")  # fmt: skip
    figure.alt = f"Receptive fields on a face of {size} pixels. {'; '.join(said)}."
    return figure
