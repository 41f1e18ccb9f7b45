"""Ways of polling through a day: with the library, and in a loop at fixed intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

from more_executors import Backoff
from more_executors.rate_limit import RateLimit
from more_executors.status_poll import StatusPoll

from .day import HOUR, Day
from .record import Record
from .service import LATENCY, Service
from .virtual import Clock, Sleep, VirtualExecutor

AT_A_TIME = 16  # calls


@dataclass(frozen=True)
class Limits:
    """What the service allows."""

    ids: int = 100  # a call
    calls: float = 50.0  # a second


@dataclass(frozen=True)
class Strategy:
    """A way of polling: `run(day, limits)` gives the record of the day."""

    title: str
    run: Callable[[Day, Limits], Record]
    colour: str | None = None  # in the plot, if it is there


def at_intervals(interval: float) -> Callable[[Day, Limits], Record]:
    """A loop over everything that is outstanding, in chunks, evenly spaced; the next begins `interval` seconds after.

    It waits for no reply: so it is as fast as the limit lets it be.
    """

    def run(day: Day, limits: Limits) -> Record:
        service = Service(day, lambda _: 2 * limits.calls)
        started, waiting, now = 0, [], 0.0
        while True:
            while started < len(day) and day.starts[started] <= now:
                waiting.append(started)
                started += 1
            if not waiting:
                if started == len(day):
                    return service.record
                now += interval * max(1, ceil((day.starts[started] - now) / interval))
                continue
            at, left = now, []
            for first in range(0, len(waiting), limits.ids):
                at = now + first // limits.ids / limits.calls
                ids = waiting[first : first + limits.ids]
                service.ask(ids, at)
                done = service.done(ids, at)
                for task in done:
                    service.record.note_found(task, at + LATENCY)
                left += [task for task in ids if task not in done] if done else ids
            waiting = left
            now = max(now + interval, at + 1 / limits.calls)

    return run


def with_library(
    *, guess: float = 1.0, stands: Callable[[float], float] = lambda _: 2.0, **options: Any
) -> Callable[[Day, Limits], Record]:
    """A poll executor with these options; its rate limit is `guess` times the one of the service.

    That stands, by time, so many times the limit: more than enough, unless throttling is what it is about.
    """

    def run(day: Day, limits: Limits) -> Record:
        clock = Clock()
        service = Service(day, lambda at: limits.calls * stands(at))

        async def fetch(ids: list[int]) -> dict[int, bool]:
            asked_at = clock.now
            service.ask(ids, asked_at)
            await Sleep(LATENCY)
            return dict.fromkeys(ids, False) | dict.fromkeys(service.done(ids, asked_at), True)

        def resolve(descriptor: Any, done: bool) -> None:
            if done:
                service.record.note_found(descriptor.result, clock.now)
                descriptor.yield_result()

        executor = VirtualExecutor(
            StatusPoll(fetch, None, resolve),
            clock,
            batch_size=limits.ids,
            max_concurrency=AT_A_TIME,
            rate_limit=RateLimit(guess * limits.calls, clock=clock),
            **options,
        )
        executor.live(day)
        assert len(executor.polling.table) == 0, f"{len(executor.polling.table)} tasks are left"
        return service.record

    return run


def busy_afternoon(at: float) -> float:
    """Others use the service, too: from noon to six there is a tenth left of what it allows."""
    return 0.1 if 12 * HOUR <= at < 18 * HOUR else 1.0


GENTLE = Backoff(30, 1.1, 300)

STRATEGIES = [
    Strategy("every 5 s, all that are outstanding", at_intervals(5), "#c2410c"),
    Strategy("every 60 s, all that are outstanding", at_intervals(60), "#6b7280"),
    # As many ids as with `GENTLE`, and as with delays that double.
    Strategy("every 105 s, all that are outstanding", at_intervals(105)),
    Strategy("every 195 s, all that are outstanding", at_intervals(195)),
    Strategy("`default_interval=60`", with_library(default_interval=60, min_interval=2)),
    Strategy("`Backoff(10, 2, maximum=600)`", with_library(schedule=Backoff(10, 2, 600), min_interval=2)),
    Strategy("`Backoff(10, 1.2, maximum=300)`", with_library(schedule=Backoff(10, 1.2, 300), min_interval=2)),
    Strategy("`Backoff(30, 1.1, maximum=300)`", with_library(schedule=GENTLE, min_interval=2), "#0369a1"),
    Strategy("… with `min_interval=0.1`", with_library(schedule=GENTLE, min_interval=0.1)),
    Strategy(
        "… in a service that throttles",
        with_library(schedule=GENTLE, min_interval=2, guess=2.0, stands=busy_afternoon),
        "#7c3aed",
    ),
]
