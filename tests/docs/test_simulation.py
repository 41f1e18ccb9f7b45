"""The simulated day of polling: what it says must be so, and the guide's page of it be up to date."""

from __future__ import annotations

import subprocess
import sys
from array import array
from collections import Counter
from pathlib import Path
from time import monotonic
from types import SimpleNamespace

import pytest
from support import CHILD_PATIENCE

from more_executors import Backoff, _core
from more_executors.poll import _call, _gate, _scheduler

ROOT = Path(__file__).parents[2]

if not (ROOT / "benchmarks" / "simulation").is_dir():
    pytest.skip("needs benchmarks/, which is not here", allow_module_level=True)

sys.path.append(str(ROOT))
try:
    from benchmarks.simulation import strategies
    from benchmarks.simulation.day import DAY, HOUR, LONGEST, SHORTEST, Day, day_of
    from benchmarks.simulation.record import Record
    from benchmarks.simulation.report import HEADINGS
    from benchmarks.simulation.strategies import GENTLE, STRATEGIES, Limits, at_intervals, with_library
    from benchmarks.simulation.virtual import Clock, VirtualExecutor
finally:
    sys.path.remove(str(ROOT))

TASKS = 1_000
LIMITS = Limits(ids=3, calls=2.0)
MODULES = (_core, _call, _gate, _scheduler)


@pytest.fixture(scope="module")
def day() -> Day:
    return day_of(TASKS)


def test_a_day_is_the_same_for_the_same_seed_and_has_its_bursts(day: Day) -> None:
    assert (day.starts, day.ends) == (day_of(TASKS).starts, day_of(TASKS).ends)
    assert day.starts != day_of(TASKS, seed=2).starts
    assert len(day) == TASKS
    assert list(day.starts) == sorted(day.starts)
    assert 0 <= day.starts[0] < day.starts[-1] < DAY
    assert sum(1.5 * HOUR <= start < 1.5 * HOUR + 60 for start in day.starts) > TASKS / 40
    seconds = [end - start for start, end in zip(day.starts, day.ends, strict=True)]
    assert SHORTEST - 1e-6 <= min(seconds) < max(seconds) <= LONGEST + 1e-6


def test_a_loop_at_fixed_intervals_finds_each_task_within_one(day: Day) -> None:
    record = at_intervals(60)(day, LIMITS)
    assert len(record.delays) == TASKS
    assert record.most_ids <= LIMITS.ids
    assert record.most_in_a_second <= LIMITS.calls + 1
    assert 20 < record.mean_delay < 40 < record.delay_of(0) < 80


def test_back_off_finds_each_task_in_time_and_keeps_the_limits(day: Day) -> None:
    record = with_library(schedule=GENTLE, min_interval=2)(day, LIMITS)
    assert len(record.delays) == TASKS
    assert record.most_ids <= LIMITS.ids
    assert record.most_in_a_second <= LIMITS.calls + 1
    longest = GENTLE.maximum * (1 + GENTLE.jitter)
    assert longest / 2 < record.delay_of(0) < longest + 30  # to be found, the last of a burst waits for its turn
    assert not record.throttled


def test_the_rate_limit_is_what_holds_calls_back() -> None:
    together = Day(array("d", [1.0] * 200), array("d", [2.0] * 200))
    record = with_library(schedule=Backoff(1, 1, 1, 0), min_interval=0)(together, Limits(ids=1, calls=4.0))
    assert record.calls >= 200
    assert record.most_in_a_second == 4
    assert 45 < record.delay_of(0) < 60


def test_asking_less_often_takes_fewer_calls_and_finds_tasks_later(day: Day) -> None:
    often = with_library(schedule=Backoff(10, 1.1, 100), min_interval=2)(day, LIMITS)
    seldom = with_library(schedule=Backoff(30, 2, 600), min_interval=2)(day, LIMITS)
    assert seldom.ids < often.ids / 2
    assert seldom.mean_delay > often.mean_delay * 2


def test_min_interval_fills_calls_and_costs_no_time(day: Day) -> None:
    limits = Limits(ids=100, calls=50.0)
    together = with_library(schedule=GENTLE, min_interval=20)(day, limits)
    apart = with_library(schedule=GENTLE, min_interval=0.1)(day, limits)
    assert together.calls < apart.calls / 2
    assert abs(together.mean_delay - apart.mean_delay) < 25


def test_a_service_that_throttles_loses_nothing(day: Day) -> None:
    run = with_library(schedule=GENTLE, min_interval=2, guess=2.0, stands=strategies.busy_afternoon)
    record = run(day, Limits(ids=3, calls=4.0))
    assert len(record.delays) == TASKS
    assert 0 < record.throttled < record.calls / 20


def test_it_settles_just_under_what_the_service_stands_and_stays_there() -> None:
    """200 calls a second are allowed by the executor's own limit, and wanted; the service stands 50."""
    together = Day(array("d", [1.0] * 1_000), array("d", [400.0] * 1_000))
    calls_in: Counter[int] = Counter()

    def stands(at: float) -> float:
        calls_in[int(at / 10)] += 1
        return 1.0

    run = with_library(guess=4.0, stands=stands, default_interval=5, min_interval=0.1)
    record = run(together, Limits(ids=1, calls=50.0))
    settled = [calls_in[window] for window in range(6, 40)]
    assert 400 <= min(settled) <= max(settled) <= 520  # it lets a second of calls be saved up
    assert 0 < record.throttled < 150
    assert len(record.delays) == 1_000


def test_a_task_that_is_found_too_early_or_twice_is_an_error(day: Day) -> None:
    record = Record(day)
    with pytest.raises(AssertionError, match="too early"):
        record.note_found(7, day.ends[7] - 1)
    record.note_found(7, day.ends[7] + 1)
    with pytest.raises(AssertionError, match="twice"):
        record.note_found(7, day.ends[7] + 2)


def test_the_clock_is_put_back_whatever_happens(day: Day) -> None:
    async def poll(descriptors: object) -> None:
        raise AssertionError("never called")

    def broken() -> float:
        assert [module.monotonic for module in MODULES] == [clock] * 4  # type: ignore[attr-defined]
        raise ZeroDivisionError

    clock = Clock()
    executor = VirtualExecutor(poll, clock)
    executor.polling.scheduler = SimpleNamespace(turn=broken)  # type: ignore[assignment]
    with pytest.raises(ZeroDivisionError):
        executor.live(day)
    assert [module.monotonic for module in MODULES] == [monotonic] * 4  # type: ignore[attr-defined]


def test_the_page_in_the_guide_has_the_table_of_the_command() -> None:
    page = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    assert table[0] == list(HEADINGS)
    assert [row[0] for row in table[2:]] == [strategy.title for strategy in STRATEGIES]


@pytest.mark.long
def test_the_command_runs_in_its_short_mode() -> None:
    command = [sys.executable, "-m", "benchmarks.simulation", "--short"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=CHILD_PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"| {strategy.title} " in done.stdout for strategy in STRATEGIES)
