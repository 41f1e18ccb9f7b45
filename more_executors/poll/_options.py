"""How a poll executor is to go about its polling: what may be asked for, checked, and the parts that do it."""

from __future__ import annotations

import logging
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._callables import check_callable, check_method, check_optional_callable, is_async
from .._checks import check_optional, checked_count, checked_pause, checked_seconds, has_method, shown
from .._core import Backoff, DueTable, FullListTable, threads_are_greenlets
from .._runtime.call_threads import CallThreads
from .._runtime.loop_thread import LoopThread
from ..journal import JournalLike
from ..journal._writer import JournalWriter
from ..rate_limit import RateLimit
from ..retry import RetryPolicy, checked_policy
from ._call import AnyTable, PollCaller, Tasks
from ._cancel import Canceller
from ._meter import PollMeter
from ._only_calls import only_calls
from ._scheduler import DueScheduler, FullListScheduler, InlineRunner, LoopRunner, PollScheduler, Runner, ThreadRunner

__all__: list[str] = []

SECONDS_FOR_A_LAST_LOOK = 5.0  # that a deadline is put off for at most, so that a task is polled once more
ROUNDS_PER_INTERVAL = 50  # at most, unless `min_interval` says otherwise


@dataclass(frozen=True)
class PollOptions:
    """What a `PollExecutor` was asked for, numbers as they are used; TypeError or ValueError if that cannot be done."""

    poll_fn: Callable[[Tasks], Any]
    cancel_fn: Callable[[Any], Any] | None
    default_interval: float
    min_interval: float | None
    batch_size: int | None
    group_by: Callable[[Any], Any] | None
    max_concurrency: int
    rate_limit: RateLimit | None
    retry_policy: RetryPolicy | None
    schedule: Backoff | None
    timeout: float | None
    cancel_many_fn: Callable[[list[Any]], Any] | None
    journal: JournalLike | None

    def __post_init__(self) -> None:
        check_callable("poll_fn", self.poll_fn, awaited=True)
        check_optional_callable("cancel_fn", self.cancel_fn, awaited=True)
        check_optional_callable("cancel_many_fn", self.cancel_many_fn, awaited=True, iterated=True)
        check_optional_callable("group_by", self.group_by)
        check_no_loop_is_needed(poll_fn=self.poll_fn, cancel_fn=self.cancel_fn, cancel_many_fn=self.cancel_many_fn)
        check_optional("rate_limit", self.rate_limit, RateLimit)
        check_optional("schedule", self.schedule, Backoff)
        if self.schedule is not None:
            check_method("schedule", self.schedule, "delay")
        if self.retry_policy is not None:
            checked_policy(self.retry_policy)
        if self.journal is not None:
            check_journal(self.journal)
        self._convert("default_interval", checked_seconds)
        self._convert("max_concurrency", checked_count)
        self._convert("min_interval", checked_pause, optional=True)
        self._convert("batch_size", checked_count, optional=True)
        self._convert("timeout", checked_seconds, optional=True)

    def _convert(self, what: str, checked: Callable[[str, object], float], optional: bool = False) -> None:
        value = getattr(self, what)
        if not (optional and value is None):
            object.__setattr__(self, what, checked(what, value))

    @property
    def is_paced(self) -> bool:
        """Whether each task has a time of its own: one of the options that need that was given."""
        wanted = (self.batch_size, self.group_by, self.rate_limit, self.schedule)
        return self.max_concurrency > 1 or is_async(self.poll_fn) or any(option is not None for option in wanted)

    @property
    def seconds_between_rounds(self) -> float:
        if self.min_interval is not None:
            return self.min_interval
        return min(self.default_interval / ROUNDS_PER_INTERVAL, 0.1) if self.is_paced else 0.0


def check_journal(journal: object) -> None:
    """Raise TypeError unless `journal` is one."""
    for method in ("write", "outstanding"):
        if not has_method(journal, method):
            raise TypeError(f"journal must be a Journal, with a method {method}, not {shown(journal)}")
        check_method("journal", journal, method, iterated=method == "outstanding")


def check_no_loop_is_needed(**functions: object) -> None:
    """Raise RuntimeError if one is an `async def`, where a thread of ours cannot have an event loop."""
    library = threads_are_greenlets()
    for what, function in functions.items():
        if library is not None and is_async(function):
            raise RuntimeError(
                f"{what} must not be an async def: {library} makes greenlets of threads, and only one of them could run"
                f" an event loop. Make {shown(function)} a plain function: where it waits, other greenlets go on"
            )


