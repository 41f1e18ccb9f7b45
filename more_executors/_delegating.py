"""Executors that stand on a delegate: what they promise about shutdown, and about futures that are not done then.

Guarantees:

* A future that was handed out is seen through: `shutdown` ends nothing by itself.
* With `wait`, `shutdown` returns when all futures are done, in whichever order executors are chained; it does not wait
  where that would be for itself.
* At the end of the interpreter, and in a forked child, what is pending is cancelled.
"""

from __future__ import annotations

import inspect
import logging
import os
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from math import inf
from typing import Any, ClassVar

from . import _lifecycle, metrics
from ._base import (
    AFTER_FORK,
    AFTER_INTERPRETER_SHUTDOWN,
    AFTER_SHUTDOWN,
    Delegate,
    check_delegate,
    check_name,
    chosen_logger,
)
from ._chaining import Chainable
from ._core import TaskTable, cancel_many, log
from ._pools import is_worker_of
from ._types import A, B
from ._worker import Worker

__all__: list[str] = []


class DelegatingExecutor(Chainable[A, B]):
    """An executor that gives its callables to another one, and whose futures outlive what that makes of them.

    A subclass

    1. sets `_kind`, which names its logger, and `_metric`, which is its type among the metrics;
    2. gives `_start` the table its futures are in, last in its `__init__`.

    All methods may be called from any thread.
    """

    _kind: ClassVar[str]
    _metric: ClassVar[str]

    def __init__(self, delegate: Delegate, logger: logging.Logger | None, name: str) -> None:
        check_delegate(delegate)
        check_name(name)
        self._delegate = delegate
        self._name = name
        self._logger = chosen_logger(logger, self._kind)
        self._debugging = os.environ.get("MORE_EXECUTORS_DEBUG") == "1"

    def _start(self, table: TaskTable) -> None:
        self._table = table
        _lifecycle.track(self)
        self._record = metrics.track(self, self._metric, self._name, table.tally)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have the delegate call `fn(*args, **kwargs)`; returns a future of what this executor makes of it.

        Raises RuntimeError after `shutdown`, at the end of the interpreter and in a forked child, and whatever the
        delegate's `submit` raises.
        """
        try:
            return self._table.submit(self, self._delegate, fn, args, kwargs)
        finally:
            # An exception out of a delegate that calls `fn` right here keeps this frame: not what is in it.
            del self, fn, args, kwargs

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work, see what there is through, and shut the delegate down as well.

        With `wait` it returns when all futures are done; without, at once, and they are seen through in the
        background. `cancel_futures` first tries to cancel every future. A second call does nothing. Where waiting would
        be for ever, as it is this thread that has to go on, it does not wait: on the executor's own thread, and in a
        function that a future is waiting for.
        """
        if not self._table.close(AFTER_SHUTDOWN):
            return
        self._record.ended()
        self._stay_until_drained()
        wait = wait and not self._is_at_work_here()
        try:
            self._cancel_at_shutdown(cancel_futures)
        except BaseException:
            self._shut_delegate_down(False, cancel_futures)
            raise
        self._shut_delegate_down(wait, cancel_futures)
        if wait:
            self._wait_until_drained()

    def _cancel_at_shutdown(self, asked_for: bool) -> None:
        if asked_for:
            cancel_many(self._table.futures())

    def _shut_delegate_down(self, wait: bool, cancel_futures: bool) -> None:
        shut_down(self._delegate, wait, cancel_futures)

    def _stay_until_drained(self) -> None:
        """Be there until all futures are done, even if nobody refers to this executor: they do, by themselves."""

    def _wait_until_drained(self) -> None:
        while not self._drained():
            self._table.waker.wait()

    def _drained(self) -> bool:
        """Whether no future is outstanding and none will be."""
        return self._table.closed is not None and not len(self._table)

    def _is_at_work_here(self) -> bool:
        """Whether futures of this executor wait for the thread that asks."""
        if self._table.needs_this_thread():
            return True
        if isinstance(self._delegate, DelegatingExecutor):
            return self._delegate._is_at_work_here()
        return isinstance(self._delegate, ThreadPoolExecutor) and is_worker_of(self._delegate)

    def _end_with_interpreter(self) -> None:
        self._table.close(AFTER_INTERPRETER_SHUTDOWN)
        self._table.cancel_all()

    def _end_after_fork(self) -> None:
        self._table.close(AFTER_FORK)
        self._table.abandon_after_fork()

    def __repr__(self) -> str:
        state = "" if self._table.closed is None else " shut down"
        return f"<{type(self).__name__} {self._name!r}: {len(self._table)} outstanding{state}>"


