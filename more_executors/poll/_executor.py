"""Waiting for remote tasks: one function asks about all that are outstanding, and resolves their futures.

Guarantees:

* Every future ends exactly once: as its descriptor is resolved, as the delegate's future ends if that is no success,
  or cancelled.
* The poll function runs with nothing held, one call at a time unless more are asked for, and no task is in two calls.
  Whatever it raises or returns, polling goes on.
* Cancelling and resolving are O(1), and wait for no poll.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, overload

from .._chaining import Chainable, HandingOn
from .._core import Backoff, PollDescriptor, run_poll_once
from .._runtime.bulk_cancel import cancel_in_bulk, checked_futures
from .._runtime.delegate import AFTER_INTERPRETER_SHUTDOWN, Delegate
from .._types import A, B, C, Cancel, CancelMany, D, GroupBy, Hook, Log, P, Plain, Poll, T, X
from ..journal import JournalLike, Keys
from ..rate_limit import RateLimit
from ..retry import RetryPolicy
from ._engine import PollEngine
from ._html import stats_table
from ._keyed_executor import KeyedExecutor
from ._options import PollOptions
from .stats import OutstandingTask, PollStats

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._keywords import PollKeywords

__all__ = ["PollDescriptor", "PollExecutor"]


class PollExecutor(KeyedExecutor[A, B, T]):
    """Submits to a delegate what starts a task elsewhere, and polls until the task is done.

    What a callable returns, typically a task id, is `result` of a `PollDescriptor`, and its future stays pending
    until somebody calls `yield_result` or `yield_exception` of that. `poll_fn(descriptors)` is there to do so: it is
    called, on a thread of the executor, with a new list of all descriptors not resolved yet, possibly empty: once at
    the start, when something joins the list, after `notify`, and after a delay. The delay is what `poll_fn` returned
    if that is an int or a float, in seconds, else `default_interval`. What joins in a burst is polled together.

    What fails, or is cancelled, before it joins the list ends its future the same way. If `poll_fn` raises, the futures
    whose descriptors were in that call's list fail with the exception, and polling goes on.

    `future.cancel()` is the delegate's decision while that has the task; then it is `cancel_fn(result)` that decides,
    by its truth value, or without a `cancel_fn` it succeeds.

        def poll(descriptors):
            states = service.states([d.result for d in descriptors])
            for d in descriptors:
                if states[d.result] == "finished":
                    d.yield_result(d.result)

        with PollExecutor(ThreadPoolExecutor(), poll) as executor:
            futures = [executor.submit(service.start, job) for job in jobs]

    All methods may be called from any thread. No operation costs more when more futures are outstanding, except that
    a poll is given the list of them, at some nanoseconds each.
    """

    _kind = "PollExecutor"
    _metric = "poll"

    @overload
    def __init__(
        self: PollExecutor[C, D, C],
        delegate: Plain,
        poll_fn: Poll[C, D],
        cancel_fn: Cancel[C] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: str = "default",
        **options: Unpack[PollKeywords[C]],
    ) -> None: ...
    @overload
    def __init__(
        self: PollExecutor[C, D, C | X],
        delegate: HandingOn[X],
        poll_fn: Poll[C | X, D],
        cancel_fn: Cancel[C | X] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: str = "default",
        **options: Unpack[PollKeywords[C | X]],
    ) -> None: ...
    @overload
    def __init__(
        self,
        delegate: Chainable[A, T],
        poll_fn: Poll[T, B],
        cancel_fn: Cancel[T] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: str = "default",
        **options: Unpack[PollKeywords[T]],
    ) -> None: ...
    def __init__(
        self,
        delegate: Delegate,
        poll_fn: Poll[Any, Any],
        cancel_fn: Cancel[Any] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: str = "default",
        *,
        min_interval: float | None = None,
        batch_size: int | None = None,
        group_by: GroupBy[Any] = None,
        max_concurrency: int = 1,
        rate_limit: RateLimit | None = None,
        retry_policy: RetryPolicy | None = None,
        schedule: Backoff | None = None,
        timeout: float | None = None,
        cancel_many_fn: CancelMany[Any] = None,
        journal: JournalLike | None = None,
        keys: Keys | None = None,
        open_fn: Hook = None,
        close_fn: Hook = None,
    ) -> None:
        """Start polling.

        With `batch_size`, `group_by`, `max_concurrency`, `rate_limit`, `schedule` or a `poll_fn` that is an
        `async def`, each task has a time of its own, and calls get what is due, never an empty list. A task is due when
        it joins, and again some time after each call: what `PollDescriptor.poll_after` said, else the delay that the
        call returned, else what `schedule` says, else `default_interval`.

        Args:
            delegate: the executor that calls what is submitted; shut down after this one.
            poll_fn: gets a list of `PollDescriptor`, may return a delay in seconds. If it is an `async def`, it runs on
                an event loop that the executor has on a thread of its own; so do the functions that cancel.
            cancel_fn: gets a descriptor's `result`; whether the task has been cancelled. May be slow: other futures
                do not wait for it. May raise `Throttled`: then the task is not cancelled, and there is a pause.
            default_interval: seconds between polls, at least 0; inf is until something joins or `notify`.
            logger: by default the one called "PollExecutor".
            name: ends the names of the threads.
            min_interval: seconds from the begin of a poll to that of the next, at the least, unless `notify` is called:
                what joins meanwhile is polled together. By default, a task that joins alone is polled at once, while
                polls that only bursts of joins ask for take about a tenth of the time; and where only what is due is
                polled, it is a fifth of `default_interval`, at most 5 s, or of a shorter delay that some task has.
            batch_size: how many descriptors a call gets at most.
            group_by: gets a `result`; a call gets tasks for which this returns the same, which must be hashable. What
                it raises fails the task.
            max_concurrency: how many calls of `poll_fn` may go on at a time. No task is in two. Give a `batch_size`
                with it: else a call gets all that is due. When many are cancelled at once, and for tasks that are too
                late, as many calls that cancel may go on as well.
            rate_limit: how many calls of the three functions there may be; it adapts when they raise `Throttled`.
                Without one, such an error makes a pause, for polls and cancels alike. To cancel waits for a call to be
                allowed, for at most 60 s, and is refused then; on the thread of an event loop it does not wait, but
                goes on in the background, and says False for now.
            retry_policy: decides whether the tasks of a call that raised are polled again. It is asked with the number
                of such calls in a row that a task was in, and a failed future. By default the tasks fail.
            schedule: says when a task is polled again.
            timeout: seconds after which a task that is polled fails with `TimeoutError`, and is cancelled elsewhere.
                Before that it is polled once more: it fails when that call is over, or 5 s later at the latest. Where
                whole lists are polled, deadlines are looked at between calls only.
            cancel_many_fn: gets a list of `result`s, at most `batch_size`; as many truth values: which have been
                cancelled. For `cancel_all`, `shutdown(cancel_futures=True)` and cancel-on-shutdown.
            journal: keeps what is polled on record, for `resume` in another process. A `result` is encoded a moment
                after it was returned, on another thread: it must not be changed.
            keys: how `submit_once` works with a `journal`; by default, `Keys()`.
            open_fn: an `async def` without arguments, awaited on the event loop of the executor before the first call
                there: to open what calls share, such as a client. If it raises, so does that call, and the next one
                begins with `open_fn` again.
            close_fn: the same after the last call of a poll or a cancel. `shutdown` waits for it. What it raises is
                logged, at ERROR. Not awaited if `open_fn` has not succeeded, or nothing was called.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        super().__init__(delegate, logger, name)
        self._options = PollOptions(
            poll_fn=poll_fn,
            cancel_fn=cancel_fn,
            default_interval=default_interval,
            min_interval=min_interval,
            batch_size=batch_size,
            group_by=group_by,
            max_concurrency=max_concurrency,
            rate_limit=rate_limit,
            retry_policy=retry_policy,
            schedule=schedule,
            timeout=timeout,
            cancel_many_fn=cancel_many_fn,
            journal=journal,
            keys=keys,
            open_fn=open_fn,
            close_fn=close_fn,
            shares_loop=self._shared_loop() is not None,
        )
        self._engine = self._new_engine(self._options, delegate, f"{self._kind}-{name}")
        try:
            self._meter = self._engine.meter
            self._poll_table = self._engine.table
            self._scheduler = self._engine.scheduler
            self._keyed_submits = self._engine.keyed_submits(self._options, self._submits_to, self._logger)
            self._engine.close_with(self)
            self._start(self._poll_table)
        except BaseException:
            self._engine.close()
            self._engine.join()
            raise

    def _new_engine(self, options: PollOptions, delegate: Delegate, name: str) -> PollEngine:
        return PollEngine(options, delegate, self._logger, name, self._debugging)

    if TYPE_CHECKING:  # its futures never give what a callable returns: nothing to choose from

        def submit(  # type: ignore[override]
            self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs
        ) -> Future[B]: ...
        def map(  # type: ignore[override]
            self,
            fn: Callable[..., A],
            *iterables: Iterable[Any],
            timeout: float | None = None,
            chunksize: int = 1,
            buffersize: int | None = None,
        ) -> Iterator[B]: ...

    def notify(self) -> None:
        """Poll everything that is outstanding as soon as possible. Several calls of this before that cause one poll.

        Returns at once. May be called from any thread.
        """
        self._poll_table.request_poll_all()

    def cancel_all(self) -> int:
        """Try to cancel every future that is not done; returns how many are cancelled then.

        With `cancel_many_fn`, tasks that are polled are cancelled by as few calls as possible; at most
        `max_concurrency` calls go on at a time. If it takes long, that is logged, at WARNING, every 10 s.
        """
        return cancel_in_bulk(self._poll_table.futures(), self._logger)

    def cancel_many(self, futures: Iterable[Future[Any]]) -> int:
        """`cancel_all` for some futures, of this executor or made from them; returns how many are cancelled then.

        Raises TypeError if `futures` is no iterable of them; then none is cancelled.
        """
        return cancel_in_bulk(checked_futures(futures), self._logger)

    def outstanding(self) -> list[OutstandingTask]:
        """A list of all tasks that are polled, in order of arrival. Costs about a microsecond for each."""
        return [OutstandingTask(*row) for row in self._poll_table.polled_tasks()]

    def stats(self) -> PollStats:
        """A record of figures about polling. The cost depends on the number of groups, but not on that of tasks."""
        return self._engine.stats()

    def _gauges(self) -> dict[str, float]:
        """For the metrics."""
        return self._engine.gauges(self.stats())

    def _states(self) -> Mapping[str, int]:
        """The same: how many tasks are in each reported state."""
        return self._poll_table.states()

    def _repr_html_(self) -> str:
        return stats_table(f"{type(self).__name__} {self._name!r}", self.stats())

    _run_once = run_poll_once

    def _work(self) -> float | None:
        try:
            late, next_late = self._poll_table.fail_late()
            self._engine.cancels.too_late(late, self)
            seconds = self._scheduler.turn()
            return seconds if next_late == inf else max(0.0, min(seconds, next_late - monotonic()))
        finally:
            del self  # see _frames

    def _finish(self) -> None:
        self._engine.close()

    def _drained(self) -> bool:
        table = self._poll_table
        return super()._drained() and not (table.recording or table.reporting or self._engine.cancels.owed)

    def _wait_until_drained(self) -> None:
        super()._wait_until_drained()
        self._engine.join()

    def _would_wait_for_itself(self) -> bool:
        return self._engine.is_current() or super()._would_wait_for_itself()

    def _end_with_interpreter(self) -> None:
        self._poll_table.close(AFTER_INTERPRETER_SHUTDOWN)  # first: what gets in is recorded
        self._engine.stop_recording()
        super()._end_with_interpreter()
        self._engine.loop.cancel_all()

    def _forget_threads(self) -> None:
        self._engine.forget()
        super()._forget_threads()
