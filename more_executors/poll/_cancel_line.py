"""The line of those who wait to ask a service to cancel many tasks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf

from .._runtime.pauses import SECONDS_WITHOUT_MEMORY, pause
from ..rate_limit._waiter import Waiter

__all__: list[str] = []


class CancelLine:
    """Has threads wait for something one at a time, first come, first served.

    So the time that each of them is ready to wait begins when it is the first. There is no lock, as `wait` may call
    functions of the user's. A signal handler or a destructor, on a thread that is in line, does not wait behind it.
    """

    def __init__(self) -> None:
        # Appending to these, taking out of them and asking what is in them are atomic.
        self._line: deque[Waiter] = deque()
        self._threads: set[int] = set()  # that are in line

    def run_in_turn(self, wait: Callable[[], None]) -> None:
        """Call `wait()` when nobody is ahead any more. Raises what that raises."""
        waiter = Waiter()
        if waiter.thread in self._threads:
            wait()
            return
        try:
            try:
                self._threads.add(waiter.thread)
                self._line.append(waiter)
                while self._line[0] is not waiter:
                    waiter.wait(inf)
                wait()
            finally:
                self._leave(waiter)
        except BaseException:  # a Ctrl-C, perhaps in the midst of leaving
            self._leave(waiter)
            raise

    def _leave(self, waiter: Waiter) -> None:
        """Let the next go. May be called again."""
        while True:
            try:
                if waiter in self._line:
                    self._line.remove(waiter)
                try:  # noqa: SIM105  # which asks for memory
                    self._line[0].set()
                except IndexError:  # there is no next
                    pass
                break
            except MemoryError:
                pause(SECONDS_WITHOUT_MEMORY)
        self._threads.discard(waiter.thread)  # last: what interrupts this does not wait for who has not been woken
