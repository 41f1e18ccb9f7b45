"""Writing what is counted to the files by which `prometheus_client` collects from several processes.

With `PROMETHEUS_MULTIPROC_DIR` in the environment, a scrape is answered by any of the processes, out of a file of each.

Guarantees:

* What is counted is in the files about a second later, and when the process has ended, unless it is killed. Then
  nothing of it is in use any more.
* A forked child counts what happens in it, and nothing that it has inherited.
* No thread of this is there while the process forks.
* Who uses the library never waits for this, and sees none of its errors, other than in the log.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable, Iterator
from threading import Event, Lock, Thread
from typing import Any

from prometheus_client import Counter, Gauge, Histogram, values  # type: ignore[import-not-found, unused-ignore]

from .._core import log
from .._runtime import lifecycle
from .._runtime.nested_calls import start_thread
from ._families import BY_STATE, families
from ._totals import LARGEST, Labels, Totals

__all__: list[str] = []

SECONDS_BETWEEN_WRITES = 1.0
SECONDS_TO_STOP = 5.0  # for the thread, before a fork and at the end

# Of the gauges, what processes have that are gone is not added, if the program has `mark_process_dead` called.
SUMMED_UP = "livesum"
LARGEST_OF_ALL = "livemax" if "livemax" in getattr(Gauge, "_MULTIPROC_MODES", ()) else "max"

# A number in the files: the metric, its labels, and which of a histogram's numbers it is.
Number = tuple[str, tuple[str, ...], str]


def in_use() -> bool:
    """Whether `prometheus_client` uses such files. That was decided when it was imported."""
    return bool(getattr(values.ValueClass, "_multiprocess", False))


class MetricFiles:
    """Writes what a collector has to the files, once in `SECONDS_BETWEEN_WRITES`, on a thread of its own."""

    def __init__(self, totals: Callable[[], dict[Labels, Totals]], disown: Callable[[], None]) -> None:
        """`disown` is called in forked children and at the end: nothing counts as in use any more."""
        self._totals = totals
        self._disown = disown
        self._metrics: dict[str, Any] = {}
        self._begin()

    def _begin(self) -> None:
        self._written: dict[Number, float] = {}
        self._seen: dict[Labels, Totals] = {}
        self._failing = False
        self._lock = Lock()  # held while it writes; nobody writes whom users call
        self._stopped = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Write from now on, at the end of the process as well, and in forked children."""
        self._start_thread()
        lifecycle.call_last(self._at_end, self._after_fork_in_child)
        atexit.register(self._at_end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._stop_thread, after_in_parent=self._start_thread)

    def _start_thread(self) -> None:
        self._stopped.set()  # for another one, if two threads have forked at a time
        stopped = Event()
        thread = Thread(target=self._run, args=(stopped,), name="more-executors-metrics", daemon=True)
        try:
            start_thread(thread)
        except RuntimeError:  # there can be none now: it is written at the end
            return
        self._stopped, self._thread = stopped, thread

    def _stop_thread(self) -> None:
        thread, self._thread = self._thread, None
        self._stopped.set()
        if thread is not None:
            thread.join(SECONDS_TO_STOP)

    def _run(self, stopped: Event) -> None:
        while not stopped.wait(SECONDS_BETWEEN_WRITES):
            self.write()

    def _at_end(self) -> None:
        self._stop_thread()
        self._disown()
        self.write()

    def _after_fork_in_child(self) -> None:
        self._begin()
        self._disown()
        totals = self._totals()
        self._written = {number: value for _, _, number, value in numbers(totals)}
        self._seen = totals
        self._start_thread()

    def write(self) -> None:
        """Write what has changed since the last time."""
        if self._lock.acquire(timeout=SECONDS_TO_STOP):
            try:
                totals = self._totals()
                changed = {labels: total for labels, total in totals.items() if self._seen.get(labels) is not total}
                self._write(changed)
                self._seen = totals
                self._failing = False
            except Exception as error:
                if not self._failing:
                    message = "the metrics cannot be written for prometheus_client; it is tried again"
                    log(logging.getLogger(__name__), logging.WARNING, message, error=error)
                self._failing = True
            finally:
                self._lock.release()

    def _write(self, changed: dict[Labels, Totals]) -> None:
        present: set[Number] = set()
        for family, names, number, value in numbers(changed):
            present.add(number)
            if family.name not in self._metrics:
                self._metrics[family.name] = new_metric(family, names)
            if value != self._written.get(number):
                self._write_number(number, value)
        # A gauge that executors have no more.
        concerned = {*changed, *(labels[1:] for labels in changed)}
        for number in self._written.keys() - present:
            metric = self._metrics.get(number[0])
            labels = number[1][:1] if number[0] == BY_STATE else number[1]  # but for the state
            if labels in concerned and isinstance(metric, Gauge) and self._written[number]:
                self._write_number(number, 0.0)

    def _write_number(self, number: Number, value: float) -> None:
        name, labels, part = number
        metric = self._metrics[name].labels(*labels)
        if isinstance(metric, Gauge):
            metric.set(value)
        else:
            before = self._written.get(number, 0.0)
            value = max(value, before)  # a submit that is refused is counted for a moment
            counter = metric if not part else metric._sum if part == "sum" else metric._buckets[int(part)]
            counter.inc(value - before)
        self._written[number] = value


def new_metric(family: Any, names: tuple[str, ...]) -> Any:
    """The metric of `prometheus_client` that writes the samples of `family` to the files."""
    about = family.name, family.documentation, names
    if family.type == "counter":
        return Counter(*about, registry=None)
    if family.type == "gauge":
        mode: Any = LARGEST_OF_ALL if family.name.endswith(LARGEST) else SUMMED_UP
        return Gauge(*about, registry=None, multiprocess_mode=mode)
    bounds = {float(sample.labels["le"]) for sample in family.samples if "le" in sample.labels}
    return Histogram(*about, registry=None, buckets=sorted(bounds))


def numbers(all_totals: dict[Labels, Totals]) -> Iterator[tuple[Any, tuple[str, ...], Number, float]]:
    """The numbers to write, each with its metric and the names of its labels."""
    for family in families(all_totals.items()):
        bucket, below = 0, 0.0
        for sample in family.samples:
            part, value = "", sample.value
            if family.type == "histogram":
                if sample.name.endswith("_bucket"):
                    part, value = str(bucket), sample.value - below
                    bucket, below = bucket + 1, sample.value
                elif sample.name.endswith("_sum"):
                    part, bucket, below = "sum", 0, 0.0
                else:
                    continue
            elif sample.name.endswith("_created"):
                continue
            labels = {name: label for name, label in sample.labels.items() if name != "le"}
            yield family, tuple(labels), (family.name, tuple(labels.values()), part), value
