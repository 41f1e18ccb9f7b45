"""What several test files share: threads whose outcome is seen, kinds of futures, locks that say who sleeps on them."""

from __future__ import annotations

import _thread
import concurrent.futures
import contextlib
import gc
import logging
import queue
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from math import inf
from typing import Any, ClassVar

import pytest

from more_executors import PollDescriptor, PollExecutor, SyncExecutor, _core
from more_executors.poll import _call, _gate, _scheduler

# Whoever waits gives up, and fails the test, after so many seconds: many, as the machine may be busy, but fewer than
# the minute that executors of tests leave to themselves, so that what is seen to only then fails.
PATIENCE = 50.0
CHILD_PATIENCE = 300.0  # for a process


class InThread(threading.Thread):
    """A thread that calls `function(*args)`, started at once; `outcome` is what that returns or raises."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        super().__init__(daemon=True)
        self._call: Future[Any] = Future()
        self._function = function
        self._arguments = args
        self.start()

    def run(self) -> None:
        function, args = self._function, self._arguments
        del self._function, self._arguments
        try:
            self._call.set_result(function(*args))
        except BaseException as error:
            self._call.set_exception(error)

    def outcome(self) -> Any:
        """Wait for the thread to end; returns what the function returned, or raises what it raised."""
        self.join(PATIENCE)
        assert not self.is_alive(), "the thread does not end"
        return self._call.result(0)


def all_at_once(*functions: Callable[[], Any]) -> list[Any]:
    """Call each function on a thread of its own, all starting together; returns what they returned."""
    barrier = threading.Barrier(len(functions))

    def start_together(function: Callable[[], Any]) -> Any:
        barrier.wait(PATIENCE)
        return function()

    threads = [InThread(start_together, function) for function in functions]
    return [thread.outcome() for thread in threads]


def in_words(value: object) -> str:
    """`repr(value)` without addresses: part of the name of a test, which is to be the same in every process."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


class SomeError(Exception):
    """What fails on purpose in a test fails with this."""


class Thing:
    """An object that can be weakly referenced, and nothing else."""


class Hostile:
    """A value that may be kept and handed over, and nothing else."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    def __hash__(self) -> int:
        raise AssertionError("hashed")

    def __bool__(self) -> bool:
        raise AssertionError("taken for a truth value")

    def __len__(self) -> int:
        raise AssertionError("measured")


def is_gone(reference: weakref.ref[Any]) -> bool:
    """Whether what `reference` is to is collected, at last when a thread that has it in hand is done with it."""
    until = time.monotonic() + PATIENCE
    while reference() is not None and time.monotonic() < until:
        gc.collect()
        threading.Event().wait(0.001)
    return reference() is None


class WatchedLock:
    """A lock that tells when a thread is about to sleep on it, and leaves the rest to `WatchedLocks.on_sleep`."""

    def __init__(self, locks: WatchedLocks) -> None:
        self._lock = _thread.allocate_lock()
        self._locks = locks
        self.releases = 0

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        if timeout is None:
            return self._lock.acquire(blocking)
        self._locks.asleep.put(self)
        return self._locks.on_sleep(self, timeout)

    def sleep(self, seconds: float) -> bool:
        """What a thread does that nobody interferes with."""
        return self._lock.acquire(True, seconds)

    def release(self) -> None:
        self.releases += 1
        self._lock.release()


class WatchedLocks:
    """Stands in for `_core.allocate_lock`, to know when threads of ours go to sleep, and to have a say in it.

    `asleep` has the locks that threads went to sleep on, in that order; `made` counts the locks that were made.
    `on_sleep(lock, seconds)` is what such a thread does: unless a test puts in something else, it sleeps.
    """

    def __init__(self) -> None:
        self.made = 0
        self.asleep: queue.SimpleQueue[WatchedLock] = queue.SimpleQueue()
        self.on_sleep: Callable[[WatchedLock, float], bool] = WatchedLock.sleep

    def __call__(self) -> WatchedLock:
        self.made += 1
        return WatchedLock(self)

    def next_asleep(self) -> WatchedLock:
        """Wait until the next thread goes to sleep; returns the lock it sleeps on."""
        return self.asleep.get(timeout=PATIENCE)


# -- kinds of futures --------------------------------------------------------------------------------------------


class FutureKind:
    """A way to come by a pending future, and to end it as its executor would, on the caller's thread."""

    name: ClassVar[str]
    # What cancel() leaves in `_state`. In concurrent.futures the executor is yet to notice, and to say so.
    state_when_cancelled: ClassVar[str] = "CANCELLED_AND_NOTIFIED"

    def pending(self) -> Future[Any]:
        """A new future that is neither done nor running."""
        raise NotImplementedError

    def start(self, future: Future[Any]) -> None:
        """Have `running()` of a pending future true."""
        assert future.set_running_or_notify_cancel()

    def finish(self, future: Future[Any], result: Any) -> None:
        """End a future that is not done with `result`."""
        raise NotImplementedError

    def fail(self, future: Future[Any], error: BaseException) -> None:
        """End a future that is not done with `error`."""
        raise NotImplementedError

    def end(self, future: Future[Any], how: str) -> Any:
        """End a future that is not done: "finish", "fail" or "cancel". Returns what `said` gives from then on."""
        if how == "finish":
            self.finish(future, "result")
            return "result"
        if how == "fail":
            self.fail(future, SomeError())
            return SomeError
        assert future.cancel() is True
        return CancelledError

    def close(self) -> None:
        """Leave nothing behind."""


