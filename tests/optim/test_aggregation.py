"""States of a network as dicts of tensors, and Eq. 6 by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from coursekit.optim.aggregation import Models, add_student, aggregate, copy_weights, laid_out


def test_eq_6_by_hand() -> None:
    best, total = {"w": torch.tensor([6.0, 0.0])}, {"w": torch.tensor([3.0, 12.0])}
    assert aggregate(best, total, 1, 3)["w"].tolist() == [3.5, 2.0]  # ½·6 + 3/6, 12/6
    assert aggregate(best, total, 2, 2)["w"].tolist() == [4.5, 2.0]  # ⅔·6 + 3/6, 12/6


def test_only_floating_parameters_are_added_up() -> None:
    net = nn.BatchNorm2d(2)
    net.table = nn.Parameter(torch.tensor([3, 4]), requires_grad=False)
    total = add_student(add_student(None, net), net)
    assert {k: v.tolist() for k, v in total.items()} == {"weight": [2, 2], "bias": [0, 0]}
    net.weight.data.zero_()
    assert add_student(None, net)["weight"].tolist() == [0, 0] and total["weight"][0] == 2


def test_what_comes_from_a_file_is_laid_out_like_the_network() -> None:
    net = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    saved = {k: v.contiguous() for k, v in copy_weights(net).items()}
    models = Models(best=saved, used=saved, lowest=0.5)
    again = Models.from_state_dict(models.state_dict(), net)
    assert again.best is again.used and again.next is None and again.lowest == 0.5
    assert again.best is not None and again.best["weight"].stride() == net.weight.stride()
    assert torch.equal(again.best["weight"], net.weight)
    for wrong in ({"weight": torch.zeros(4)}, {"other": torch.zeros(1)}):
        with pytest.raises(ValueError, match="does not fit the network"):
            laid_out(wrong, net)
