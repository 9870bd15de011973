"""What the tests of growth stand on."""

from __future__ import annotations

import pytest

from tests import growth


def test_a_square_is_not_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "SLACK", 0.1)
    assert growth.grows_linearly(lambda n: sum(range(300 * n)), 3_000)
    assert not growth.grows_linearly(lambda n: [sum(range(n)) for _ in range(n)], 6_000)
