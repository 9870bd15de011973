"""What the tests of growth stand on."""

from __future__ import annotations

from tests.growth import grows_linearly


def test_a_square_is_not_linear() -> None:
    assert grows_linearly(lambda n: sum(range(300 * n)), 3_000)
    assert not grows_linearly(lambda n: [sum(range(n)) for _ in range(n)], 6_000)
