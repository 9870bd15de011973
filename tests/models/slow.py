"""The networks' parts once more, in NumPy and loops, written from their equations alone.

Arrays are (B, C, h, w) or (B, C, n), float64; `weights` is a state_dict as arrays, and a part takes
its own by the name that it is given.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = dict[str, Array]


def weights_of(module: Any) -> Weights:
    """A state_dict as arrays."""
    return {key: value.double().numpy() for key, value in module.state_dict().items()}


def conv(x: Array, w: Weights, name: str, stride: int = 1) -> Array:
    """A convolution that keeps the size; depthwise where each filter sees one channel of many."""
    kernel, bias = w[f"{name}.weight"], w.get(f"{name}.bias")
    flat = kernel.ndim == 3
    if flat:
        x, kernel = x[..., None], kernel[..., None]
    out_channels, seen, size, _ = kernel.shape
    pad, groups = size // 2, x.shape[1] // seen
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height, width = math.ceil(x.shape[2] / stride), math.ceil(x.shape[3] / stride)
    out = np.zeros((len(x), out_channels, height, width))
    for o in range(out_channels):
        first = o // (out_channels // groups) * seen
        for i in range(height):
            for j in range(width):
                top, left = i * stride, j * stride
                part = padded[:, first : first + seen, top : top + size, left : left + size]
                out[:, o, i, j] = (part * kernel[o]).sum((1, 2, 3))
    if bias is not None:
        out += bias[:, None, None]
    return out[..., 0] if flat else out


def norm(x: Array, w: Weights, name: str, slope: float, *, absolute: bool = True) -> Array:
    """Normalisation in evaluation, then leaky ReLU; |γ| + ε is the scale of an ABN."""
    shape = (1, -1) + (1,) * (x.ndim - 2)
    scale = np.abs(w[f"{name}.weight"]) + 1e-5 if absolute else w[f"{name}.weight"]
    unit = (x - w[f"{name}.running_mean"].reshape(shape)) / np.sqrt(
        w[f"{name}.running_var"].reshape(shape) + 1e-5
    )
    y = scale.reshape(shape) * unit + w[f"{name}.bias"].reshape(shape)
    return np.where(y >= 0, y, slope * y)


def layer(
    x: Array,
    w: Weights,
    name: str,
    stride: int = 1,
    slope: float = 0.01,
    *,
    absolute: bool = True,
) -> Array:
    """Convolution and normalisation under `name`.0 and `name`.1."""
    return norm(conv(x, w, f"{name}.0", stride), w, f"{name}.1", slope, absolute=absolute)


def softmax(x: Array, axis: int) -> Array:
    """exp over its sum."""
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def enlarge(x: Array, height: int, width: int) -> Array:
    """Bilinear interpolation between the middles of pixels."""
    out = np.zeros((*x.shape[:2], height, width))
    for i in range(height):
        for j in range(width):
            y = max((i + 0.5) * x.shape[2] / height - 0.5, 0)
            z = max((j + 0.5) * x.shape[3] / width - 0.5, 0)
            top, left = int(y), int(z)
            low, right = min(top + 1, x.shape[2] - 1), min(left + 1, x.shape[3] - 1)
            dy, dz = y - top, z - left
            above = (1 - dz) * x[:, :, top, left] + dz * x[:, :, top, right]
            below = (1 - dz) * x[:, :, low, left] + dz * x[:, :, low, right]
            out[:, :, i, j] = (1 - dy) * above + dy * below
    return out


def averages(x: Array, bins: int) -> Array:
    """The mean of each of bins × bins regions, which overlap where the size does not divide."""
    out = np.zeros((*x.shape[:2], bins, bins))
    height, width = x.shape[2:]
    for i in range(bins):
        for j in range(bins):
            rows = slice(i * height // bins, -(-(i + 1) * height // bins))
            columns = slice(j * width // bins, -(-(j + 1) * width // bins))
            out[:, :, i, j] = x[:, :, rows, columns].mean((2, 3))
    return out


def projection(x: Array, w: Weights, name: str, slope: float, *, absolute: bool = True) -> Array:
    """Three depthwise 3×3 convolutions of stride 2."""
    for i in range(3):
        x = layer(x, w, f"{name}.{i}", 2, slope, absolute=absolute)
    return x


def spatial_graph(
    x: Array, w: Weights, name: str, last_slope: float, *, absolute: bool = True
) -> Array:
    """H_S, one image and one pair of channels at a time."""
    q, k, v = (conv(x, w, f"{name}.{part}") for part in ("query", "key", "value"))
    batch, half, height, width = q.shape
    m = np.zeros((batch, half, height, width))  # Mᵀ, its places laid out
    for b in range(batch):
        scores = np.zeros((half, half))
        for c in range(half):
            for d in range(half):
                scores[c, d] = (q[b, c] * v[b, d]).sum()
        attention = softmax(scores, 1)
        for d in range(half):
            for c in range(half):
                m[b, d] += k[b, c] * attention[c, d]
    m = layer(m.reshape(batch, half, -1), w, f"{name}.update", 1, 1.0, absolute=absolute)
    m = m.reshape(batch, half, height, width)
    return layer(m, w, f"{name}.extend", 1, last_slope, absolute=absolute)


def feature_graph(
    x: Array, w: Weights, name: str, slope: float, last_slope: float, *, absolute: bool = True
) -> Array:
    """H_F, one place at a time."""
    phi = layer(x, w, f"{name}.phi", 1, slope, absolute=absolute)
    theta = layer(x, w, f"{name}.theta", 1, slope, absolute=absolute)
    batch, states, height, width = phi.shape
    z = np.zeros((batch, states, theta.shape[1]))
    for i in range(height):
        for j in range(width):
            z += phi[:, :, i, j, None] * theta[:, None, :, i, j]
    nodes = layer(z.transpose(0, 2, 1), w, f"{name}.adjacency", 1, 1.0, absolute=absolute)
    z = layer(nodes.transpose(0, 2, 1) + z, w, f"{name}.update", 1, 1.0, absolute=absolute)
    y = np.zeros_like(phi)
    for i in range(height):
        for j in range(width):
            y[:, :, i, j] = (z * theta[:, None, :, i, j]).sum(2)
    return layer(y, w, f"{name}.extend", 1, last_slope, absolute=absolute)


def ddgcn(c5: Array, w: Weights, merge: str) -> Array:
    """The whole block, either merge."""
    x = layer(c5, w, "conva")
    height, width = x.shape[2:]
    x_l = projection(x, w, "projection", 0.01)
    h_s = spatial_graph(x_l, w, "spatial", 0.01)
    h_f = feature_graph(x, w, "feature", 0.01, 0.01)
    lam, gamma = w["lambda_"], w["gamma"]
    if merge == "paper":
        parts = [x, lam * enlarge(h_s, height, width), gamma * h_f]
    else:
        parts = [x * enlarge(lam * h_s + x_l, height, width) + x, gamma * h_f + x]
    y = layer(layer(np.concatenate(parts, 1), w, "reduce"), w, "convb")
    return layer(np.concatenate([c5, y], 1), w, "bottleneck")


def dgcnet(c5: Array, w: Weights, *, pooling: bool) -> Array:
    """DDGCN's graphs with batch normalisation, ReLU after each sum, and the sum of both."""
    x = layer(c5, w, "conva", 1, 0.0, absolute=False)
    x_l = projection(x, w, "projection", 0.0, absolute=False) if pooling else x
    s = np.maximum(spatial_graph(x_l, w, "spatial", 1.0, absolute=False) + x_l, 0)
    g = np.maximum(x + feature_graph(x, w, "feature", 0.0, 1.0, absolute=False), 0)
    y = x * enlarge(s, *x.shape[2:]) + x + g
    y = layer(y, w, "convb", 1, 0.0, absolute=False)
    return layer(np.concatenate([c5, y], 1), w, "bottleneck", 1, 0.0, absolute=False)