class PollEngine:
    """The parts of a poll executor: none of them refers to the executor, and those with threads end with `close`."""

    table: AnyTable
    scheduler: PollScheduler

    def __init__(
        self, options: PollOptions, delegate: object, logger: logging.Logger, name: str, debugging: bool
    ) -> None:
        self._only_called = only_calls(delegate)
        self.meter = PollMeter()
        self.loop = LoopThread(f"{name}-loop")
        self.callers = CallThreads(name, options.max_concurrency)
        self.cancellers = CallThreads(f"{name}-cancel", options.max_concurrency)
        self.recorder = None if options.journal is None else JournalWriter(options.journal, logger, name)
        try:
            self._assemble(options, logger, name, debugging)
        except BaseException:
            if self.recorder is not None:
                self.recorder.close(wait=True)
            raise

    def _assemble(self, options: PollOptions, logger: logging.Logger, name: str, debugging: bool) -> None:
        batch_size = sys.maxsize if options.batch_size is None else options.batch_size
        self.cancels = Canceller(
            options.cancel_fn,
            options.cancel_many_fn,
            rate_limit=options.rate_limit,
            batch_size=batch_size,
            max_concurrency=options.max_concurrency,
            loop=self.loop,
            threads=self.cancellers,
            logger=logger,
        )
        self.table = (DueTable if options.is_paced else FullListTable)(
            logger,
            self.cancels.one,
            self.cancels.many,
            recorder=self.recorder,
            cannot_wait=self.cancels.cannot_wait,
            cancel_later=self.cancels.later,
            timeout=-1.0 if options.timeout is None else options.timeout,
            last_look=SECONDS_FOR_A_LAST_LOOK,
            too_late=self.cancels.too_late,
            counts_failures=options.retry_policy is not None,
            only_called=self._only_called,
            group_by=options.group_by,
            schedule=options.schedule,
        )
        self.cancels.owed.when_none = self.table.waker.set
        calls = PollCaller(
            options.poll_fn,
            self.table,
            self.meter,
            name,
            default_interval=options.default_interval,
            retry_policy=options.retry_policy,
            rate_limit=options.rate_limit,
            debugging=debugging,
        )
        min_interval = options.seconds_between_rounds
        if isinstance(self.table, DueTable):
            self.scheduler = DueScheduler(
                self.table,
                calls,
                self._runner(calls, self.table, options),
                min_interval=min_interval,
                batch_size=batch_size,
                rate_limit=options.rate_limit,
            )
        else:
            self.scheduler = FullListScheduler(self.table, calls, options.default_interval, min_interval)

    def _runner(self, calls: PollCaller, table: DueTable, options: PollOptions) -> Runner:
        if is_async(options.poll_fn):
            return LoopRunner(calls, table, self.loop, options.max_concurrency)
        # With deadlines the executor's own thread is to be free for them, whatever a call does.
        own_thread = options.max_concurrency > 1 or options.timeout is not None
        return ThreadRunner(calls, table, self.callers) if own_thread else InlineRunner(calls)

    def close_with(self, executor: object) -> None:
        """Close when nobody refers to `executor` any more. The recorder does so by itself."""
        # What is kept for that must not lead to functions of the user's, which may refer to the executor.
        self._closer = weakref.finalize(executor, close_all, self.callers, self.cancellers, self.loop)
        self._closer.atexit = False

    def close(self) -> None:
        """Have the threads end when they have done what they are at. Waits for nothing."""
        close_all(self.callers, self.cancellers, self.loop)
        if self.recorder is not None:
            self.recorder.close(wait=False)

    def join(self) -> None:
        """Wait until the threads have ended, after `close`."""
        self.callers.join()
        self.cancellers.join()
        self.loop.join()
        if self.recorder is not None:
            self.recorder.close(wait=True)

    def stop_recording(self) -> None:
        """From now on futures end because the program does: they are still outstanding for the next one."""
        if self.recorder is not None:
            self.recorder.detach()

    def forget(self) -> None:
        """This is a forked child: there are no threads, and who knows what they were at."""
        self.stop_recording()
        self.loop.forget()
        self._closer.detach()

    def is_current(self) -> bool:
        """Whether the caller is on one of the threads."""
        return self.callers.is_current() or self.cancellers.is_current() or self.loop.is_current()


def close_all(*threads: CallThreads | LoopThread) -> None:
    for some in threads:
        some.close()
