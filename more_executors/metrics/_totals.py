"""The counts for metrics, and their sums over all executors of the same kind and name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias

from .._core import Counters
from ._histogram import Histogram, HistogramCounts

__all__: list[str] = []

Labels: TypeAlias = tuple[str, str]  # type and name
Samples: TypeAlias = list[Any]  # of prometheus_client

COUNTED = (
    *("started", "finished", "failed", "cancelled", "seconds", "calls", "call_errors"),
    *("call_seconds", "retries", "retry_seconds", "cancels"),
)

METERED = (  # by executors that have a meter
    *("throttled", "packs", "calls_again", "workers_lost"),
    *("shards_made", "shards_lost", "tasks_adopted", "tasks_started_again"),
)

# Of several executors, the largest of these is shown; of all other gauges, the sum.
LARGEST = ("oldest_age_seconds", "journal_behind_seconds", "shard_silence_seconds", "rate_limit")


class Gauged(Protocol):
    """An executor that has gauges of its own in metrics."""

    def _gauges(self) -> Mapping[str, float]:
        """Their values, by the names of the metrics without prefix and kind. Called from any thread."""
        ...


class Reporting(Protocol):
    """An executor that knows of states of its tasks."""

    def _states(self) -> Mapping[str, int]:
        """How many tasks are in each, in an order that does not change. Called from any thread."""
        ...


class Meter(Protocol):
    """What an executor counts beside futures."""

    def counts(self) -> Mapping[str, int]:
        """Some of METERED. Called from any thread, and takes no lock."""
        ...

    def histograms(self) -> Iterable[tuple[str, Histogram]]:
        """All of them, by their names in metrics."""
        ...


class Record:
    """The counts of one executor, or of one of the functions on futures."""

    def __init__(
        self, kind: str, name: str, counters: Counters, *, is_executor: bool, meter: Meter | None = None
    ) -> None:
        self.labels = (kind, name)
        self.counters = counters
        self.meter = meter
        self.is_executor = is_executor
        self.in_use = is_executor
        self.disowned = False
        self.inherited = 0  # pending futures that do not count: see `disown`
        self.burial = 0  # its number among those that are added to the totals of what is gone; 0 before
        self.created = time.time()
        self.reference: Callable[[], Any] = lambda: None

    def ended(self) -> None:
        """Note that the executor was shut down."""
        self.in_use = False

    def disown(self) -> None:
        """Count nothing as in use or pending any more: in a forked child, and at the end of the process."""
        self.in_use = False
        self.disowned = True
        self.inherited = self.counters.pending

    def is_in(self, past: Totals | None) -> bool:
        """Whether this has been added to `past`, the totals of what is gone with the same labels."""
        return past is not None and 0 < self.burial <= past.burials

    def gauges(self) -> Mapping[str, float]:
        """The values of the executor's own gauges, if it has some and still exists."""
        executor: Gauged | None = None if self.disowned else self.reference()
        return {} if executor is None or not hasattr(executor, "_gauges") else executor._gauges()

    def states(self) -> Mapping[str, int]:
        """How many tasks are in each state, if the executor knows of some and still exists."""
        executor: Reporting | None = None if self.disowned else self.reference()
        return {} if executor is None or not hasattr(executor, "_states") else executor._states()


class Totals:
    """The sums of all records with the same labels."""

    def __init__(self, created: float) -> None:
        self.created = created
        self.burials = 0  # how many records of executors that are gone are in it
        self.executors = 0
        self.counts: dict[str, float] = dict.fromkeys((*COUNTED, *METERED), 0.0)
        self.histograms: dict[str, HistogramCounts] = {}
        self.in_use = 0
        self.pending = 0
        self.gauges: dict[str, float] = {}
        self.states: dict[str, int] = {}
        self.rendered: tuple[bool, list[tuple[int, Samples]]] | None = None  # see `families`

    def add(self, record: Record) -> None:
        """Add the counts that only grow. They stay when the executor is gone."""
        self.created = min(self.created, record.created)
        self.executors += record.is_executor
        for what in COUNTED:
            self.counts[what] += getattr(record.counters, what)
        if record.meter is not None:
            for what, count in record.meter.counts().items():
                self.counts[what] += count
            for what, histogram in record.meter.histograms():
                counts, before = histogram.snapshot(), self.histograms.get(what)
                self.histograms[what] = counts if before is None else before.plus(counts)

    def add_present(self, record: Record) -> None:
        """Add the gauges: what there is at this moment."""
        self.in_use += record.in_use and record.reference() is not None
        self.pending += max(0, record.counters.pending - record.inherited)
        for what, value in record.gauges().items():
            before = self.gauges.get(what, 0.0)
            self.gauges[what] = max(before, value) if what in LARGEST else before + value
        for state, count in record.states().items():
            self.states[state] = self.states.get(state, 0) + count

    def copy(self) -> Totals:
        """The counts that only grow, to add others to them."""
        fresh = Totals(self.created)
        fresh.burials = self.burials
        fresh.executors = self.executors
        fresh.counts = self.counts.copy()
        fresh.histograms = self.histograms.copy()
        return fresh