def psp(c5: Array, w: Weights, *, pooling: bool) -> Array:
    """Four branches beside C5."""
    parts = [c5]
    for i, bins in enumerate((1, 2, 3, 6)):
        pooled = averages(c5, bins) if pooling else c5
        parts.append(enlarge(layer(pooled, w, f"branches.{i}"), *c5.shape[2:]))
    return layer(np.concatenate(parts, 1), w, "bottleneck")


def edge_aware_graph(x: Array, edge: Array, w: Weights, anchors: int) -> Array:
    """EAGRNet's block, one pixel at a time."""
    s, p = conv(x, w, "state"), conv(x, w, "project")
    a = averages(p * edge, anchors + 2)[:, :, 1:-1, 1:-1].reshape(len(x), p.shape[1], -1)
    batch, states, height, width = p.shape
    assigned = np.zeros((batch, anchors**2, height, width))
    gathered = np.zeros((batch, states, anchors**2))
    for i in range(height):
        for j in range(width):
            b = softmax((a * p[:, :, i, j, None]).sum(1), 1)
            assigned[:, :, i, j] = b
            gathered += s[:, :, i, j, None] * b[:, None, :]
    nodes = conv(gathered.transpose(0, 2, 1), w, "graph.adjacency").transpose(0, 2, 1)
    h = np.maximum(conv(nodes - gathered, w, "graph.update"), 0)
    spread = np.zeros_like(p)
    for i in range(height):
        for j in range(width):
            spread[:, :, i, j] = (h * assigned[:, None, :, i, j]).sum(2)
    return x + layer(spread, w, "extend")
