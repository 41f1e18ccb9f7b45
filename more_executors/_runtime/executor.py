"""Executors that stand on a delegate: what they promise about shutdown, and about futures that are not done then.

Guarantees:

* A future that was handed out still ends on its own: `shutdown` alone ends none.
* With `wait`, `shutdown` returns when all futures are done, in whichever order executors are chained; it does not wait
  where that would be for itself.
* At the end of the interpreter, and in a forked child, what is pending is cancelled.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from math import inf
from types import TracebackType
from typing import Any, ClassVar, overload

from .. import metrics
from .._chaining import Awaiting, Chainable, HandingOn, Unknown
from .._checks import check_name, checked_flag, chosen_logger, refuse_copy_of_executor
from .._core import TaskTable, WayIn, check_threads, log
from .._types import A, Async, B, E, P, R
from ..pools import is_worker_of
from . import lifecycle
from .bulk_cancel import cancel_in_bulk, checked_futures
from .delegate import (
    AFTER_FORK,
    AFTER_INTERPRETER_SHUTDOWN,
    AFTER_SHUTDOWN,
    NOT_MADE,
    Delegate,
    Ending,
    Submits,
    check_delegate,
)
from .delegate_end import DelegateEnd, check_shutdown, leave_block
from .executor_thread import ExecutorThread
from .nested_calls import holds_up_workers, way_into
from .shared_loop import SharedLoop
from .through import ABOUT_ALL_TASKS, ReachesThrough, Through

__all__: list[str] = []


class LastingExecutor(Chainable[A, B]):
    """An executor whose futures end by themselves after its shutdown, and with them what it stands on.

    A subclass

    1. sets `_kind`, which names its logger, and `_metric`, which is its type among the metrics;
    2. calls `_stand_on` in its `__init__`, and last of all gives `_start` the table its futures are in;
    3. has a `_way_in`.

    All methods may be called from any thread.
    """

    _kind: ClassVar[str]
    _metric: ClassVar[str]
    _table: TaskTable

    def _stand_on(self, what: Ending, logger: logging.Logger | None, name: str) -> None:
        self._name = name
        self._logger = chosen_logger(logger, self._kind)
        self._end = DelegateEnd(what)
        self._ender: ExecutorThread | None = None  # sees to that in the background
        self._interrupted = False  # a shutdown was, and has not been finished
        self._debugging = os.environ.get("MORE_EXECUTORS_DEBUG") == "1"

    def _start(self, table: TaskTable) -> None:
        self._table = table
        lifecycle.track(self)
        try:
            self._start_thread()
            self._record = metrics.track(self, self._metric, self._name, table.counters)  # last: it counts executors
        except BaseException:
            table.close(NOT_MADE)  # for a thread that was started, but not waited for until it was
            raise

    def _start_thread(self) -> None:
        """Start the executor's thread, if it has one."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work, see what there is through, and then shut the delegate down as well.

        With `wait` it returns when all futures are done and the delegate has shut down; without, at once, and both come
        in the background. `cancel_futures` first tries to cancel every future. A second call does nothing, unless the
        first was interrupted, by a Ctrl-C say: then it finishes that. Where waiting would be for ever, as it is this
        thread that has to go on, it does not wait: on the executor's own thread, and in a function that a future is
        waiting for.
        """
        wait = checked_flag("wait", wait)
        cancel_futures = checked_flag("cancel_futures", cancel_futures)
        try:
            if self._table.close(AFTER_SHUTDOWN) or self._interrupted:
                self._interrupted = False
                self._shut_down(wait, cancel_futures)
        except BaseException:
            if self._table.closed == AFTER_SHUTDOWN and not self._end.was_refused:
                self._interrupted = True
                self._stay_until_drained()
                self._end_when_drained(True)
            raise

    def _shut_down(self, wait: bool, cancel_futures: bool) -> None:
        # If this is interrupted, it is all done once more.
        self._end.cancel_futures = cancel_futures = self._end.cancel_futures or cancel_futures
        self._record.ended()
        self._stay_until_drained()
        wait = wait and not self._would_wait_for_itself()
        self._cancel_at_shutdown(cancel_futures)
        if cancels_at_shutdown(self._end.delegate):
            self._end.come(wait)
        background = not (wait or self._is_over_at_once())
        self._end_when_drained(background)
        if wait:
            self._wait_until_drained()
        if not background:
            self._end.come(wait)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        leave_block(self, self._logger, error)

    def _cancel_at_shutdown(self, asked_for: bool) -> None:
        if asked_for:
            cancel_in_bulk(self._table.futures(), self._logger)

    def _stay_until_drained(self) -> None:
        """Be there until all futures are done, even if nobody refers to this executor: they do, by themselves."""

    def _wait_until_drained(self) -> None:
        try:
            while not self._drained():
                self._table.waker.wait()
        finally:
            self._table.waker.set()  # it woke this thread alone, and another one may be there after an interrupt
        if self._ender is not None and self._ender.has_begun():
            self._ender.join()

    def _is_over_at_once(self) -> bool:
        """Whether the delegate can be shut down right now, and without waiting."""
        return self._drained() and not self._end.may_block()

    def _end_when_drained(self, background: bool) -> None:
        """Be over when all futures are done; in the `background` means that the delegate is then shut down there."""
        if not background or self._end.has_come() or (self._ender is not None and self._ender.has_begun()):
            return
        self._ender = ExecutorThread(self, self._table.waker, f"{self._kind}-{self._name}-shutdown")
        self._ender.pin(self)
        try:
            self._ender.start()
        except RuntimeError as error:  # no more threads, and nobody else to do it later
            log(self._logger, logging.WARNING, "%r is shut down too early", self._end.delegate, error=error)
            self._shut_delegate_down_in_background()

    def _shut_delegate_down_in_background(self) -> None:
        """Shut the delegate down, unless that has been done."""
        try:
            self._end.come(False)
        except BaseException as error:
            log(self._logger, logging.ERROR, "%r cannot be shut down", self._end.delegate, error=error)

    def _run_once(self) -> float | None:
        """What the thread does that is there in the background, after `shutdown`; see ExecutorThread."""
        try:
            if not self._drained():
                return inf
            self._table.waker.set()  # see `_wait_until_drained`
            self._shut_delegate_down_in_background()
            return None
        finally:
            del self

    def _drained(self) -> bool:
        """Whether no future is outstanding and none will be."""
        return self._table.closed is not None and not len(self._table)

    def _would_wait_for_itself(self) -> bool:
        """Whether futures of this executor wait for the thread that asks."""
        if (
            self._table.needs_this_thread()
            or holds_up_workers()
            or (self._ender is not None and self._ender.is_current())
        ):
            return True
        delegate = self._end.delegate
        if isinstance(delegate, LastingExecutor):
            return delegate._would_wait_for_itself()
        return isinstance(delegate, ThreadPoolExecutor) and is_worker_of(delegate)

    def _shared_loop(self) -> SharedLoop | None:
        """The event loop that tasks are started on, here or below: what polls and cancels them runs there too."""
        delegate = self._end.delegate
        return delegate._shared_loop() if isinstance(delegate, LastingExecutor) else None

    def _cancels_at_shutdown(self) -> bool:
        """Whether `shutdown` has futures cancelled, here or below: whoever stands on this does not wait with it."""
        return cancels_at_shutdown(self._end.delegate)

    def _end_with_interpreter(self) -> None:
        self._table.close(AFTER_INTERPRETER_SHUTDOWN)
        self._table.cancel_all()

    def _end_after_fork(self) -> None:
        self._table.vacate_after_fork()
        self._forget_threads()
        self._table.close(AFTER_FORK)
        self._table.abandon_after_fork()

    def _forget_threads(self) -> None:
        """In a forked child: do without the threads, which only the parent has."""

    __reduce_ex__ = refuse_copy_of_executor

    def __repr__(self) -> str:
        state = "" if self._table.closed is None else " shut down"
        return f"<{type(self).__name__} {self._name!r}: {len(self._table)} outstanding{state}>"


class DelegatingExecutor(LastingExecutor[A, B], ReachesThrough):
    """A LastingExecutor that gives its callables to another one, and whose futures outlive what that makes of them."""

    _reached = ABOUT_ALL_TASKS

    def __init__(self, delegate: Delegate, logger: logging.Logger | None, name: str) -> None:
        check_threads()
        check_delegate(delegate)
        check_shutdown(delegate)
        check_name(name)
        self._delegate = delegate
        self._submits_to = way_into(delegate)
        self._stand_on(delegate, logger, name)

    @overload  # type: ignore[override]  # see Chainable
    def submit(self: Unknown, fn: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Future[Any]: ...
    @overload
    def submit(self: HandingOn[E], fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R | E]: ...
    @overload
    def submit(self: Awaiting[E], fn: Async[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R | E]: ...
    @overload
    def submit(self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Future[B]: ...
    def submit(  # pyright: ignore[reportIncompatibleMethodOverride]  # see Chainable
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Have the delegate call `fn(*args, **kwargs)`; returns a future of what this executor makes of it.

        Raises RuntimeError after `shutdown`, at the end of the interpreter and in a forked child, and whatever the
        delegate's `submit` raises.
        """
        try:
            return self._table.submit(self, self._submits_to, fn, args, kwargs)
        finally:
            del self, fn, args, kwargs  # see _frames

    def _delegate_below(self) -> Any:
        return self._delegate

    def _future_through(self, through: Through, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._table.submit(self, through, fn, args, kwargs)

    def _cancel_in_bulk(self, futures: Iterable[Any] | None) -> int:
        found = self._table.futures() if futures is None else checked_futures(futures)
        return cancel_in_bulk(found, self._logger)

    def _way_in(self) -> Submits:
        """What executors on top of this one submit to."""
        return WayIn(self, SUBMIT, self._table, self._submits_to)


SUBMIT = DelegatingExecutor.submit


def cancels_at_shutdown(delegate: Ending) -> bool:
    """Whether `delegate` is to be shut down at once, so that it cancels what is not done."""
    return isinstance(delegate, LastingExecutor) and delegate._cancels_at_shutdown()
