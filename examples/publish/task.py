"""A task of the service, and what is in store for it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

from faults import NO_FAULTS, Faults

COMPLAINTS = ("disk full", "checksum mismatch", "permission denied")
DISTRIBUTIONS: dict[str, Callable[[random.Random, float], float]] = {
    "fixed": lambda _rng, mean: mean,
    "uniform": lambda rng, mean: rng.uniform(0.5, 1.5) * mean,
    "exponential": lambda rng, mean: rng.expovariate(1.0) * mean,
}


@dataclass(frozen=True)
class Settings:
    """How the service behaves.

    ``duration`` is the mean of a task and ``latency`` that of a request, both in seconds; ``failure_rate``
    is the share of tasks that end in an error, ``reject_rate`` that of objects for which no task is even
    started. What happens to an object depends on ``seed`` and its id only, not on the order of arrival.
    """

    duration: float = 15.0
    distribution: str = "uniform"
    failure_rate: float = 0.0
    reject_rate: float = 0.0
    latency: float = 0.0
    seed: int = 0
    faults: Faults = NO_FAULTS


@dataclass(frozen=True)
class Fate:
    """What happens to a task; all times are in seconds since it was made.

    It is ``refused``, or ends at ``end``, with ``error`` or without. Searches leave it out in the time
    ``hidden``, and from ``vanishes`` on nobody knows it any more.
    """

    refused: bool
    end: float
    error: str | None
    hidden: tuple[float, float]
    vanishes: float

    @classmethod
    def of(cls, object_id: str, settings: Settings) -> Fate:
        """The fate of a task that publishes an object."""
        rng = random.Random(f"{settings.seed}/{object_id}")
        faults = settings.faults
        refused = rng.random() < settings.reject_rate
        error = rng.choice(COMPLAINTS) if rng.random() < settings.failure_rate else None
        end = DISTRIBUTIONS[settings.distribution](rng, settings.duration)
        begin = rng.uniform(0, end) if rng.random() < faults.hide_rate else inf
        vanishes = rng.uniform(0, end) if rng.random() < faults.vanish_rate else inf
        return cls(refused, end, error, (begin, begin + faults.hidden_for), vanishes)


@dataclass
class Task:
    """One task. Its state follows from the clock, so that a running task costs the service nothing.

    ``made`` and ``cancelled`` are in seconds since the epoch.
    """

    task_id: str
    object_id: str
    made: float
    fate: Fate
    cancelled: float | None = None

    def __post_init__(self) -> None:
        self._runs_until = self.made + min(self.fate.end, self.fate.vanishes)

    def state(self, now: float) -> str:
        """ "running", "finished", "error", "cancelled" or "vanished"."""
        if self.cancelled is not None:
            return "cancelled"
        if now < self._runs_until:
            return "running"
        if self.fate.vanishes <= self.fate.end:
            return "vanished"
        return "finished" if self.fate.error is None else "error"

    def hidden(self, now: float) -> bool:
        """Whether searches leave it out for the moment."""
        begin, end = self.fate.hidden
        return begin <= now - self.made < end

    def status(self, now: float) -> dict[str, Any]:
        """The task as clients see it, if they do."""
        state = self.state(now)
        status: dict[str, Any] = {"task_id": self.task_id, "state": state}
        if self.cancelled is not None:
            status["ended"] = self.cancelled
        elif state != "running":
            status["ended"] = self._runs_until
        if state == "error":
            status["error"] = self.fate.error
        return status