every_end = pytest.mark.parametrize("how", ["finish", "fail", "cancel"])


def said(future: Future[Any], timeout: float | None = PATIENCE, call: str = "result") -> Any:
    """What `result` or `exception` returns, or the type of what it raises."""
    try:
        return getattr(future, call)(timeout)
    except BaseException as error:
        return type(error)


class MadeByHand(FutureKind):
    name = "by hand"
    state_when_cancelled = "CANCELLED"
    future_type: ClassVar[type[Future[Any]]] = _core.Future

    def pending(self) -> Future[Any]:
        return self.future_type()

    def finish(self, future: Future[Any], result: Any) -> None:
        future.set_result(result)

    def fail(self, future: Future[Any], error: BaseException) -> None:
        future.set_exception(error)


class OfTheStandardLibrary(MadeByHand):
    """The reference: what is asked of ours must be true of these, or else the test is wrong."""

    name = "standard library"
    future_type = Future


class Subclassed(MadeByHand):
    name = "of a subclass"

    class WithField(_core.Future[Any]):
        def __init__(self, field: str = "") -> None:
            self.field = field

    future_type = WithField


class Polled(FutureKind):
    """Of a PollExecutor, and being polled."""

    name = "polled"

    def __init__(self) -> None:
        self._keys: weakref.WeakKeyDictionary[Future[Any], Thing] = weakref.WeakKeyDictionary()
        self._descriptors: dict[Any, PollDescriptor[Any, Any]] = {}
        self._taken: set[Any] = set()
        self._changed = threading.Condition()
        self._executor = PollExecutor(self._delegate(), self._poll, default_interval=60.0)

    def _delegate(self) -> concurrent.futures.Executor:
        return SyncExecutor()

    def _poll(self, descriptors: list[PollDescriptor[Any, Any]]) -> None:
        with self._changed:
            # The list may be of before a descriptor was taken, which is not to be kept then.
            self._descriptors = {d.result: d for d in descriptors if d.result not in self._taken}
            self._changed.notify_all()

    def _descriptor(self, future: Future[Any]) -> PollDescriptor[Any, Any]:
        key = self._keys[future]
        with self._changed:
            assert self._changed.wait_for(lambda: key in self._descriptors, PATIENCE), "not polled"
            self._taken.add(key)
            return self._descriptors.pop(key)

    def pending(self) -> Future[Any]:
        key = Thing()
        future = self._executor.submit(lambda: key)
        self._keys[future] = key
        return future

    def finish(self, future: Future[Any], result: Any) -> None:
        self._descriptor(future).yield_result(result)

    def fail(self, future: Future[Any], error: BaseException) -> None:
        self._descriptor(future).yield_exception(error)

    def end(self, future: Future[Any], how: str) -> Any:
        ended = super().end(future, how)
        with self._changed:  # whoever has a descriptor keeps its future: of one that was cancelled, nobody took it
            key = self._keys.get(future)
            self._taken.add(key)
            self._descriptors.pop(key, None)
        return ended

    def close(self) -> None:
        for future in list(self._keys):
            if not future.cancel() and not future.done():
                future.set_result(None)
        self._executor.shutdown()
        del self._executor
        self._descriptors.clear()


