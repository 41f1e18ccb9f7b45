"""The metrics that are exported to Prometheus, and their samples. This needs `prometheus_client`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, cast

from prometheus_client import metrics as of_prometheus  # type: ignore[import-not-found, unused-ignore]
from prometheus_client.core import (  # type: ignore[import-not-found, unused-ignore]
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.utils import floatToGoString  # type: ignore[import-not-found, unused-ignore]

from .._states import first_states
from ._histogram import HistogramCounts
from ._totals import Labels, Samples, Totals

__all__: list[str] = []

# These hand on the futures of their delegates, which count them.
WITHOUT_FUTURES = ("cancel_on_shutdown", "asyncio")

BY_STATE = "more_executors_poll_outstanding_by_state"
MOST_STATES = 20  # of all executors with the same name: more would be too many series


class Exported(NamedTuple):
    """A metric: its family, without samples, and what adds those of one series, if it has any.

    They are added with the time since when they count, unless that is left out.
    """

    new_family: Callable[[], Metric]
    add_to: Callable[[Any, Labels, Totals, float | None], None]


def families(all_totals: Iterable[tuple[Labels, Totals]]) -> list[Metric]:
    """The metrics, in their order. There are no samples of what has not been counted yet."""
    made = [exported.new_family() for exported in EXPORTED]
    with_created = getattr(of_prometheus, "_use_created", True)
    for labels, totals in all_totals:
        if totals.rendered is not None and totals.rendered[0] == with_created:
            for index, samples in totals.rendered[1]:
                made[index].samples.extend(samples)
        else:
            totals.rendered = (with_created, list(rendered(made, labels, totals, with_created)))
    return made


def rendered(made: list[Metric], labels: Labels, totals: Totals, with_created: bool) -> Iterator[tuple[int, Samples]]:
    """Add the samples of one series to its metrics; yields the index of each of them with the samples."""
    created = totals.created if with_created else None
    for index, exported in enumerate(EXPORTED):
        samples = made[index].samples
        before = len(samples)
        exported.add_to(made[index], labels, totals, created)
        if len(samples) > before:
            yield index, samples[before:]


def counter(name: str, text: str, what: str, kind: str | None = None, if_any: str | None = None) -> Exported:
    def add_to(family: Any, labels: Labels, totals: Totals, created: float | None) -> None:
        if suits(labels, kind) and (totals.counts[what] or (if_any is not None and totals.counts[if_any])):
            family.add_metric(label_values(labels, kind), totals.counts[what], created=created)

    return Exported(lambda: CounterMetricFamily(f"more_executors_{name}", text, labels=label_names(kind)), add_to)


def gauge_of(name: str, text: str, kind: str | None, value: Callable[[Labels, Totals], float | None]) -> Exported:
    def add_to(family: Any, labels: Labels, totals: Totals, created: float | None) -> None:
        if (found := value(labels, totals)) is not None:
            family.add_metric(label_values(labels, kind), float(found))

    return Exported(lambda: GaugeMetricFamily(f"more_executors_{name}", text, labels=label_names(kind)), add_to)


def pending(name: str, text: str, kind: str | None = None) -> Exported:
    def value(labels: Labels, totals: Totals) -> float | None:
        return totals.pending if suits(labels, kind) and totals.counts["started"] else None

    return gauge_of(name, text, kind, value)


def own_gauge(kind: str, what: str, text: str, if_given: bool = False) -> Exported:
    def value(labels: Labels, totals: Totals) -> float | None:
        there = what in totals.gauges if if_given else totals.counts["started"]
        return totals.gauges.get(what, 0.0) if suits(labels, kind) and there else None

    return gauge_of(f"{kind}_{what}", text, kind, value)


def by_state() -> Exported:
    def add_to(family: Any, labels: Labels, totals: Totals, created: float | None) -> None:
        for state, count in first_states(totals.states, MOST_STATES).items():
            family.add_metric((*label_values(labels, "poll"), state), float(count))

    text = "Tasks of PollExecutor that are not done, by the state that its poll function reported"
    return Exported(lambda: GaugeMetricFamily(BY_STATE, text, labels=(*label_names("poll"), "state")), add_to)


def histogram(what: str, text: str) -> Exported:
    def add_to(family: Any, labels: Labels, totals: Totals, created: float | None) -> None:
        if (counted := totals.histograms.get(what)) is not None and counted.observations:
            family.add_metric(label_values(labels, "poll"), buckets(counted), counted.total)

    name = f"more_executors_poll_{what}"
    return Exported(lambda: HistogramMetricFamily(name, text, labels=label_names("poll")), add_to)


def executors_made() -> Exported:
    def add_to(family: Any, labels: Labels, totals: Totals, created: float | None) -> None:
        if totals.executors:
            family.add_metric(labels, float(totals.executors), created=created)

    text = "Total executors used"
    return Exported(lambda: CounterMetricFamily("more_executors_exec", text, labels=label_names(None)), add_to)


def executors_in_use(labels: Labels, totals: Totals) -> float | None:
    return totals.in_use if totals.executors else None


def suits(labels: Labels, kind: str | None) -> bool:
    """Whether a metric of `kind` has a series for `labels`. `kind` None is all kinds of executors with futures."""
    return labels[0] not in WITHOUT_FUTURES if kind is None else labels[0] == kind


def buckets(counted: HistogramCounts) -> list[tuple[str, float]]:
    """How many values were counted up to each bound, with the bounds in text."""
    as_text = cast("Callable[[float], str]", floatToGoString)
    bounds = [*map(as_text, counted.bounds), "+Inf"]
    return list(zip(bounds, map(float, counted.cumulative()), strict=True))


def label_names(kind: str | None) -> tuple[str, ...]:
    return ("type", "executor") if kind is None else ("executor",)


def label_values(labels: Labels, kind: str | None) -> tuple[str, ...]:
    return labels if kind is None else labels[1:]


EXPORTED = (
    counter("timeout", "Futures cancelled due to timeout", "cancels", "timeout"),
    counter("shutdown_cancel", "Futures cancelled at shutdown", "cancels", "cancel_on_shutdown", "started"),
    gauge_of("exec_inprogress", "Executors currently in use", None, executors_in_use),
    executors_made(),
    pending("future_inprogress", "Futures currently in use"),
    counter("future", "Total futures used", "started"),
    counter("future_cancel", "Futures cancelled", "cancelled", if_any="started"),
    counter("future_error", "Futures resolved with error", "failed", if_any="started"),
    counter("future_time", "Total execution time of futures", "seconds", if_any="started"),
    counter("poll", "PollExecutor's poll function calls", "calls", "poll"),
    counter("poll_error", "PollExecutor's poll function calls raising an error", "call_errors", "poll", "calls"),
    counter("poll_time", "Total execution time of PollExecutor's poll function", "call_seconds", "poll", "calls"),
    counter("retry", "Futures retried by RetryExecutor", "retries", "retry"),
    pending("retry_queue", "Futures in RetryExecutor queue", "retry"),
    counter("retry_delay", "Time spent waiting for retry", "retry_seconds", "retry"),
    own_gauge("throttle", "queue", "Futures in ThrottleExecutor queue"),
    own_gauge("poll", "outstanding", "Futures of PollExecutor that are not done"),
    own_gauge("poll", "oldest_age_seconds", "How long ago the oldest pending future of PollExecutor was made"),
    own_gauge("poll", "rate_limit", "Calls per second that PollExecutor's rate limit allows now", if_given=True),
    own_gauge(
        "poll", "journal_behind_seconds", "For how long PollExecutor's journal has not been written", if_given=True
    ),
    own_gauge("poll", "shards_open", "Shards of ShardedPollExecutor that can start and poll tasks", if_given=True),
    own_gauge(
        "poll", "shard_silence_seconds", "How long ago the shard was heard that was not for longest", if_given=True
    ),
    by_state(),
    histogram("duration_seconds", "Execution time of each call of PollExecutor's poll function"),
    histogram("batch_size", "Tasks in each call of PollExecutor's poll function"),
    histogram("lag_seconds", "How late each call of PollExecutor's poll function came for the tasks in it"),
    counter("poll_throttled", "PollExecutor's poll function calls answered by Throttled", "throttled", "poll", "calls"),
    counter("poll_shards_made", "How often a shard of ShardedPollExecutor was made", "shards_made", "poll"),
    counter("poll_shards_lost", "How often one of them was lost", "shards_lost", "poll", "shards_made"),
    counter("poll_tasks_adopted", "Tasks taken over from a shard before", "tasks_adopted", "poll", "shards_made"),
    counter(
        "poll_tasks_started_again",
        "Tasks with a token that were started again",
        "tasks_started_again",
        "poll",
        "shards_made",
    ),
    counter("dask_packs", "Packs of calls that DaskExecutor has sent to workers", "packs", "dask", "started"),
    counter("dask_calls_again", "Calls that DaskExecutor has sent again", "calls_again", "dask", "started"),
    counter("dask_workers_lost", "Workers that DaskExecutor has lost", "workers_lost", "dask", "started"),
)
