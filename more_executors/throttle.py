"""An executor that limits how many calls its delegate has at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from math import ceil, inf
from typing import Any, overload

from ._callables import check_callable, done_by
from ._chaining import Awaiting, Chainable, HandingOn, Unknown
from ._checks import checked_flag, real_number, shown
from ._core import ThrottleTable, WayIn, log
from ._runtime.delegate import Delegate, Submits
from ._runtime.threaded_executor import DeferringExecutor
from ._types import A, Anything, Async, B, Count, E, Log, Never, P, Plain, R, Returned

__all__ = ["ThrottleExecutor"]

IDLE_SECONDS = 2.0  # between two looks at a callable count while nothing runs
BUSY_SECONDS = 30.0  # and otherwise


class ThrottleExecutor(DeferringExecutor[A, B]):
    """Submits to the delegate only so many callables at a time; others wait in a queue, first in, first out.

        with ThrottleExecutor(ThreadPoolExecutor(32), count=4) as executor:
            replies = [executor.submit(ask_touchy_service, question) for question in questions]

    `future.cancel()` always succeeds for a callable in the queue; after that it cancels the delegate's future.
    Callables are submitted to the delegate from a thread of this executor.

    With `block`, the queue has room for `count` callables, and `submit` waits until there is room: first come, first
    served.

    All methods may be called from any thread. A long queue makes nothing slower.
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
            delegate: the executor that runs the callables; it is shut down after this one.
            count: an int, the number of callables that the delegate has at most; None for no limit. Or a callable that
                returns this: it is called whenever a callable may start, at least every 2 s while none runs and every
                30 s otherwise. If it raises, that is logged, and the last count stays in force.
            logger: a `logging.Logger`, by default the logger "ThrottleExecutor".
            name: a str, the label of this executor in metrics, and the end of the name of its thread.
            block: a bool, whether `submit` waits for room in the queue.

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
    def submit(self: Awaiting[E], fn: Async[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R | E]: ...
    @overload
    def submit(self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Future[B]: ...
    def submit(  # pyright: ignore[reportIncompatibleMethodOverride]  # see Chainable
        self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Have the delegate call `fn(*args, **kwargs)` when it has fewer than `count` callables; returns a future.

        With `block`, it waits for room in the queue first. Raises RuntimeError after `shutdown`, also if that is called
        meanwhile, at the end of the interpreter and in a forked child process.
        """
        return self._throttle_table.submit_later(self, self._room, fn, args, kwargs)

    def _way_in(self) -> Submits:
        return WayIn(self, SUBMIT, self._throttle_table, self._room)

    def _gauges(self) -> dict[str, float]:
        """How many callables are in the queue, for metrics."""
        return {"queue": self._throttle_table.waiting}

    def _work(self) -> float | None:
        try:
            if self._ask is None:
                self._throttle_table.start_all(self._count, self._submits_to)
                return None
            while self._throttle_table.start_next(self._limit(), self._submits_to):
                pass
            if self._blocks:
                self._throttle_table.look_again()
            return BUSY_SECONDS if self._throttle_table.with_delegate else IDLE_SECONDS
        finally:
            del self  # see `_run_once`

    def _room(self) -> int | None:
        """With `block`: how many futures may be pending, in the queue and in the delegate; None for any number."""
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


SUBMIT = ThrottleExecutor.submit


def as_count(count: object) -> int | None:
    """`count` as an int, rounded up; None, for no limit, if it is None or infinite.

    Raises TypeError if it is no number, and ValueError if it is NaN.
    """
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
