"""What every test gets: nothing it started may be left behind, and no error may go unseen."""

from __future__ import annotations

import gc
import importlib
import itertools
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("support")))

import failed_blocks
import keepers
from support import PATIENCE

from more_executors import _core, metrics

# What needs a service from outside runs when its folder is named: `make real`.
collect_ignore = ["real"]

# There, a garbage collection looks at everything there is.
FREE_THREADED = not getattr(sys, "_is_gil_enabled", lambda: True)()

# What a live object of ours is an instance of: a test that is over has left none of these behind.
OURS = (_core.FutureBase, _core.PollDescriptor, _core.TaskTable, _core.Timers, _core.Timer)


def pytest_configure() -> None:
    """Let a Ctrl-C be one, although a shell that runs this in the background has it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count what tests keep on purpose where objects are counted."""
    if _core.live_objects():
        for item in items:
            if isinstance(item, pytest.Function) and item.get_closest_marker("keeps_objects"):
                item.fixturenames.insert(0, "keeping_objects")


def pytest_collection_finish() -> None:
    """Keep what there is before the first test out of sight of the garbage collector: tests collect often."""
    if "hypothesis" in sys.modules:
        run_a_property()
    gc.collect()
    gc.freeze()
    if FREE_THREADED:
        # A collection walks over what is frozen, too, and whether one is due goes by what is not.
        gc.set_threshold(50_000)


def run_a_property() -> None:
    """Let Hypothesis make its random numbers now: where it derandomizes, as it does under CI, it asks the garbage
    collector who holds them, and warns if nobody does; a holder that is frozen is nobody."""
    from hypothesis import given, settings
    from hypothesis import strategies as st

    settings(max_examples=1, database=None)(given(st.none())(lambda _: None))()


def is_ours(thing: object) -> bool:
    return issubclass(type(thing), OURS)  # its `__class__` may say something else


def live_objects() -> Counter[str]:
    return Counter(type(thing).__name__ for thing in gc.get_objects() if is_ours(thing))


def check_no_objects(keeps_some: bool) -> None:
    """Fail if something of ours is left alive since the last call, unless that is on purpose."""
    leaked = live_objects()
    if leaked:
        gc.collect()  # a thread may have dropped what it had after the last collection
        leaked = live_objects()
    if FREE_THREADED:  # where nothing can be frozen
        until = time.monotonic() + 5.0
        while leaked - known_objects[0] and time.monotonic() < until:  # see `threads_after`
            threading.Event().wait(0.05)
            gc.collect()
            leaked = live_objects()
        leaked, known_objects[:] = leaked - known_objects[0], [leaked]
    report = f"objects left alive: {leaked}, kept by\n{keepers.kept_by(is_ours)}" if leaked and not keeps_some else None
    gc.freeze()  # what there is now the next call does not look at: thousands of tests collect and look
    if report is not None:
        pytest.fail(report)


known_objects = [Counter[str]()]


def threads_after(before: set[threading.Thread], seconds: float = PATIENCE) -> list[threading.Thread]:
    """The threads that are still there `seconds` later at the most, but were not `before`."""
    deadline = time.monotonic() + seconds
    for turn in itertools.count():
        left = [thread for thread in threading.enumerate() if thread not in before]
        if not left or time.monotonic() > deadline:
            break
        # In short turns: on a free-threaded Python, an object that another thread dropped last goes away only when the
        # thread that made it next runs Python code.
        left[0].join(0.01)
        if turn % 10 == 0 and left[0].is_alive():
            gc.collect()
    return left


@pytest.fixture(autouse=True, scope="session")
def no_object_outlives_the_tests() -> Iterator[None]:
    """On a debug build, which counts objects of every class: there are no more after the tests than before them.

    But for what tests keep on purpose.
    """
    importlib.import_module("more_executors.journal._sqlite")  # which is imported when needed, and has one for good
    before = counted_objects()
    yield
    left = counted_objects() - before - kept_objects
    assert not left, f"objects that outlive the tests: {left}"


kept_objects = Counter[str]()


@pytest.fixture
def keeping_objects() -> Iterator[None]:
    before = counted_objects()
    yield
    kept_objects.update(counted_objects() - before)


def counted_objects() -> Counter[str]:
    gc.unfreeze()
    gc.collect()
    metrics._collector.totals()  # which forgets executors that are gone
    found = Counter(_core.live_objects())
    gc.freeze()
    return found


@pytest.fixture
def threads_taking_turns() -> Iterator[None]:
    """Have threads take turns a thousand times as often as usual."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture(autouse=True, scope="session")
def failed_tests_end() -> Iterator[None]:
    """Have a test that fails in a `with` block of an executor not wait there for futures that it would have ended."""
    with pytest.MonkeyPatch.context() as patched:
        for module in ("more_executors._runtime.executor", "more_executors.asyncio"):
            patched.setattr(f"{module}.leave_block", failed_blocks.leave_block)
        yield


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
    if not FREE_THREADED:
        gc.collect()
    left = threads_after(threads)
    assert not left, f"left running: {left}"
    if not FREE_THREADED:
        check_no_objects(request.node.get_closest_marker("keeps_objects") is not None)
    assert not unseen, f"errors nobody saw: {unseen}"


@pytest.fixture(autouse=True, scope="module")
def no_objects_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """The same for objects where it takes too long to look for them after each test."""
    yield
    if FREE_THREADED:
        keeping = [item for item in request.session.items if item.path == request.path]
        check_no_objects(any(item.get_closest_marker("keeps_objects") for item in keeping))