class ScriptedDelegate(concurrent.futures.Executor):
    """Calls nothing: the test ends the futures it gave, which are in `given`."""

    def __init__(self, future_type: type[Future[Any]] = Future) -> None:
        self.future_type = future_type
        self.given: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = self.future_type()
        self.given.append(future)
        return future


class WithDelegate(Polled):
    """Of a PollExecutor whose delegate has not called the callable yet, and gave a future of the standard library."""

    name = "with a delegate"
    future_type: ClassVar[type[Future[Any]]] = Future

    def __init__(self) -> None:
        super().__init__()
        self._delegate_futures: weakref.WeakKeyDictionary[Future[Any], Future[Any]] = weakref.WeakKeyDictionary()

    def _delegate(self) -> concurrent.futures.Executor:
        self._scripted = ScriptedDelegate(self.future_type)
        return self._scripted

    def pending(self) -> Future[Any]:
        future = super().pending()
        self._delegate_futures[future] = self._scripted.given.pop()
        return future

    def start(self, future: Future[Any]) -> None:
        assert self._delegate_futures[future].set_running_or_notify_cancel()

    def finish(self, future: Future[Any], result: Any) -> None:
        self._delegate_futures.pop(future).set_result(self._keys[future])
        super().finish(future, result)

    def fail(self, future: Future[Any], error: BaseException) -> None:
        self._delegate_futures.pop(future).set_exception(error)

    def close(self) -> None:
        super().close()
        self._delegate_futures.clear()


class WithDelegateOfOurs(WithDelegate):
    name = "with a delegate of ours"
    future_type = _core.Future


EVERY_KIND = (OfTheStandardLibrary, MadeByHand, Subclassed, Polled, WithDelegate, WithDelegateOfOurs)
OUR_KINDS = EVERY_KIND[1:]


def kind_fixture(kinds: tuple[type[FutureKind], ...]) -> Any:
    """The fixture that runs a test once for each of `kinds` of futures: `kind = kind_fixture(EVERY_KIND)`."""

    @pytest.fixture(params=kinds, ids=[kind.name for kind in kinds])
    def kind(request: pytest.FixtureRequest) -> Iterator[FutureKind]:
        kind = request.param()
        yield kind
        kind.close()

    return kind


# -- poll functions and delegates that do as the test says -------------------------------------------------------


class RecordingPoll:
    """A poll function that resolves nothing: it hands its lists to the test, and returns `delay`."""

    def __init__(self, delay: object = inf) -> None:
        self.delay = delay
        self._lists: queue.SimpleQueue[list[PollDescriptor[Any, Any]]] = queue.SimpleQueue()

    def __call__(self, descriptors: list[PollDescriptor[Any, Any]]) -> Any:
        self._lists.put(descriptors)
        return self.delay

    def next(self) -> list[PollDescriptor[Any, Any]]:
        """Wait for the next call; returns its list."""
        return self._lists.get(timeout=PATIENCE)

    def next_of(self, length: int) -> list[PollDescriptor[Any, Any]]:
        """Wait for a call with `length` descriptors, passing over others; returns its list."""
        while len(descriptors := self.next()) != length:
            pass
        return descriptors

    def next_with(self, results: list[Any]) -> list[PollDescriptor[Any, Any]]:
        """Wait for a call with descriptors of `results`, in that order, passing over others; returns its list."""
        while True:
            descriptors = self.next()
            if [descriptor.result for descriptor in descriptors] == results:
                return descriptors

    def unasked(self) -> int:
        """How many calls there were that the test has not asked for yet."""
        return self._lists.qsize()


