"""Simulate 64 shards that poll ten million tasks: `python -m benchmarks.simulation.shards [--tasks N] [--minutes M]`.

Each shard is the library's own poll executor on a virtual clock, one after another: they have nothing to do with each
other but the service and the client. What they tell the client is put into messages as `ShardHost` does it. It is
printed how many requests the service gets and how many messages the client, and how soon that knows of an end. Nothing
sleeps: a minute of ten million tasks takes some minutes.
"""

from __future__ import annotations

import argparse
from array import array
from collections import Counter
from collections.abc import Sequence
from random import Random
from time import perf_counter
from typing import Any

from ..table import aligned
from .day import HOUR, Day
from .virtual import Clock, Sleep, VirtualExecutor

SHARDS = 64
RAMP = 60.0  # seconds in which all are adopted
INTERVAL, IDS, AT_A_TIME = 30.0, 500, 16  # of polls of a task; ids a request; requests of a shard
LATENCY = 0.1
GATHER, ENOUGH = 0.1, 500  # what `ShardHost` and `HostEvents` make messages by


class Totals:
    """Of all shards, from the end of the ramp on."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.requests = Counter[int]()  # by second
        self.messages = Counter[int]()
        self.ids = self.ends = 0
        self.delays = array("d")  # from an end to when the client is told

    def row(self, tasks: int) -> tuple[str, ...]:
        requests, messages = self.requests.total(), self.messages.total()
        delays = sorted(self.delays)
        return (
            f"{tasks:,}",
            f"{requests / self.seconds:,.0f} ({max(self.requests.values()):,})",
            f"{self.ids / requests:.0f}",
            f"{messages / self.seconds:,.0f} ({max(self.messages.values()):,})",
            f"{self.ends / messages:.1f}",
            f"{sum(delays) / len(delays):.1f} s",
            f"{delays[int(0.99 * len(delays))]:.1f} s",
        )


HEADINGS = ("outstanding", "requests a second (most)", "ids each", "messages a second (most)", "ends each")
HEADINGS += ("known after", "99 % within")


def life_of(tasks: int, seconds: float, random: Random) -> Day:
    """So many tasks at any time, each of which runs for an hour, for so many seconds after the ramp.

    Those that are there at first are adopted during the ramp; whenever one ends, another one is started.
    """
    lives = [(RAMP * number / tasks, RAMP + random.uniform(0, HOUR)) for number in range(tasks)]
    lives += [(end, end + HOUR) for _, end in lives if end < RAMP + seconds]
    lives.sort()
    return Day(array("d", [start for start, _ in lives]), array("d", [end for _, end in lives]))


def live(day: Day, until: float, totals: Totals) -> None:
    """One shard: polls until that time, when all that is left is taken for done."""
    clock = Clock()
    ends = day.ends.tolist()
    found: list[tuple[float, float]] = []  # when it is known here that a task has ended, and when it has

    async def poll(descriptors: Sequence[Any]) -> None:
        asked_at = clock.now
        if RAMP <= asked_at < until:
            totals.requests[int(asked_at)] += 1
            totals.ids += len(descriptors)
        await Sleep(LATENCY)
        is_over = asked_at >= until
        for descriptor in descriptors:
            end = ends[descriptor.result]
            if end <= asked_at:
                found.append((clock.now, end))
                descriptor.yield_result()
            elif is_over:
                descriptor.yield_result()

    VirtualExecutor(poll, clock, batch_size=IDS, max_concurrency=AT_A_TIME, default_interval=INTERVAL).live(day)
    note_messages([each for each in found if RAMP <= each[0] < until], totals)


def note_messages(found: list[tuple[float, float]], totals: Totals) -> None:
    """An event that comes alone is told at once; later ones when there are enough, or a moment later."""
    gathered: list[float] = []
    sends_at = -1.0
    for at, end in [*found, (float("inf"), 0.0)]:
        if gathered and (at >= sends_at or len(gathered) >= ENOUGH):
            sent_at = min(sends_at, at)
            totals.messages[int(sent_at)] += 1
            totals.ends += len(gathered)
            totals.delays.extend(sent_at - each for each in gathered)
            gathered, sends_at = [], sent_at + GATHER
        if not gathered:
            sends_at = max(sends_at, at)
        gathered.append(end)


def simulated(tasks: int, seconds: float, shards: int = SHARDS) -> Totals:
    random = Random(1)
    totals = Totals(seconds)
    for _ in range(shards):
        live(life_of(tasks // shards, seconds, random), RAMP + seconds, totals)
    return totals


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation.shards", description="Simulate 64 shards.")
    parser.add_argument("--tasks", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--minutes", type=float, default=1.0)
    options = parser.parse_args()
    began = perf_counter()
    rows = [simulated(tasks, 60 * options.minutes).row(tasks) for tasks in options.tasks]
    print(aligned([HEADINGS, *rows]))
    print(f"\n{SHARDS} shards, {options.minutes:g} minutes, simulated in {perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
