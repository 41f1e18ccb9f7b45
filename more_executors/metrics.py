"""What executors and futures have done so far, for Prometheus, if `prometheus_client` is there.

Nothing is counted for it: the tallies of the core are, and the meters of poll executors, anyhow, and they are read when
somebody scrapes. The environment variable `MORE_EXECUTORS_PROMETHEUS=0` switches it off.
"""

# pyright: reportPossiblyUnboundVariable=false

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Iterator

from ._core import Tally
from ._histogram import HistogramCounts
from ._metric_totals import Record, Totals, totals_of

__all__: list[str] = []

try:
    if os.environ.get("MORE_EXECUTORS_PROMETHEUS") == "0":
        raise ImportError
    from prometheus_client import REGISTRY  # type: ignore[import-not-found, unused-ignore]
    from prometheus_client.core import (  # type: ignore[import-not-found, unused-ignore]
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        Metric,
    )
    from prometheus_client.utils import floatToGoString  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    enabled = False
else:
    enabled = True

# These hand on the futures of their delegates, which count them.
WITHOUT_FUTURES = ("cancel_on_shutdown", "asyncio")


class Collector:
    """Sums up records when asked; those of executors that are gone are kept as sums."""

    def __init__(self) -> None:
        self._live: dict[int, Record] = {}
        self._gone: deque[int] = deque()
        self._past: dict[tuple[str, str], Totals] = {}
        self._lock = threading.Lock()  # guards _past, and who moves what there

    def add(self, record: Record, executor: object) -> None:
        key = id(record)
        self._live[key] = record
        if executor is not None:
            # Called back by a garbage collection, at any moment: that may take no lock.
            record.reference = weakref.ref(executor, lambda _: self._gone.append(key))
        # Whoever has the lock buries. It may be this thread: what it makes there may set off a garbage collection, and
        # that a destructor which makes an executor.
        if self._gone and self._lock.acquire(blocking=False):
            try:
                self._bury()
            finally:
                self._lock.release()

    def _bury(self) -> None:
        while self._gone:
            record = self._live.pop(self._gone.popleft())
            totals_of(self._past, record).add(record)

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now, for the registry."""
        with self._lock:
            self._bury()
            totals = {labels: past.past() for labels, past in self._past.items()}
            live = self._live.copy()  # here: else one that is buried meanwhile would be in neither
        for record in live.values():
            total = totals_of(totals, record)
            total.add(record)
            total.add_present(record)
        return families(totals)


def families(totals: dict[tuple[str, str], Totals]) -> Iterator[Metric]:
    """The metrics, in their order. As with counters that are made when they are needed, there are none of nothing."""

    def counter(name: str, text: str, what: str, kind: str | None = None, if_any: str | None = None) -> Metric:
        family = CounterMetricFamily(f"more_executors_{name}", text, labels=label_names(kind))
        for labels, total in totals.items():
            if suits(labels, kind) and total.counts[if_any or what]:
                family.add_metric(label_values(labels, kind), total.counts[what], created=total.created)
        return family

    def own_gauge(kind: str, what: str, text: str, if_given: bool = False) -> Metric:
        family = GaugeMetricFamily(f"more_executors_{kind}_{what}", text, labels=label_names(kind))
        for labels, total in totals.items():
            if suits(labels, kind) and (what in total.gauges if if_given else total.counts["started"]):
                family.add_metric(label_values(labels, kind), total.gauges.get(what, 0.0))
        return family

    def histogram(what: str, text: str) -> Metric:
        family = HistogramMetricFamily(f"more_executors_poll_{what}", text, labels=label_names("poll"))
        for labels, total in totals.items():
            if (counted := total.histograms.get(what)) is not None and counted.observations:
                family.add_metric(label_values(labels, "poll"), buckets(counted), counted.total)
        return family

    def gauge(name: str, text: str, what: str, kind: str | None = None) -> Metric:
        family = GaugeMetricFamily(f"more_executors_{name}", text, labels=label_names(kind))
        for labels, total in totals.items():
            if total.executors if what == "in_use" else suits(labels, kind) and total.counts["started"]:
                family.add_metric(label_values(labels, kind), float(getattr(total, what)))
        return family

    yield counter("timeout", "Futures cancelled due to timeout", "cancels", "timeout")
    yield counter("shutdown_cancel", "Futures cancelled at shutdown", "cancels", "cancel_on_shutdown", "started")
    yield gauge("exec_inprogress", "Executors currently in use", "in_use")
    executors = CounterMetricFamily("more_executors_exec", "Total executors used", labels=label_names(None))
    for labels, total in totals.items():
        if total.executors:
            executors.add_metric(labels, float(total.executors), created=total.created)
    yield executors
    yield gauge("future_inprogress", "Futures currently in use", "pending")
    yield counter("future", "Total futures used", "started")
    yield counter("future_cancel", "Futures cancelled", "cancelled", if_any="started")
    yield counter("future_error", "Futures resolved with error", "failed", if_any="started")
    yield counter("future_time", "Total execution time of futures", "seconds", if_any="started")
    yield counter("poll", "PollExecutor's poll function calls", "calls", "poll")
    yield counter("poll_error", "PollExecutor's poll function calls raising an error", "call_errors", "poll")
    yield counter("poll_time", "Total execution time of PollExecutor's poll function", "call_seconds", "poll", "calls")
    yield counter("retry", "Futures retried by RetryExecutor", "retries", "retry")
    yield gauge("retry_queue", "Futures in RetryExecutor queue", "pending", "retry")
    yield counter("retry_delay", "Time spent waiting for retry", "retry_seconds", "retry")
    yield own_gauge("throttle", "queue", "Futures in ThrottleExecutor queue")
    yield own_gauge("poll", "outstanding", "Futures of PollExecutor that are not done")
    yield own_gauge("poll", "oldest_age_seconds", "How long ago the oldest pending future of PollExecutor was made")
    yield own_gauge("poll", "rate_limit", "Calls per second that PollExecutor's rate limit allows now", if_given=True)
    yield histogram("duration_seconds", "Execution time of each call of PollExecutor's poll function")
    yield histogram("batch_size", "Tasks in each call of PollExecutor's poll function")
    yield histogram("lag_seconds", "How late each call of PollExecutor's poll function came for the tasks in it")
    yield counter("poll_throttled", "PollExecutor's poll function calls answered by Throttled", "throttled", "poll")


def suits(labels: tuple[str, str], kind: str | None) -> bool:
    """Whether a metric of `kind`, None being all kinds that have futures, has a series for `labels`."""
    return labels[0] not in WITHOUT_FUTURES if kind is None else labels[0] == kind


def buckets(counted: HistogramCounts) -> list[tuple[str, float]]:
    """What is counted up to each bound, as the text format has it."""
    bounds = [*map(floatToGoString, counted.bounds), "+Inf"]
    return list(zip(bounds, map(float, counted.cumulative()), strict=True))


def label_names(kind: str | None) -> tuple[str, ...]:
    return ("type", "executor") if kind is None else ("executor",)


def label_values(labels: tuple[str, str], kind: str | None) -> tuple[str, ...]:
    return labels if kind is None else labels[1:]


_collector = Collector()
if enabled:
    REGISTRY.register(_collector)


def track(executor: object, kind: str, name: str, tally: Tally) -> Record:
    """Show what `executor` counts, while it is there and after."""
    record = Record(kind, name, tally, is_executor=True, meter=getattr(executor, "_meter", None))
    if enabled:
        _collector.add(record, executor)
    return record


def track_function(kind: str, name: str, tally: Tally) -> None:
    """Show what a function that makes futures counts."""
    if enabled:
        _collector.add(Record(kind, name, tally, is_executor=False), None)


def _after_fork_in_child() -> None:
    _collector._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