class PollCall:
    """One call of a SteppedPoll, which goes on when the test ends it."""

    def __init__(self, descriptors: list[PollDescriptor[Any, Any]]) -> None:
        self.descriptors = descriptors
        self.thread = threading.current_thread()
        self._ended = threading.Event()
        self._returning: object = None
        self._raising: BaseException | None = None

    def end(self, returning: object = inf, *, raising: BaseException | None = None) -> None:
        """Have the poll function return, or raise, so."""
        self._returning, self._raising = returning, raising
        self._ended.set()

    def outcome(self) -> object:
        assert self._ended.wait(PATIENCE), "the test did not end the call"
        if self._raising is not None:
            raise self._raising
        return self._returning


class SteppedPoll:
    """A poll function each call of which waits for the test: `next()` gives the call."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[PollCall] = queue.SimpleQueue()

    def __call__(self, descriptors: list[PollDescriptor[Any, Any]]) -> Any:
        call = PollCall(descriptors)
        self._calls.put(call)
        return call.outcome()

    def next(self) -> PollCall:
        """Wait for the next call to begin."""
        return self._calls.get(timeout=PATIENCE)


FOREVER = -1.0


class PollSleeps:
    """The time of poll threads: they sleep until something wakes them, or the test lets the time pass.

    To be made before the executor.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.before_sleep: Callable[[], object] = lambda: None
        self._seconds: queue.SimpleQueue[float] = queue.SimpleQueue()
        self._passing = 0
        self._others = threading.Semaphore(0)
        self._lock: WatchedLock | None = None
        locks = WatchedLocks()
        locks.on_sleep = self._sleep
        monkeypatch.setattr(_core, "allocate_lock", locks)
        self._now = 0.0
        for module in (_core, _call, _gate, _scheduler):
            monkeypatch.setattr(module, "monotonic", lambda: self._now)

    def _sleep(self, lock: WatchedLock, seconds: float) -> bool:
        if not threading.current_thread().name.startswith("PollExecutor-"):
            self._others.release()
            return lock.sleep(seconds)
        self._lock = lock
        self.before_sleep()
        self._seconds.put(seconds)
        if self._passing:
            self._passing -= 1
            self._now += seconds
            return lock.acquire(False)
        return lock.sleep(FOREVER)

    def let_pass(self, sleeps: int) -> None:
        """The time of the next `sleeps` sleeps is over at once."""
        self._passing = sleeps

    def next(self) -> float:
        """Wait until a poll thread goes to sleep; returns for how many seconds: FOREVER if only a wake-up ends that.

        The poll before it is over; a wake-up that came during that poll ends the sleep at once.
        """
        return self._seconds.get(timeout=PATIENCE)

    def wait_for_others(self, count: int) -> None:
        """Wait until `count` more threads, no poll threads, have gone to sleep."""
        for _ in range(count):
            assert self._others.acquire(timeout=PATIENCE), "nobody goes to sleep"

    def wake_ups(self) -> int:
        """How often the poll thread that sleeps has been woken, or kept from sleeping, so far."""
        assert self._lock is not None, "no thread sleeps"
        return self._lock.releases


class Parking:
    """A callable that holds who calls it until the test lets go, and then returns, or raises, as the test says."""

    def __init__(self, returning: object = None, *, raising: BaseException | None = None) -> None:
        self.returning = returning
        self.raising = raising
        self.calls: list[tuple[Any, ...]] = []
        self._arrivals = threading.Semaphore(0)
        self._free = threading.Event()

    def __call__(self, *args: Any) -> Any:
        self.calls.append(args)
        self._arrivals.release()
        assert self._free.wait(PATIENCE), "the test did not let go"
        if self.raising is not None:
            raise self.raising
        return self.returning

    def wait_for_one(self) -> None:
        """Wait until one more caller is held here."""
        assert self._arrivals.acquire(timeout=PATIENCE), "nobody came"

    def let_go(self) -> None:
        """Hold nobody any more."""
        self._free.set()


