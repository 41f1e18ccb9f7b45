"""What every test gets: nothing it started may be left behind, and no error may go unseen."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from more_executors import _core

# What a live object of ours is an instance of: a test that is over has left none of these behind.
OURS = (_core.FutureBase, _core.PollDescriptor, _core.TaskTable, _core.Timers, _core.Timer)


def pytest_configure() -> None:
    """Let a Ctrl-C be one, although a shell that runs this in the background has it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Keep what there is before the first test out of sight of the garbage collector: tests collect often."""
    gc.collect()
    gc.freeze()


def live_objects() -> Counter[str]:
    return Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, OURS))


def threads_after(before: set[threading.Thread], seconds: float = 10.0) -> list[threading.Thread]:
    """The threads that are still there `seconds` later at the most, but were not `before`."""
    deadline = time.monotonic() + seconds
    while left := [thread for thread in threading.enumerate() if thread not in before]:
        left[0].join(max(0.0, deadline - time.monotonic()))
        if time.monotonic() > deadline:
            break
        gc.collect()
    return left


@pytest.fixture(autouse=True)
def nothing_left_behind(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[BaseException | None]]:
    """Fail a test that leaves a thread or one of our objects, or whose errors nobody saw.

    A test that expects errors nobody sees takes them out of the list that this fixture gives.
    """
    unseen: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: unseen.append(args.exc_value))
    monkeypatch.setattr(threading, "excepthook", lambda args: unseen.append(args.exc_value))
    threads = set(threading.enumerate())
    yield unseen
    gc.collect()
    left = threads_after(threads)
    assert not left, f"left running: {left}"
    leaked = live_objects()
    if leaked:
        gc.collect()  # a thread may just have dropped what it had when the first collection came
        leaked = live_objects()
    gc.freeze()  # what there is now the next test does not look at: thousands of tests collect and look
    assert not leaked or request.node.get_closest_marker("keeps_objects"), f"objects left alive: {leaked}"
    assert not unseen, f"errors nobody saw: {unseen}"
