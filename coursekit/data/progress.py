"""Progress for work over a second: a bar on a terminal or in a notebook, nothing in a log."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")

# How many results may wait for their reader: enough to keep the threads busy, little memory.
_AHEAD = 64


def progress(items: Iterator[T], total: int, what: str) -> Iterator[T]:
    """Pass `items` on; show a bar once that has taken a second, where somebody watches."""
    watched = sys.stderr is not None and sys.stderr.isatty()
    if not watched and not _in_notebook():
        yield from items
        return
    from tqdm.auto import tqdm

    yield from tqdm(items, total=total, desc=what, delay=1, leave=False)


def _in_notebook() -> bool:
    """Whether this process is a notebook's kernel; having its packages imported is not enough."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


def threaded(
    function: Callable[[T], R], items: Sequence[T], what: str, *, threads: bool = True
) -> Iterator[R]:
    """Apply `function` to every item on all cores, with progress; results keep the order.

    Decoding and resizing release Python's lock, so threads suffice. What holds the lock is better
    done without (`threads=False`). The first error ends the work.
    """
    if not threads:
        yield from progress(map(function, items), len(items), what)
        return
    workers = min(os.cpu_count() or 1, 16)
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from progress(_ordered(pool, function, items), len(items), what)
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