class DuckFuture:
    """What a delegate's future has to have, and no more: no base class, no `running`, no lock."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Any], object]] = []
        self._end: tuple[Any, BaseException | None] | None = None
        self.agrees_to_cancel = False

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        self._callbacks.append(fn)
        if self._end is not None:
            fn(self)

    def cancel(self) -> Any:
        return self.agrees_to_cancel

    def cancelled(self) -> bool:
        return False

    def result(self) -> Any:
        assert self._end is not None
        if self._end[1] is not None:
            raise self._end[1]
        return self._end[0]

    def exception(self) -> BaseException | None:
        assert self._end is not None
        return self._end[1]

    def end(self, result: Any = None, error: BaseException | None = None) -> None:
        """Be done, and call back."""
        self._end = result, error
        self.call_back()

    def call_back(self) -> None:
        for callback in self._callbacks:
            callback(self)


class DuckDelegate:
    """A delegate of `submit` and `shutdown` alone; the test ends the futures it gave, which are in `given`."""

    def __init__(self, future_type: Callable[[], Any] = DuckFuture) -> None:
        self._future_type = future_type
        self.given: list[Any] = []
        self.submitted: list[tuple[Any, ...]] = []
        self.shutdowns: list[dict[str, Any]] = []
        self._shut_down = threading.Event()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.submitted.append((fn, args, kwargs))
        self.given.append(self._future_type())
        return self.given[-1]

    def shutdown(self, **how: Any) -> None:
        self.shutdowns.append(how)
        self._shut_down.set()

    def wait_for_shutdown(self) -> dict[str, Any]:
        """Wait until it is shut down; returns how it was, which must be once."""
        assert self._shut_down.wait(PATIENCE), "the delegate is not shut down"
        (how,) = self.shutdowns
        return how


class HeardLogger(logging.Logger):
    """A logger that only the test hears: `lines` has the level, the message and the exception of each record."""

    def __init__(self, *, raising: BaseException | None = None) -> None:
        super().__init__("heard", logging.DEBUG)
        self.lines: list[tuple[str, str, BaseException | None]] = []
        self._raising = raising

    def handle(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelname, record.getMessage(), record.exc_info[1] if record.exc_info else None))
        if self._raising is not None:
            raise self._raising

    def of_level(self, level: str) -> list[str]:
        """The messages of that level."""
        return [message for at, message, _ in self.lines if at == level]


class Ear(logging.Handler):
    """Passes every record on to a HeardLogger."""

    def __init__(self, heard: HeardLogger) -> None:
        super().__init__()
        self._heard = heard

    def handle(self, record: logging.LogRecord) -> bool:
        self._heard.handle(record)
        return True


@contextlib.contextmanager
def listening_to(name: str, *, raising: BaseException | None = None) -> Iterator[HeardLogger]:
    """Have a HeardLogger, and nobody else, hear what is logged to the logger called `name` and those below it."""
    # No test makes a class that refers to what it tests: in free-threaded Python 3.13, classes live for ever.
    heard = HeardLogger(raising=raising)
    logger, ear = logging.getLogger(name), Ear(heard)
    before = logger.propagate, logger.level
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(ear)
    try:
        yield heard
    finally:
        logger.removeHandler(ear)
        logger.propagate = before[0]
        logger.setLevel(before[1])


def poll_thread(name: str) -> threading.Thread:
    """The thread of the PollExecutor called `name`."""
    (thread,) = (thread for thread in threading.enumerate() if thread.name == f"PollExecutor-{name}")
    return thread


def assert_ends(thread: threading.Thread) -> None:
    """Wait for `thread` to end."""
    # In short turns: on a free-threaded Python, an object that another thread dropped last goes away only when the
    # thread that made it next runs Python code.
    for _ in range(100):
        thread.join(PATIENCE / 100)
        if not thread.is_alive():
            return
    raise AssertionError(f"{thread.name} does not end")


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """No garbage is collected meanwhile: what goes away does so because nobody refers to it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextlib.contextmanager
def polling(
    poll: Callable[[list[Any]], Any], delegate: Any = None, logger: Any = None
) -> Iterator[PollExecutor[Any, Any]]:
    """An executor that polls with `poll`, on a SyncExecutor by default; what is left at the end is cancelled."""
    executor: PollExecutor[Any, Any] = PollExecutor(delegate or SyncExecutor(), poll, logger=logger)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def returning(*delays: object) -> Callable[[list[Any]], Any]:
    """A poll function that returns one after the other of `delays`, then inf."""
    left = iter(delays)
    return lambda descriptors: next(left, inf)
