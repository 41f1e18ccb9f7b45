"""A call that is interrupted, at the lines that it runs, by another one on the same thread.

Signal handlers run between two instructions of Python, as trace functions do.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import queue
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, InvalidStateError
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from support import PATIENCE, InThread

import more_executors
from more_executors.journal import JournalError

HERE = str(Path(more_executors.__file__).parent)

# What a call may raise that cannot be answered there, or came too late.
REFUSALS = (
    RuntimeError,
    JournalError,
    InvalidStateError,
    CancelledError,
    TimeoutError,
    concurrent.futures.TimeoutError,  # another one up to Python 3.10
)


def tried(call: Callable[[], object]) -> None:
    with contextlib.suppress(*REFUSALS):
        call()


def interrupted(
    call: Callable[[], object],
    by: Callable[[], object],
    at: Callable[[int], bool],
    where: tuple[str, ...] = (HERE,),
) -> int:
    """Make `call`, and `by` at each line in `where` for whose number `at` says so; how many lines there were."""
    lines = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(where):
            return None
        if event == "line":
            lines += 1
            if at(lines):
                tried(by)
        return trace

    sys.settrace(trace)
    try:
        tried(call)
    finally:
        sys.settrace(None)
    return lines


class Watched:
    """Runs a generator of steps on a thread: each has to come within the patience that there is."""

    def __init__(self, steps: Iterator[str]) -> None:
        self._begun: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = InThread(self._run, steps)
        last: str | None = "nothing"
        while last is not None:
            try:
                step = self._begun.get(timeout=PATIENCE)
            except queue.Empty:
                pytest.fail(f"does not go on: {last}")
            last = step
        self._thread.outcome()

    def _run(self, steps: Iterator[str]) -> None:
        try:
            for step in steps:
                self._begun.put(step)
        finally:
            self._begun.put(None)
