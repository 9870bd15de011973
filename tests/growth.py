"""Does work grow with its input, or with the square of it?

No test says how many seconds something may take: on a busy machine it would fail, on a quick one it
would prove nothing. What is compared is the processor time of this process for two sizes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: The larger input by the smaller one, and the most that its processor time may be by the other's:
#: 8 is linear, 64 is quadratic.
TIMES, MOST = 8, 24

#: Seconds of processor time that anything may take, which the collector of garbage alone can make
#: of a tenth in a process with a million objects. What is quadratic takes many times as long.
SLACK = 1.0


def grows_linearly(work: Callable[[int], object], size: int) -> bool:
    """Whether work on `size` takes about as much longer than on an eighth as it has more to do.

    Args:
        work: is called with a size.
        size: of the larger input.
    """
    small = min(_spent(work, size // TIMES) for _ in range(2))
    return _spent(work, size) < MOST * small + SLACK


def _spent(work: Callable[[int], object], size: int) -> float:
    before = time.process_time()
    work(size)
    return time.process_time() - before
