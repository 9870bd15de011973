"""Work on all cores, with progress."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from coursekit import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")

# How many results may wait for their reader: enough to keep the threads busy, little memory.
_AHEAD = 64


def threaded(
    function: Callable[[T], R], items: Sequence[T], what: str, *, threads: bool = True
) -> Iterator[R]:
    """Apply `function` to every item on all cores, with progress; results keep the order.

    Decoding and resizing release Python's lock, so threads suffice. What holds the lock is better
    done without (`threads=False`). The first error ends the work.
    """
    if not threads:
        yield from terminal.bar(map(function, items), what, total=len(items))
        return
    workers = min(os.cpu_count() or 1, 16)
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from terminal.bar(_ordered(pool, function, items), what, total=len(items))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ordered(
    pool: ThreadPoolExecutor, function: Callable[[T], R], items: Sequence[T]
) -> Iterator[R]:
    waiting = []
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= _AHEAD:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()
