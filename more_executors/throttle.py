"""Letting a delegate have only so many calls at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from math import ceil, inf
from typing import Any, overload

from ._callables import check_callable, done_by
from ._chaining import Chainable, HandingOn, Unknown
from ._checks import checked_flag, real_number, shown
from ._core import ThrottleTable, log
from ._runtime.delegate import Delegate
from ._runtime.executor import DeferringExecutor
from ._types import A, Anything, B, Count, E, Log, Never, P, Plain, R, Returned

__all__ = ["ThrottleExecutor"]

IDLE_SECONDS = 2.0  # between two looks at a callable count while nothing runs
BUSY_SECONDS = 30.0  # and otherwise


class ThrottleExecutor(DeferringExecutor[A, B]):
    """Has at most so many callables with the delegate; others queue, and go out in order.

        with ThrottleExecutor(ThreadPoolExecutor(32), count=4) as executor:
            replies = [executor.submit(ask_touchy_service, question) for question in questions]

    `future.cancel()` of a queued one always succeeds; after that it is the delegate's decision. Callables are submitted
    to the delegate from the executor's own thread.

    With `block`, as many may queue as may be with the delegate. `submit` then waits for room: first come, first
    served, and the first goes on the moment there is.

    All methods may be called from any thread. The length of the queue makes nothing slower.
    """

    _kind = "ThrottleExecutor"
    _metric = "throttle"

    @overload
    def __init__(
        self,
        delegate: Chainable[A, B],
        count: Count,
        logger: Log = None,
        name: str = "default",
        block: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self: ThrottleExecutor[Anything, Returned[Never]],
        delegate: Plain,
        count: Count,
        logger: Log = None,
        name: str = "default",
        block: bool = False,
    ) -> None: ...
    def __init__(
        self,
        delegate: Delegate,
        count: Count,
        logger: logging.Logger | None = None,
        name: str = "default",
        block: bool = False,
    ) -> None:
        """Make it.

        Args:
            delegate: the executor that calls what is submitted; shut down after this one.
            count: how many; None for any number. A callable that says so is asked again at each decision, at least
                every 2 s while nothing runs and every 30 s otherwise. If it raises, that is logged and the last count
                holds.
            logger: by default the one called "ThrottleExecutor".
            name: labels metrics and ends the name of the thread.
            block: whether `submit` waits for room.

        Raises TypeError if one of these cannot be used, and what a callable `count` raises.
        """
        super().__init__(delegate, logger, name)
        self._ask: Callable[[], int | None] | None = count if callable(count) else None
        if self._ask is not None:
            check_callable("count", self._ask)
        self._count = as_count(count if self._ask is None else done_by(count, self._ask()))
        self._blocks = checked_flag("block", block)
        self._throttle_table = ThrottleTable(self._logger, self._blocks, callable(count))
        self._start(self._throttle_table)

    @overload  # type: ignore[override]  # see Chainable
    def submit(self: Unknown, fn: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Future[Any]: ...
    @overload
    def submit(self: HandingOn[E], fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R | E]: ...
    @overload
    def submit(self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Future[B]: ...
    def submit(  # pyright: ignore[reportIncompatibleMethodOverride]  # see Chainable
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Have the delegate call `fn(*args, **kwargs)` when there is room; returns a future.

        Raises RuntimeError after `shutdown`, also if that comes while it waits for room, at the end of the interpreter
        and in a forked child.
        """
        return self._throttle_table.submit_later(self, self._room, fn, args, kwargs)

    def _gauges(self) -> dict[str, float]:
        """How many calls queue here, for the metrics."""
        return {"queue": self._throttle_table.waiting}

    def _work(self) -> float | None:
        try:
            while self._throttle_table.start_next(self._limit(), self._submits_to):
                pass
            if self._ask is None:
                return None
            if self._blocks:
                self._throttle_table.look_again()
            return BUSY_SECONDS if self._throttle_table.with_delegate else IDLE_SECONDS
        finally:
            del self  # see `_run_once`

    def _room(self) -> int | None:
        """How many may be outstanding, when `submit` waits for room."""
        limit = self._limit()
        return None if limit is None else 2 * limit

    def _limit(self) -> int | None:
        if self._ask is not None:
            try:
                self._count = as_count(done_by(self._ask, self._ask()))
            except BaseException as error:
                if not (isinstance(error, Exception) or self._worker.is_current()):
                    raise  # a Ctrl-C in a `submit` that waits for room
                log(self._logger, logging.ERROR, "Error evaluating throttle count via %r", self._ask, error=error)
        return self._count


def as_count(count: object) -> int | None:
    """How many that is: rounded up, None for any number. Raises TypeError or ValueError if it is no number."""
    if count is None:
        return None
    try:
        number = real_number("count", count)
    except TypeError as error:
        what = "count must be an int, None, or a callable that gives one"
        raise TypeError(f"{what}, not {shown(count)}") from error.__cause__
    if number != number:
        raise ValueError(f"count must not be {shown(count)}")
    return None if number == inf else ceil(max(number, 0.0))
