"""What keeps a student's own cells short, in their kernel: trials may train for minutes.

It is for the class's time, not for its safety: code that switches it off meets the limits of the
run, and the points that it wanted are not judged.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from coursekit.grading.sandbox.kernel import EACH_BY_ITSELF

if TYPE_CHECKING:
    from types import FrameType

#: Seconds on the clock that one cell of the student's may take, and that all of them may.
CELL, ALL = 5.0, 20.0
_MORE = 1.0  # for each statement below one that took too long


def begin() -> None:
    """From the next cell on, a statement that takes too long ends with an exception."""
    events: Any = sys.modules["IPython"].get_ipython().events
    left = ALL
    started = 0.0

    def start(info: Any) -> None:
        nonlocal started
        text = str(info.raw_cell)
        if text.endswith(EACH_BY_ITSELF) or text.lstrip().startswith("%%"):
            started = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, max(min(CELL, left), _MORE), _MORE)

    def stop(result: Any) -> None:
        nonlocal left, started
        signal.setitimer(signal.ITIMER_REAL, 0)
        left -= time.monotonic() - started if started else 0
        started = 0.0

    os.environ["PIP_NO_INDEX"] = "1"  # there is no network to wait for
    signal.signal(signal.SIGALRM, _too_long)
    events.register("pre_run_cell", start)
    events.register("post_run_cell", stop)


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError("when grading, a cell beside the answers may not take so long")
