"""What the threads of a thread pool do."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import thread
from functools import partial
from queue import SimpleQueue
from typing import Any

from .._core import CallQueue, WorkerPlace, futures_logger
from .nested_calls import Idle

__all__: list[str] = []

BROKEN = "A thread initializer failed, the thread pool is not usable anymore"


class WorkerContext:
    """What surrounds the calls of a worker, before Python 3.14."""

    def __init__(self, pool: Any) -> None:
        self._initializer = pool._initializer
        self._arguments = pool._initargs

    def initialize(self) -> None:
        if self._initializer is not None:
            self._initializer(*self._arguments)

    def finalize(self) -> None:
        """Do nothing."""


class IdleWorkers(Idle):
    """Is looked at as the semaphore that counts the idle threads of a thread pool."""

    def __init__(self, calls: CallQueue) -> None:
        super().__init__()
        self._calls = calls

    @property
    def _value(self) -> int:
        return max(self._calls.workers - self._calls.unfinished, 0)


def worker_context(pool: Any) -> Any:
    return pool._create_worker_context() if hasattr(pool, "_create_worker_context") else WorkerContext(pool)


def start_worker(pool: Any, place: WorkerPlace) -> None:
    """Start a thread of `pool`, whose lock is held."""
    queue = pool._work_queue
    worker = threading.Thread(
        name=f"{pool._thread_name_prefix or pool}_{len(pool._threads)}",
        target=work,
        args=(place, weakref.ref(pool, lambda _: queue.put(None)), pool._call_queue, worker_context(pool)),
    )
    queues: Any = thread._threads_queues
    place.start(worker, pool._threads, queues, queue)


def begin_anew_after_fork(pool: Any) -> None:
    """In a forked child: of the threads of `pool` at most the one that forked is there."""
    pool._threads.intersection_update({threading.current_thread()})
    pool._call_queue.begin_anew_after_fork(SimpleQueue(), bool(pool._threads))


def run_other(context: Any, item: Any) -> None:
    """Make a call that is one of the standard library's."""
    try:
        item.run(*(() if isinstance(context, WorkerContext) else (context,)))
    except BaseException:
        futures_logger.critical("Exception in worker", exc_info=True)


def work(place: WorkerPlace, reference: weakref.ref[Any], calls: CallQueue, context: Any) -> None:
    """Be a worker; `reference` is to its pool."""
    if not place.occupy():
        return
    try:
        context.initialize()
    except BaseException:
        futures_logger.critical("Exception in initializer:", exc_info=True)
        pool = reference()
        if pool is not None:
            pool._initializer_failed()
        else:  # nobody else is to come to what is left
            calls.fail_all(thread.BrokenThreadPool(BROKEN))
        return
    try:
        calls.work(partial(may_end, reference), partial(run_other, context), partial(add_worker, reference))
    except BaseException:
        futures_logger.critical("Exception in worker", exc_info=True)
    finally:
        context.finalize()


def add_worker(reference: weakref.ref[Any], place: WorkerPlace) -> None:
    """Start another worker for what waits, as this one is not free after all."""
    pool = reference()
    if pool is None:
        raise RuntimeError("nobody has the pool any more")
    pool._add_worker(place)


def may_end(reference: weakref.ref[Any]) -> bool:
    """Whether the worker of a pool may end that has found no call: then others may, too."""
    pool = reference()
    if not (thread._shutdown or pool is None or pool._shutdown):
        return False
    if pool is not None:
        pool._shutdown = True
    return True
