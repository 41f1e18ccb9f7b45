"""What there is for Prometheus, as the tests of it read it: of a test's own executors, not of all before it."""

from __future__ import annotations

import itertools
import re
import time

import prometheus_client
import pytest
from support import PATIENCE, InThread

from more_executors import metrics

PREFIX = "more_executors_"
Series = dict[str, float]
numbers = itertools.count()


def unused_name() -> str:
    """A name that no executor has had."""
    return f"name{next(numbers)}"


class Registries:
    """Which registry the tests of metrics read."""

    used = prometheus_client.REGISTRY
    default_collector = metrics._collector


def collect_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a collector, in a registry of its own, that knows of functions and of what is made from now on."""
    collector = metrics.Collector()
    for record in Registries.default_collector._live.copy().values():
        if not record.is_executor:
            collector.add(record, None)
    registry = prometheus_client.CollectorRegistry()
    registry.register(collector)
    monkeypatch.setattr(metrics, "_collector", collector)
    monkeypatch.setattr(Registries, "used", registry)


def exposition() -> str:
    return prometheus_client.generate_latest(Registries.used).decode()


def series(name: str) -> Series:
    """What the exposition text has of the executors called `name`: "metric type" to value, or "metric" without type."""
    return series_in(exposition(), name)


def series_in(text: str, name: str) -> Series:
    """The same of any such text."""
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(PREFIX + r'(\w+)\{executor="([^"]*)"(?:,type="(\w+)")?\} (\S+)', line)
        if match and match[2] == name and not match[1].endswith("_created"):
            found[f"{match[1]} {match[3]}" if match[3] else match[1]] = float(match[4])
    return found


def timeless(found: Series) -> Series:
    """Without the seconds, of which there are some."""
    assert all(value >= 0 for value in found.values())
    return {key: value for key, value in found.items() if "_time_total" not in key and "_seconds" not in key}


def executors(kind: str, total: float = 1, in_use: float = 1) -> Series:
    return {f"exec_total {kind}": total, f"exec_inprogress {kind}": in_use}


def futures(kind: str, total: float, pending: float = 0, cancelled: float = 0, failed: float = 0) -> Series:
    return {
        f"future_total {kind}": total,
        f"future_inprogress {kind}": pending,
        f"future_cancel_total {kind}": cancelled,
        f"future_error_total {kind}": failed,
    }


def new(since: Series, name: str) -> Series:
    """How much more the series of `name` are than they were, for those of which there is more."""
    return {
        key: value - since.get(key, 0) for key, value in timeless(series(name)).items() if value != since.get(key, 0)
    }


def eventually(name: str, expected: Series) -> None:
    """Wait until the series of `name` are `expected`, or fail as they are."""
    until = time.monotonic() + PATIENCE
    while not timeless(series(name)).items() >= expected.items() and time.monotonic() < until:
        InThread(int).outcome()
    found = timeless(series(name))
    assert {key: found.get(key) for key in expected} == expected