class WorkingExecutor(DelegatingExecutor[A, B]):
    """A DelegatingExecutor with a thread of its own, called after it.

    A subclass also

    3. does in `_turn`, on that thread, what there is to do; turns may come from `_start` on.
    """

    def _start(self, table: TaskTable) -> None:
        super()._start(table)
        self._worker = Worker(self, table.waker, f"{self._kind}-{self._name}")
        self._worker.start()

    @abstractmethod
    def _turn(self) -> float | None:
        """Do what is due; returns the seconds until there is more to do, or None when there never will be."""

    def _stay_until_drained(self) -> None:
        self._worker.pin(self)

    def _wait_until_drained(self) -> None:
        self._worker.join()

    def _is_at_work_here(self) -> bool:
        return self._worker.is_current() or super()._is_at_work_here()


class SubmittingExecutor(WorkingExecutor[A, B]):
    """A WorkingExecutor whose thread submits to the delegate, which is therefore shut down last.

    A subclass does in `_submit_due` what it would do in `_turn`.
    """

    _delegate_shutdown: tuple[bool, bool] | None = None

    @abstractmethod
    def _submit_due(self) -> float | None:
        """Submit what is due; returns the seconds until there is more, None for as long as nothing wakes the thread."""

    def _shut_delegate_down(self, wait: bool, cancel_futures: bool) -> None:
        self._delegate_shutdown = (wait, cancel_futures)
        self._table.waker.set()

    def _wait_until_drained(self) -> None:
        assert self._delegate_shutdown is not None
        _, cancel_futures = self._delegate_shutdown
        try:
            super()._wait_until_drained()
        except BaseException:  # a Ctrl-C: then the thread sees the delegate off, if it has not ended just now
            self._shut_delegate_down(False, cancel_futures)
            if self._drained():
                self._see_delegate_off()
            raise
        shut_down(self._delegate, True, cancel_futures)

    def _turn(self) -> float | None:
        try:
            seconds = self._submit_due()
            if self._drained() and (self._table.closed != AFTER_SHUTDOWN or self._delegate_shutdown is not None):
                self._see_delegate_off()
                return None
            return inf if seconds is None else seconds
        finally:
            del self  # an exception that a future keeps may keep this frame, but not what is in it

    def _see_delegate_off(self) -> None:
        """If nobody waits for it in `shutdown`, shut the delegate down."""
        if self._delegate_shutdown is not None and not self._delegate_shutdown[0]:
            try:
                shut_down(self._delegate, *self._delegate_shutdown)
            except BaseException as error:
                log(self._logger, logging.ERROR, "%r cannot be shut down", self._delegate, error=error)


def shut_down(delegate: Delegate, wait: bool, cancel_futures: bool) -> None:
    """Call `delegate.shutdown`, with `cancel_futures` only if it is asked for and known there."""
    if cancel_futures and takes_keyword(delegate.shutdown, "cancel_futures"):
        delegate.shutdown(wait=wait, cancel_futures=True)  # type: ignore[call-arg]
    else:
        delegate.shutdown(wait=wait)


def takes_keyword(function: Callable[..., object], keyword: str) -> bool:
    """Whether `function` can be called with `keyword`; True where that cannot be told."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return True
    return keyword in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
