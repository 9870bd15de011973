"""What is quicker where answers are tried gives what it gave before."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from coursekit.mutation.quicker import _by_max

ties = torch.randint(0, 3, (19, 40, 50), generator=torch.Generator().manual_seed(0)).float()
holes = torch.where(ties == 2, torch.nan, ties)
argmax = _by_max(torch.argmax, torch.Tensor)


@pytest.mark.parametrize("values", [ties, holes, ties[:, :2], ties.long(), ties.mT])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_argmax_names_the_same_places(values: torch.Tensor, dim: int) -> None:
    assert torch.equal(argmax(values, dim), values.argmax(dim))
    assert torch.equal(argmax(values, dim=dim), values.argmax(dim))
    assert torch.equal(argmax(values, dim, keepdim=True), values.argmax(dim, keepdim=True))
    assert not argmax(values.clone().float().requires_grad_(), dim).requires_grad


@pytest.mark.parametrize(("args", "settings"), [((), {}), ((ties, 3), {}), ((ties,), {"axes": 1})])
def test_what_argmax_refuses_is_refused_in_its_words(args: Any, settings: Any) -> None:
    with pytest.raises((TypeError, IndexError)) as mine:
        argmax(*args, **settings)
    with pytest.raises((TypeError, IndexError)) as own:
        torch.argmax(*args, **settings)
    assert str(mine.value) == str(own.value)


def test_argmax_without_a_dimension_counts_through_all() -> None:
    assert argmax(ties) == ties.argmax()
