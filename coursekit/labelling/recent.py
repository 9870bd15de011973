"""Values that are dear to make, kept while they are asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Recent(Generic[T]):
    """The values that were asked for last; each is made once, however many threads ask.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self.most, self._lock = most, threading.Lock()
        self._held: OrderedDict[str, Future[T]] = OrderedDict()

    def get(self, name: str, make: Callable[[], T]) -> T:
        """A value; what `make` raises is raised here and in all threads that wait for it."""
        with self._lock:
            held = self._held.get(name)
            mine = held is None
            if held is None:
                held = self._held[name] = Future()
            self._held.move_to_end(name)
            while len(self._held) > self.most:
                self._held.popitem(last=False)
        if mine:
            try:
                held.set_result(make())
            except BaseException as error:
                self._drop(name, held)
                held.set_exception(error)
        return held.result()

    def forget(self, name: str) -> None:
        """It is made anew when it is asked for next."""
        with self._lock:
            self._held.pop(name, None)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._held.clear()

    def _drop(self, name: str, held: Future[T]) -> None:
        with self._lock:
            if self._held.get(name) is held:
                del self._held[name]
