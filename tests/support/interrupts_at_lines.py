"""An interrupt of the main thread at a chosen line of this library, as if a Ctrl-C came there."""

from __future__ import annotations

import gc
import linecache
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

from support import PATIENCE

import more_executors

# Where Python traces a line, but looks for no signals: a `try` does nothing; a `with` is traced once more where its
# block ends, before what it holds is let go.
QUIET = ("try:", "with ")

OURS = str(Path(more_executors.__file__).parent)

# How often a line of one call counts: a loop may go over all that is on the stack, of which pytest alone has fifty.
ROUNDS = 8


class Interrupt:
    """Raises a KeyboardInterrupt at the line of ours that comes as number `line`, counted from 1."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.left = line
        self.came_out = False

    def _trace(self, frame: FrameType, event: str, _: object) -> Any:
        code = frame.f_code
        # Callbacks of weak references are lambdas: what they raise goes nowhere, and so does that of destructors.
        if not code.co_filename.startswith(OURS) or code.co_name == "<lambda>" or is_in_destructor(frame):
            return None
        return frame.f_trace or _Call(self).trace  # a generator that goes on has the one that it had

    def hits(self, function: Callable[[], object]) -> bool:
        """Call `function()`; whether it has that many lines. `came_out` says whether it was interrupted."""
        before = sys.gettrace()
        # What a garbage collection calls is no line of `function`: what is raised there goes nowhere, and CPython 3.11
        # may go on with the function that traces after it was freed.
        gc.disable()
        sys.settrace(self._trace)
        try:
            function()
        except KeyboardInterrupt:
            self.came_out = True
        finally:
            sys.settrace(before)
            gc.enable()
        return self.left <= 0


def is_in_destructor(frame: FrameType | None) -> bool:
    """Whether it is a call of one, or called by one in a few steps."""
    for _ in range(6):
        if frame is None:
            break
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


class _Call:
    """A call of a function of ours."""

    def __init__(self, interrupt: Interrupt) -> None:
        self._interrupt = interrupt
        self._rounds = Counter[int]()

    def trace(self, frame: FrameType, event: str, _: object) -> Any:
        line = frame.f_lineno
        if event == "line" and not linecache.getline(frame.f_code.co_filename, line).lstrip().startswith(QUIET):
            self._rounds[line] += 1
            if self._rounds[line] <= ROUNDS:
                self._interrupt.left -= 1
                if self._interrupt.left == 0:
                    raise KeyboardInterrupt
        return self.trace


def at_each_line() -> Iterator[Interrupt]:
    """One for each line, until there are no more lines."""
    line = 1
    while True:
        interrupt = Interrupt(line)
        yield interrupt
        if interrupt.left > 0:
            break
        line += 1
    assert line > 1


class Pool(ThreadPoolExecutor):
    """Counts the calls of its `shutdown`."""

    def __init__(self) -> None:
        super().__init__(1)
        self.shutdowns = 0
        self.was_shut_down = threading.Event()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.shutdowns += 1
        super().shutdown(wait, cancel_futures=cancel_futures)
        self.was_shut_down.set()


def assert_no_threads_but(before: set[threading.Thread], line: int) -> None:
    for thread in set(threading.enumerate()) - before:
        thread._started.wait(PATIENCE)  # type: ignore[attr-defined]  # before that it cannot be joined
        thread.join(PATIENCE)
        assert not thread.is_alive(), (line, thread)
