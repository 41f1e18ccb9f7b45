"""What executors and futures have done so far, for Prometheus, if `prometheus_client` is there.

Nothing is counted for it: the counters of the core and the meters of poll executors are there anyhow, and are read when
somebody scrapes. In a program of several processes, a thread writes them down now and then. The environment variable
`MORE_EXECUTORS_PROMETHEUS=0` switches it off.
"""

from __future__ import annotations

import itertools
import os
import weakref
from collections import OrderedDict, deque
from threading import Lock
from time import monotonic
from typing import Any

from .._core import Counters
from ._totals import Labels, Record, Totals

__all__: list[str] = []

try:
    if os.environ.get("MORE_EXECUTORS_PROMETHEUS") == "0":
        raise ImportError
    import prometheus_client  # noqa: F401  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    enabled = False
else:
    enabled = True


# What is gone is in every scrape: the last names, and others for so many seconds, and so many scrapes.
NAMES_SHOWN = 100
SECONDS_SHOWN = 3600.0
SCRAPES_SHOWN = 10


class Collector:
    """Adds up records when it is read. Those of executors that do not exist any more are kept as sums.

    Sums are kept for good. If they are many, a scrape leaves out those that have been shown often enough, until they
    change.

    Nothing here waits for anybody. So all of it may be called in a signal handler, or a destructor, that came in the
    midst of any of it on the same thread, and finds each record once.
    """

    def __init__(self) -> None:
        self._serial = itertools.count()
        self._live: dict[int, Record] = {}
        self._gone: deque[int] = deque()
        self._past: dict[Labels, Totals] = {}  # these are replaced, and never change
        self._shown: dict[Labels, None] = {}  # those of them that scrapes have, also while nothing of them lives
        self._scrapes = 0
        self._lock = Lock()  # held by the one thread that buries, if there is one, for the next as well
        # Until when they are shown, and until how many scrapes; who is gone longest comes first.
        self._until: OrderedDict[Labels, tuple[float, int]] = OrderedDict()

    def add(self, record: Record, executor: object) -> None:
        key = next(self._serial)
        if executor is not None:
            # Called back by a garbage collection, at any moment: that may take no lock.
            record.reference = weakref.ref(executor, lambda _: self._gone.append(key))
        self._live[key] = record
        self._bury()

    def _bury(self) -> None:
        """Add the records of executors that are gone to the sums, unless another call is doing that."""
        held = False
        try:
            held = bool(self._gone or len(self._until) > NAMES_SHOWN) and self._lock.acquire(blocking=False)
            while held and self._gone:
                self._bury_one(self._gone[0])
                self._gone.popleft()
            while held and self._leave_one_out():
                pass
        finally:
            if held:
                self._lock.release()

    def _bury_one(self, key: int) -> None:
        # A Ctrl-C may end this anywhere: then it is called again.
        record = self._live.get(key)
        if record is None:
            return
        past = self._past.get(record.labels)
        if not record.is_in(past):
            totals = Totals(record.created) if past is None else past.copy()
            totals.add(record)
            totals.burials += 1
            record.burial = totals.burials
            self._shown[record.labels] = None
            self._until[record.labels] = monotonic() + SECONDS_SHOWN, self._scrapes + SCRAPES_SHOWN
            self._until.move_to_end(record.labels)
            self._past[record.labels] = totals
        del self._live[key]

    def _leave_one_out(self) -> bool:
        """Leave what has been gone longest out of scrapes, if there is too much and it was shown for long enough.

        Returns whether it was left out.
        """
        if len(self._until) <= NAMES_SHOWN:
            return False
        labels, (until, scrapes) = next(iter(self._until.items()))
        if monotonic() < until or self._scrapes < scrapes:
            return False
        self._shown.pop(labels, None)
        self._past[labels].rendered = None
        del self._until[labels]
        return True

    def totals(self, everything: bool = True) -> dict[Labels, Totals]:
        """The totals, by their labels: `everything`, or what a scrape shows."""
        self._bury()
        live = self._live.copy()  # before the past: else one that is buried meanwhile would be in neither
        past = self._past.copy()
        present: dict[Labels, Totals] = {}
        for record in live.values():
            labels = record.labels
            before = past.get(labels)
            if record.is_in(before):
                continue
            if labels not in present:
                present[labels] = Totals(record.created) if before is None else before.copy()
            present[labels].add(record)
            present[labels].add_present(record)
        if not everything:
            past = {labels: past[labels] for labels in self._shown.copy() if labels in past}
        return past | present

    def disown(self) -> None:
        """Count nothing as in use or pending any more: in a forked child, and at the end of the process."""
        for record in self._live.copy().values():
            record.disown()

    def collect(self) -> list[Any]:
        """The metrics with their values. The registry calls this."""
        from ._families import families

        found = families(self.totals(everything=False).items())
        self._scrapes += 1
        return found


_collector = Collector()
if enabled:
    from prometheus_client import REGISTRY

    from ._files import MetricFiles, in_use

    REGISTRY.register(_collector)
    if in_use():
        MetricFiles(_collector.totals, _collector.disown).start()


def track(executor: object, kind: str, name: str, counters: Counters) -> Record:
    """Export what `executor` counts, also when the executor does not exist any more."""
    record = Record(kind, name, counters, is_executor=True, meter=getattr(executor, "_meter", None))
    if enabled:
        _collector.add(record, executor)
    return record


def track_function(kind: str, name: str, counters: Counters) -> None:
    """Export what is counted of a function that makes futures."""
    if enabled:
        _collector.add(Record(kind, name, counters, is_executor=False), None)


def _after_fork_in_child() -> None:
    _collector._lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
