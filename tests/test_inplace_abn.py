"""The optional inplace-abn, where it is built: it computes what its own reference computes."""

from __future__ import annotations

import warnings

import pytest
import torch

from coursekit.optim import reestimate_statistics

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    inplace_abn = pytest.importorskip(
        "inplace_abn", reason="inplace-abn is not built on this machine (it is optional)"
    )


def test_it_agrees_with_its_reference_and_saves_the_input() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 6, 8, 8)
    fused = inplace_abn.InPlaceABN(6)
    plain = inplace_abn.ABN(6)
    plain.load_state_dict(fused.state_dict())
    outs, grads = [], []
    for module in (fused, plain):
        leaf = x.clone().requires_grad_()
        out = module(leaf * 1)
        out.square().mean().backward()
        outs.append(out.detach())
        grads.append(leaf.grad)
    torch.testing.assert_close(outs[0], outs[1], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(grads[0], grads[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["ABN", "InPlaceABN", "InPlaceABNSync"])
def test_its_statistics_are_estimated_anew(kind: str) -> None:
    """Of the layers of one process, too, which the public code of DML-CSR leaves out silently."""
    images = [torch.randn(n, 3, 6, 6) for n in (5, 5, 2)]
    layers = [torch.nn.BatchNorm2d(3), getattr(inplace_abn, kind)(3)]
    for layer in layers:
        # in place, it writes into its input
        reestimate_statistics(layer, lambda: (image.clone() for image in images))
    torch.testing.assert_close(layers[1].running_mean, layers[0].running_mean)
    torch.testing.assert_close(layers[1].running_var, layers[0].running_var)
