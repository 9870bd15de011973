"""Batch normalisation and leaky ReLU in one layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ABN(nn.Module):
    """Batch normalisation with weight |γ| + ε, then leaky ReLU."""

    def __init__(
        self,
        num_features: int,
        slope: float = 0.01,
        *,
        eps: float = 1e-5,
        momentum: float = 0.1,
        kind: str = "inplace",
    ) -> None:
        super().__init__()
        if kind not in ("inplace", "package", "plain"):
            raise ValueError(f"abn is {kind!r}; there are: inplace, package, plain")
        self.num_features = num_features
        self.slope, self.eps, self.momentum, self.kind = slope, eps, momentum, kind
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        x = F.batch_norm(
            x,
            self.running_mean,  # type: ignore[arg-type]
            self.running_var,  # type: ignore[arg-type]
            self.weight.abs() + self.eps,
            self.bias,
            self.training,
            self.momentum,
            self.eps,
        )
        return F.leaky_relu(x, self.slope)
