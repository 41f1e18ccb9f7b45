"""The standard library's pools, with a name and the `with_*` methods."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import thread
from contextlib import suppress
from functools import wraps
from operator import attrgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

from . import metrics
from ._chaining import Chainable
from ._checks import check_name, refuse_copy_of_executor
from ._core import CallQueue, WayIn, WorkerPlace, check_threads, counted, futures_logger, threads_are_greenlets
from ._runtime.delegate import Submits
from ._runtime.lifecycle import track
from ._runtime.nested_calls import NESTED, Idle, shut_down_once_free, takes_locks_of_pools, would_wait_for_itself
from ._runtime.pool_worker import BROKEN, IdleWorkers, begin_anew_after_fork, start_worker
from ._types import Anything, P, R, Returned

__all__: list[str] = []


def of_call_queue(name: str) -> property:
    """The attribute `name` of the queue of a pool, as one of the pool."""
    return property(attrgetter(f"_call_queue.{name}"), lambda pool, value: setattr(pool._call_queue, name, value))


def if_theirs(function: Any) -> Any:
    """`function`, or None if a program has put it in the place of one of the standard library."""
    is_theirs = type(function) is FunctionType and function.__globals__ is thread.__dict__
    return function if is_theirs else None


StandardPool = futures.ThreadPoolExecutor
standard_submit = if_theirs(StandardPool.submit)


class ThreadPoolExecutor(futures.ThreadPoolExecutor, Chainable[Anything, Returned[NoReturn]]):
    """A `concurrent.futures.ThreadPoolExecutor`, ten times faster, with a `name`, which its threads are called after.

    Other arguments are passed to that class exactly as they were given: programs put mocks in its place.
    `thread_name_prefix`, if it is given, is used instead of `name`. The attributes are those of that class. The queue,
    the calls and the futures are of this library, except among greenlets, in a subclass that makes its threads in a way
    of its own, and where a program has replaced the `submit` of that class.

    `submit` may be called from a signal handler and from a destructor, whatever that interrupted.
    """

    BROKEN = thread.BrokenThreadPool  # since 3.14 it has one
    __reduce_ex__ = refuse_copy_of_executor

    def __init__(self, *args: Any, name: str = "default", **kwargs: Any) -> None:
        check_threads()
        check_name(name)
        if name != "default" and len(args) < 2:
            kwargs.setdefault("thread_name_prefix", f"ThreadPoolExecutor-{name}")
        self._call_queue = CallQueue(futures_logger)
        super().__init__(*args, **kwargs)
        self._name = name
        # What the `submit` of that class has to be for this to do without it.
        self._stands_for = standard_submit if has_calls_of_ours(type(self)) else None
        self._record = metrics.track(self, "threadpool", name, self._call_queue.counters)
        self._idle_semaphore: Any = Idle() if self._stands_for is None else IdleWorkers(self._call_queue)
        if self._stands_for is not None:
            with suppress(RuntimeError):  # the interpreter ends
                track(self)

    def submit(  # type: ignore[override]  # it can do nothing else
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        if self._stands_for is StandardPool.submit:
            return self._call_queue.submit(self, fn, args, kwargs)
        if would_wait_for_itself(self):
            raise RuntimeError(NESTED)
        future = super().submit(fn, *args, **kwargs)
        return counted(self._call_queue, future) if metrics.enabled else future

    def _way_in(self) -> Submits:
        return WayIn(self, SUBMIT, self._call_queue, self._stands_for)

    def _add_worker(self, place: WorkerPlace) -> None:
        """Start a thread. Raises RuntimeError if that cannot be, or not here, as this would wait for itself."""
        if would_wait_for_itself(self):
            raise RuntimeError(NESTED)
        self._add_worker_with_locks(place)

    @takes_locks_of_pools
    def _add_worker_with_locks(self, place: WorkerPlace) -> None:
        with self._shutdown_lock, thread._global_shutdown_lock:
            if not (self._shutdown or thread._shutdown):
                self._start_worker(place)

    def _start_worker(self, place: WorkerPlace) -> None:
        start_worker(self, place)

    def _end_with_interpreter(self) -> None:
        """Do nothing: the standard library waits for what was submitted."""

    def _end_after_fork(self) -> None:
        """In a forked child: the workers are not there, and what they had to do is the parent's. Begin anew."""
        self._shutdown_lock = threading.Lock()
        begin_anew_after_fork(self)

    def _adjust_thread_count(self) -> None:
        if self._stands_for is None:
            super()._adjust_thread_count()
        else:
            self._call_queue.came(self._start_worker)

    def _initializer_failed(self) -> None:
        if self._stands_for is None:
            super()._initializer_failed()
        else:
            self._call_queue.broken = BROKEN
            self._call_queue.fail_all(self.BROKEN(BROKEN))

    if not TYPE_CHECKING:  # to a type checker, these are the standard library's

        @wraps(futures.ThreadPoolExecutor.shutdown)
        def shutdown(self, *args: Any, **kwargs: Any) -> None:
            self._record.ended()
            shut_down_once_free(self, super().shutdown, args, kwargs)

        _shutdown = of_call_queue("is_shut_down")
        _broken = of_call_queue("broken")
        _max_workers = of_call_queue("max_workers")
        _work_queue = of_call_queue("queue")


SUBMIT = ThreadPoolExecutor.submit


def has_calls_of_ours(kind: Any) -> bool:
    if threads_are_greenlets() is not None:  # a native lock would stop the loop that runs them
        return False
    base: Any = ThreadPoolExecutor
    if hasattr(base, "prepare_context") and kind.prepare_context.__func__ is not base.prepare_context.__func__:
        return False
    return kind._adjust_thread_count is base._adjust_thread_count


def is_worker_of(pool: futures.ThreadPoolExecutor) -> bool:
    """Whether this thread is a worker of `pool`. `shutdown` waits for those."""
    if would_wait_for_itself(pool):  # then nobody else is starting one
        return threading.current_thread() in pool._threads
    with pool._shutdown_lock:  # held from before a worker is started until it is among the threads
        return threading.current_thread() in pool._threads


class ProcessPoolExecutor(futures.ProcessPoolExecutor, Chainable[Anything, Returned[NoReturn]]):
    """`concurrent.futures.ProcessPoolExecutor` with a `name`. Other arguments are passed to that class."""

    def __init__(self, *args: Any, name: str = "default", **kwargs: Any) -> None:
        check_threads()
        check_name(name)
        super().__init__(*args, **kwargs)
        self._name = name

    __reduce_ex__ = refuse_copy_of_executor

    def submit(  # type: ignore[override]  # as above
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        if would_wait_for_itself(self):
            raise RuntimeError(NESTED)
        return super().submit(fn, *args, **kwargs)

    if not TYPE_CHECKING:

        @wraps(futures.ProcessPoolExecutor.shutdown)
        def shutdown(self, *args: Any, **kwargs: Any) -> None:
            shut_down_once_free(self, super().shutdown, args, kwargs)
