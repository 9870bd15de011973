"""What the boxes of several networks are made of: a convolution with its normalisation, a word."""

from __future__ import annotations

from torch import nn

from coursekit.errors import CourseError
from coursekit.models.abn import ABN


def conv_abn(
    in_channels: int,
    out_channels: int,
    kernel: int = 1,
    stride: int = 1,
    *,
    groups: int = 1,
    bias: bool = False,
    abn: str = "inplace",
) -> nn.Sequential:
    """Convolution that keeps the size (or divides it by `stride`), then ABN."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=bias),
        ABN(out_channels, kind=abn),
    )


def one_of(setting: str, value: object, known: tuple[object, ...]) -> None:
    """Raises `CourseError` when a setting is none of those there are; the message lists them."""
    if value not in known:
        raise CourseError(f"{setting} is {value!r}; there are: {', '.join(map(str, known))}")
