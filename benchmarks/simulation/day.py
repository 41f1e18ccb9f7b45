"""What is simulated: when tasks are started over a day, and how long they run."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from math import cos, exp, pi
from random import Random

HOUR = 3600.0
DAY = 24 * HOUR

MEDIAN = 600.0  # seconds that a task runs
SPREAD = 1.4  # of the logarithm of that: one in a hundred runs 26 times as long
SHORTEST, LONGEST = 30.0, 12 * HOUR

BURSTS = 8  # a day
BURST_SECONDS = 60.0
SHARE_OF_BURSTS = 0.4  # of all tasks


@dataclass(frozen=True)
class Day:
    """The tasks, numbered in the order in which they are started: when that is, and when they are done, in seconds."""

    starts: array[float]
    ends: array[float]

    def __len__(self) -> int:
        return len(self.starts)


def day_of(tasks: int, seed: int = 1) -> Day:
    """A day with so many tasks: the same ones for the same seed."""
    random = Random(seed)
    starts = array("d", sorted(start(random) for _ in range(tasks)))
    return Day(starts, array("d", (begin + duration(random) for begin in starts)))


def start(random: Random) -> float:
    """In a burst, or at any time of the day, at noon twice as likely as on average."""
    if random.random() < SHARE_OF_BURSTS:
        burst = random.randrange(BURSTS)
        return (burst + 0.5) * DAY / BURSTS + random.uniform(0, BURST_SECONDS)
    while True:
        time = random.uniform(0, DAY)
        if 2 * random.random() < 1 - cos(2 * pi * time / DAY):
            return time


def duration(random: Random) -> float:
    return min(LONGEST, max(SHORTEST, MEDIAN * exp(random.gauss(0, SPREAD))))
