"""What is dear to make is made once."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from coursekit.labelling.recent import Recent


def test_a_thread_that_asks_meanwhile_waits() -> None:
    recent: Recent[int] = Recent(2)
    with ThreadPoolExecutor(1) as pool:
        others: list[Future[int]] = []

        def make() -> int:
            others.append(pool.submit(recent.get, "a", lambda: 8))
            wait(others, timeout=0.2)
            return 7

        assert recent.get("a", make) == 7
        assert others[0].result(60) == 7


def test_the_last_ones_are_kept() -> None:
    recent: Recent[str] = Recent(2)
    made: list[str] = []

    def get(name: str) -> str:
        return recent.get(name, lambda: made.append(name) or name)  # type: ignore[func-returns-value]

    for name in ("a", "b", "a", "c", "a", "b"):
        assert get(name) == name
    assert made == ["a", "b", "c", "b"]
    recent.forget("b")
    get("b")
    recent.clear()
    get("a")
    assert made == ["a", "b", "c", "b", "b", "a"]


def test_what_fails_is_tried_again() -> None:
    recent: Recent[int] = Recent(2)
    with pytest.raises(ZeroDivisionError):
        recent.get("a", lambda: 1 // 0)
    assert recent.get("a", lambda: 5) == 5
