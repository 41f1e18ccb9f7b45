"""Having allocations of memory fail, of whatever this process does meanwhile."""

from __future__ import annotations

import _testcapi  # type: ignore[import-not-found]
import _thread
import ctypes
import faulthandler
import gc
import logging
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

from more_executors._runtime import call_threads, executor_thread, pauses
from more_executors.journal import _writer_thread
from more_executors.poll import _call, _scheduler

PATIENCE = 10.0
POSITIONS = 60
WIDTHS = (1, 4, 40)  # allocations that fail in a row

# CPython 3.12 may leave a MemoryError behind, which then comes out of whatever is called next, as a SystemError.
NO_MEMORY = (MemoryError, SystemError) if sys.version_info[:2] == (3, 12) else (MemoryError,)

faulthandler.dump_traceback_later(100, exit=True)
for module in (call_threads, _call, _scheduler, _writer_thread, executor_thread):
    module.SECONDS_AFTER_ERROR = 0.002  # type: ignore[attr-defined]
_writer_thread.FIRST_PAUSE = 0.002
pauses.SECONDS_WITHOUT_MEMORY = 0.002
sys.unraisablehook = lambda args: None  # what is lost there is lost for want of memory


def keep_code() -> None:
    """Where CPython lets go of a function's code twice if it has no memory to make the function, hold it often."""

    def nested(code: types.CodeType) -> Iterator[types.CodeType]:
        for each in code.co_consts:
            if isinstance(each, types.CodeType):
                yield each
                yield from nested(each)

    functions = [thing for thing in gc.get_objects() if isinstance(thing, types.FunctionType)]
    codes = {id(code): code for function in functions for code in nested(function.__code__)}
    held = [[code] * 1000 for code in codes.values()]
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(held))


class Logger(logging.Logger):
    """Makes records, which takes memory, and drops them."""

    def __init__(self) -> None:
        super().__init__("starved", logging.DEBUG)

    def handle(self, record: logging.LogRecord) -> None:
        record.getMessage()


class Hunger:
    """Some allocations in a row that fail: so many, from the one at `position` on, counted from when it begins."""

    def __init__(self, position: int, width: int) -> None:
        self._range = (position, position + width)
        self._fed = _thread.allocate_lock()
        self._fed.acquire()

    def begin(self) -> None:
        _testcapi.set_nomemory(*self._range)

    def end(self) -> None:
        """There is memory again."""
        _testcapi.remove_mem_hooks()
        if self._fed.locked():
            self._fed.release()

    def here(self, function: Callable[[], object]) -> bool:
        """Have `function()` called without memory; whether it did not raise a MemoryError."""
        self.begin()
        try:
            function()
            return True
        except NO_MEMORY:
            return False
        finally:
            self.end()

    def wait(self, or_until: Callable[[], bool] = bool) -> None:
        """Until another thread has ended it, or `or_until()` is true: then it ends, too."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:  # this thread starves, too
                if self._fed.acquire(True, 0.01):
                    return
                if or_until():
                    self.end()
                    return
                late = time.monotonic() > deadline
            except MemoryError:
                continue
            assert not late, "the thread has not gone on"


class Sleep:
    """Stands in for what a thread of ours sleeps by: `hunger`, once that is set, begins when the thread wakes up, and
    ends when it falls asleep."""

    def __init__(self, asleep: Any, method: str) -> None:
        self.hunger: Hunger | None = None
        self.falls_asleep = 0
        self._began = False
        self._asleep = asleep
        self._sleep = getattr(asleep, method)
        setattr(self, method, self._slept)

    def _slept(self, *args: Any) -> Any:
        if self._began:
            self._began = False
            hunger, self.hunger = self.hunger, None
            assert hunger is not None
            hunger.end()
        self.falls_asleep += 1
        answer = self._sleep(*args)
        if self.hunger is not None:
            self._began = True
            self.hunger.begin()
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._asleep, name)


def until(happened: Callable[[], object], what: str) -> None:
    """Wait until `happened()` is true."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            faulthandler.dump_traceback()
            raise AssertionError(what)
        time.sleep(0.0005)


def threads_alive() -> list[threading.Thread]:
    # One that ended without memory may be listed still.
    return [thread for thread in threading.enumerate() if thread.is_alive() and thread is not threading.main_thread()]


def run(operation: Callable[[Hunger], None], positions: int = POSITIONS) -> None:
    """Call `operation` again and again, each time with other allocations to fail in it."""
    if (3, 12) <= sys.version_info < (3, 14):
        keep_code()
    for width in WIDTHS:
        for position in range(1, positions + 1):
            try:
                operation(Hunger(position, width))
                until(lambda: not threads_alive(), f"left running: {threading.enumerate()}")
            except BaseException:
                _testcapi.remove_mem_hooks()
                print(f"{operation}: {width} allocations failed from number {position} on", file=sys.stderr)
                raise
