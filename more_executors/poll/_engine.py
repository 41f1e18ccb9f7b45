"""The parts of a poll executor, wired together: what calls, what cancels, what keeps the journal, and their threads."""

from __future__ import annotations

import logging
import weakref
from time import monotonic
from typing import cast

from .._callables import is_async
from .._core import DueTable, FullListScheduler, FullListTable, PollTable
from .._only_calls import only_calls
from .._runtime.call_threads import CallThreads
from .._runtime.executor import LastingExecutor
from .._runtime.shared_loop import ClosedWhenDropped, LoopUse, new_loop
from ..journal._writer import JournalWriter
from ._bursts import Bursts
from ._call import PollCaller
from ._cancel import Canceller
from ._cancel_call import CancelCalls
from ._finder import Finder
from ._gate import CallGate
from ._keyed_submits import KeyedSubmits
from ._meter import PollMeter
from ._options import PollOptions
from ._runners import InlineRunner, LoopRunner, Runner, ThreadRunner
from ._scheduler import DueScheduler, PollScheduler
from .stats import PollStats

__all__: list[str] = []


class PollEngine:
    """The parts of a poll executor: none of them refers to the executor, and those with threads end with `close`."""

    seconds_for_a_last_look = 5.0  # that a deadline is put off for at most, so that a task is polled once more

    table: PollTable
    scheduler: PollScheduler

    def __init__(
        self, options: PollOptions, delegate: object, logger: logging.Logger, name: str, debugging: bool
    ) -> None:
        self._only_called = only_calls(delegate)
        self._rate_limit = options.rate_limit
        self.meter = self._new_meter()
        self._loop_use = loop_used(delegate, f"{name}-loop", options, logger)
        self._loop_closer = ClosedWhenDropped(self._loop_use)
        self.loop = self._loop_use.shared.thread
        self.resource = self._loop_use.shared.resource
        self.callers = CallThreads(name, options.max_concurrency)
        self.cancellers = CallThreads(f"{name}-cancel", options.max_concurrency)
        self.finders = CallThreads(f"{name}-find", 1)
        self.recorder = None
        self._finder: Finder | None = None
        if options.journal is not None:
            cancels = options.cancel_fn is not None or options.cancel_many_fn is not None
            self.recorder = JournalWriter(options.journal, logger, name, options.keys, cancels)
        try:
            self._assemble(options, logger, name, debugging)
        except BaseException:
            self._loop_use.close()
            if self.recorder is not None:
                self.recorder.close(wait=True)
            raise

    def _assemble(self, options: PollOptions, logger: logging.Logger, name: str, debugging: bool) -> None:
        self._gate = gate = CallGate(options.rate_limit)
        self.cancels = Canceller(
            options.cancel_fn,
            options.cancel_many_fn,
            gate=gate,
            batch_size=options.most_in_a_call,
            max_concurrency=options.max_concurrency,
            loop=self.loop,
            resource=self.resource,
            threads=self.cancellers,
            logger=logger,
        )
        self._spacing = options.spacing
        self.table = self._table_type(options)(
            logger,
            self.cancels.one,
            self.cancels.many,
            cancel_in_turn=self.cancels.in_turn,
            fault_of=self.cancels.fault_of,
            cannot_wait=self.cancels.cannot_wait,
            cancel_later=self.cancels.later,
            pause=gate.pause,
            recorder=self.recorder,
            timeout=-1.0 if options.timeout is None else options.timeout,
            last_look=self.seconds_for_a_last_look,
            too_late=self.cancels.too_late,
            counts_failures=options.retry_policy is not None,
            only_called=self._only_called,
            group_by=options.group_by,
            schedule=options.schedule,
            spacing=self._spacing,
        )
        self.cancels.owed.when_none = gate.when_changed = self.table.waker.set
        self.calls = calls = PollCaller(
            options.poll_fn,
            self.table,
            self.meter,
            gate,
            name,
            is_limited=options.rate_limit is not None,
            resource=self.resource,
            default_interval=options.default_interval,
            retry_policy=options.retry_policy,
            debugging=debugging,
        )
        bursts = Bursts(self.table, calls, options.longest_pause_in_bursts)
        self.scheduler = self._new_scheduler(options, calls, gate, bursts)

    def _new_meter(self) -> PollMeter:
        return PollMeter()

    def _table_type(self, options: PollOptions) -> type[PollTable]:
        return DueTable if options.is_paced else FullListTable

    def _new_scheduler(self, options: PollOptions, calls: PollCaller, gate: CallGate, bursts: Bursts) -> PollScheduler:
        if isinstance(self.table, DueTable):
            self.table.sets_aside = options.longest_pause_in_bursts > 0.0
            return DueScheduler(
                self.table,
                self._runner(calls, self.table, options),
                gate,
                bursts,
                spacing=self._spacing,
                batch_size=options.most_in_a_call,
            )
        return FullListScheduler(
            cast("FullListTable", self.table),
            calls,
            gate.pause,
            bursts,
            default_interval=options.default_interval,
            min_interval=options.min_interval or 0.0,
        )

    def keyed_submits(self, options: PollOptions, delegate: object, logger: logging.Logger) -> KeyedSubmits | None:
        """What `submit_once` needs, or None if there is no journal that keeps keys."""
        book = None if self.recorder is None else self.recorder.book
        if book is None:
            return None
        find_fn = book.keys.find_fn
        if find_fn is None:
            return KeyedSubmits(self.table, book, delegate, None)
        self._finder = finder = Finder(
            CancelCalls(find_fn, False, self._gate, self.loop, self.resource),
            book,
            self.finders,
            batch_size=options.most_in_a_call,
            retry_delay=self.calls.seconds_until_next_try,
            logger=logger,
        )
        return KeyedSubmits(self.table, book, delegate, finder)

    def ask_later(self, seconds: float) -> None:
        """See Finder."""
        if self._finder is not None:
            self._finder.ask_later(seconds)

    def _runner(self, calls: PollCaller, table: DueTable, options: PollOptions) -> Runner:
        if is_async(options.poll_fn):
            return LoopRunner(calls, table, self.loop, options.max_concurrency)
        # With deadlines the executor's own thread is to be free for them, whatever a call does.
        own_thread = options.max_concurrency > 1 or options.timeout is not None
        return ThreadRunner(calls, table, self.callers) if own_thread else InlineRunner(calls)

    def stats(self) -> PollStats:
        """See `PollExecutor.stats`."""
        table, counters, scheduler = self.table, self.table.counters, self.scheduler
        outstanding, polled = len(table), table.polling
        done = counters.finished + counters.failed + counters.cancelled
        in_calls = min(scheduler.in_calls, polled)
        return PollStats(
            outstanding=outstanding,
            with_delegate=max(0, outstanding - polled),
            polled=polled,
            due=min(scheduler.due, max(0, polled - in_calls)),
            in_calls=in_calls,
            done=done,
            failed=counters.failed,
            cancelled=counters.cancelled,
            calls=counters.calls,
            errors=counters.call_errors,
            throttled=self.meter.throttled,
            oldest_age=table.oldest_age(),
            lag=max(self.calls.last_lag, monotonic() - table.next_due() if in_calls < polled else 0.0),
            rate=None if self._rate_limit is None else self._rate_limit.rate,
            seconds_left=self.meter.seconds_left(outstanding, done),
            states={state: count for state, count in table.states().items() if count},
        )

    def gauges(self, stats: PollStats) -> dict[str, float]:
        """For metrics, out of `stats` and what is not in there."""
        gauges = {"outstanding": float(stats.outstanding), "oldest_age_seconds": stats.oldest_age}
        if stats.rate is not None:
            gauges["rate_limit"] = stats.rate
        if self.recorder is not None:
            gauges["journal_behind_seconds"] = self.recorder.seconds_behind()
        return gauges

    def close_with(self, executor: object) -> None:
        """Close when nobody refers to `executor` any more. The recorder does so by itself."""
        # What is kept for that must not lead to functions of the user's, which may refer to the executor.
        threads = (self.callers, self.cancellers, self.finders)
        self._closer = weakref.finalize(executor, close_all, *threads)
        self._closer.atexit = False

    def close(self) -> None:
        """Have the threads end after the calls that go on now. Does not wait."""
        close_all(self.callers, self.cancellers, self.finders)
        if self._finder is not None:
            self._finder.close()
        self._loop_use.close()
        if self.recorder is not None:
            self.recorder.close(wait=False)

    def join(self) -> None:
        """Wait until the threads have ended, after `close`."""
        self.callers.join()
        self.cancellers.join()
        self.finders.join()
        self._loop_use.shared.join()
        if self.recorder is not None:
            self.recorder.close(wait=True)

    def stop_recording(self) -> None:
        """Record no more ends of tasks: futures end now because the program does, and the next one resumes them."""
        if self.recorder is not None:
            self.recorder.detach()

    def forget(self) -> None:
        """In a forked child: do without the threads, which only the parent has."""
        self.stop_recording()
        self._loop_use.shared.forget()
        self._closer.detach()

    def is_current(self) -> bool:
        """Whether the caller is on one of the threads."""
        threads = (self.callers, self.cancellers, self.finders, self.loop)
        return any(some.is_current() for some in threads)


def close_all(*threads: CallThreads) -> None:
    for some in threads:
        some.close()


def loop_used(delegate: object, name: str, options: PollOptions, logger: logging.Logger) -> LoopUse:
    """The event loop that tasks are started on; if there is none, another one, called `name`."""
    shared = delegate._shared_loop() if isinstance(delegate, LastingExecutor) else None
    use = shared and shared.used(options.open_fn, options.close_fn, logger)
    return use or new_loop(name, options.open_fn, options.close_fn, logger)
