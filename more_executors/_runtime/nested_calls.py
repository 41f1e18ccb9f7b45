"""Calls of the standard library's pools in a signal handler or a destructor, which interrupt another such call.

A signal handler, or a destructor, may run in the middle of a call of a pool. That call holds locks: one of the pool,
and one that all thread pools share. Another call there would wait for its own thread, and so for ever.

Guarantees:

* No call waits for the call that it interrupted: `submit` raises, and `shutdown` is done when that call is over.
* To find out costs a look at two locks. If one is held, maybe by another thread, the frames of this thread are read.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, thread
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeVar

from .._chaining import Chainable
from .._types import P, R
from .delegate import Submits

__all__: list[str] = []

F = TypeVar("F", bound=Callable[..., Any])

NESTED = (
    "cannot submit to a pool in a signal handler, or a destructor, that interrupted a call of a pool on this thread: "
    "have it leave word instead, by a flag or a queue.SimpleQueue, or submit through with_retry() or with_throttle()"
)

_shared_lock: Any = getattr(thread, "_global_shutdown_lock", None) or threading.Lock()


def codes(*functions: Callable[..., Any] | None) -> frozenset[CodeType]:
    return frozenset(function.__code__ for function in functions if function is not None)


SUBMITTING = set(codes(ThreadPoolExecutor.submit, ProcessPoolExecutor.submit, getattr(thread, "_python_exit", None)))
ENDING = codes(
    ThreadPoolExecutor.shutdown, ProcessPoolExecutor.shutdown, getattr(ThreadPoolExecutor, "_initializer_failed", None)
)
OF_FUTURES = codes(*(method for method in vars(Future).values() if isinstance(method, FunctionType)))
OF_ALL_THREADS = codes(getattr(threading.Thread, "_stop", None))  # holds a lock that all threads share, up to 3.12


class Idle:
    """Replaces the semaphore that counts the idle threads of a thread pool. It takes no lock and never waits."""

    def __init__(self) -> None:
        self._threads: deque[None] = deque()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take one idle thread; returns False if there is none."""
        try:
            self._threads.pop()
        except IndexError:
            return False
        return True

    def release(self, n: int = 1) -> None:
        """Add `n` idle threads."""
        self._threads.extend((None,) * n)

    @property
    def _value(self) -> int:
        return len(self._threads)


def takes_locks_of_pools(function: F) -> F:
    """Note that `function`, which it returns, holds such locks for as long as it runs."""
    SUBMITTING.update(codes(function))
    return function


def would_wait_for_itself(pool: Any) -> bool:
    """Whether this thread, in a call that was interrupted, holds a lock that `submit` of `pool` needs."""
    try:
        starting: Any = getattr(threading, "_active_limbo_lock", None)
        if not (pool._shutdown_lock.locked() or _shared_lock.locked() or starting._is_owned()):
            return False
    except AttributeError:  # it was never made: a mock took the place of its constructor
        return False
    return starts_a_thread() or any(
        frame.f_code in SUBMITTING or (frame.f_code in ENDING and frame.f_locals.get("self") is pool)
        for frame in frames()
    )


def starts_a_thread() -> bool:
    """Whether this thread is starting a thread, and holds the lock without which none can start or end."""
    lock = getattr(threading, "_active_limbo_lock", None)
    return lock is not None and hasattr(lock, "_is_owned") and lock._is_owned()


def start_thread(thread: threading.Thread) -> None:
    """Start `thread`. Raises RuntimeError if that fails, or if this thread would wait for itself."""
    if starts_a_thread():
        raise RuntimeError(
            "cannot start a thread in a signal handler, or a destructor, that interrupted the start of another"
        )
    thread.start()


def holds_up_workers(pool: Any = None) -> bool:
    """Whether this thread holds a lock that a worker may need, of `pool` or of any: then it must not wait for workers.

    It does in the middle of a call of `pool` or of a future, and while it starts a thread.
    """
    if starts_a_thread():
        return True
    for frame in frames():
        code = frame.f_code
        if code in OF_ALL_THREADS:
            return True
        if code in OF_FUTURES:
            condition = getattr(frame.f_locals.get("self"), "_condition", None)
            if isinstance(condition, threading.Condition) and condition._is_owned():  # type: ignore[attr-defined]  # its stub leaves it out
                return True
        elif (code in ENDING or code.co_name == "submit") and pool is not None and frame.f_locals.get("self") is pool:
            return True
    return False


def frames() -> Iterator[FrameType]:
    """The frames of this thread, the caller's first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def shut_down_once_free(pool: Any, shutdown: Callable[..., object], args: Any, kwargs: dict[str, Any]) -> None:
    """Call `shutdown`, which is that of `pool`, with these arguments.

    If it interrupted another call on this thread, it does not wait; if that call holds a lock that it needs, another
    thread calls it as soon as the lock is free.
    """
    if would_wait_for_itself(pool):
        _thread.start_new_thread(shutdown, args[1:], {**kwargs, "wait": False})  # a Thread would take locks
    elif holds_up_workers(pool):
        shutdown(*args[1:], **{**kwargs, "wait": False})
    else:
        shutdown(*args, **kwargs)


class Guarded:
    """Submits to a pool that is not of this library, after the check that the pools of this library do themselves."""

    __slots__ = ("_pool",)

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        try:
            if would_wait_for_itself(self._pool):
                raise RuntimeError(NESTED)
            future: Future[R] = self._pool.submit(fn, *args, **kwargs)
            return future
        finally:
            del self, fn, args, kwargs  # see _frames


def way_into(delegate: Submits) -> Submits:
    """What has a `submit` that does what that of `delegate` does, with that check, and as fast as can be."""
    make: Callable[[Submits], Submits] | None = getattr(type(delegate), "_way_in", None)  # an object may have anything
    return guarded(delegate) if make is None else make(delegate)


def guarded(delegate: Submits) -> Submits:
    """`delegate`, or if it is a pool of the standard library something that checks before it submits to that."""
    if isinstance(delegate, (ThreadPoolExecutor, ProcessPoolExecutor)) and not isinstance(delegate, Chainable):
        return Guarded(delegate)
    return delegate
