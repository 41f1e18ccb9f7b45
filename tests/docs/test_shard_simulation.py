"""The simulated shards: what is printed of them is what can be counted by hand."""

from __future__ import annotations

import sys
from array import array
from pathlib import Path
from random import Random

import pytest

ROOT = Path(__file__).parents[2]

if not (ROOT / "benchmarks" / "simulation").is_dir():
    pytest.skip("needs benchmarks/, which is not here", allow_module_level=True)

sys.path.append(str(ROOT))
try:
    from benchmarks.simulation import shards
    from benchmarks.simulation.shards import GATHER, HEADINGS, IDS, INTERVAL, LATENCY, RAMP, Totals
finally:
    sys.path.remove(str(ROOT))

TASKS, SHARDS, SECONDS = 10_000, 4, 60.0
UNTIL = RAMP + SECONDS


@pytest.fixture(scope="module")
def totals() -> Totals:
    return shards.simulated(TASKS, SECONDS, SHARDS)


@pytest.fixture(scope="module")
def ends() -> list[float]:
    """When tasks end while it is counted: the same as there, from the same seed."""
    random = Random(1)
    lives = [shards.life_of(TASKS // SHARDS, SECONDS, random) for _ in range(SHARDS)]
    return [end for life in lives for end in life.ends if RAMP <= end < UNTIL]


def test_as_many_are_outstanding_at_any_time_and_each_takes_an_hour() -> None:
    life = shards.life_of(1_000, SECONDS, Random(2))
    for now in (RAMP, RAMP + 31.4, UNTIL - 0.1):
        assert sum(start <= now < end for start, end in zip(life.starts, life.ends, strict=True)) == 1_000
    fresh = [(start, end) for start, end in zip(life.starts, life.ends, strict=True) if start >= RAMP]
    assert fresh
    assert all(end - start == pytest.approx(3600.0) for start, end in fresh)


def test_each_task_is_asked_for_twice_a_minute_and_requests_are_full(totals: Totals, ends: list[float]) -> None:
    rounds = SECONDS / INTERVAL
    # A task that ends may be spared one; the one that is started instead is asked for at once, and once more.
    assert rounds * TASKS - len(ends) <= totals.ids <= rounds * (TASKS + len(ends))
    assert totals.ids / IDS <= totals.requests.total() < 1.5 * totals.ids / IDS
    assert all(RAMP <= second < UNTIL for second in totals.requests)


def test_each_end_is_told_once_within_an_interval(totals: Totals, ends: list[float]) -> None:
    latest = INTERVAL + 2 * LATENCY + GATHER  # a task is asked for an interval after the answer about it
    assert sum(end < UNTIL - latest for end in ends) <= totals.ends <= len(ends)
    assert totals.ends == len(totals.delays)
    assert LATENCY <= min(totals.delays) < max(totals.delays) <= latest
    assert 0.3 * INTERVAL < sum(totals.delays) / totals.ends < 0.7 * INTERVAL


def test_messages_are_few(totals: Totals) -> None:
    assert totals.ends / shards.ENOUGH <= totals.messages.total() <= totals.ends
    assert max(totals.messages.values()) <= SHARDS / GATHER


def test_an_event_that_comes_alone_is_told_at_once_and_the_next_a_moment_later() -> None:
    totals = Totals(SECONDS)
    shards.note_messages([(100.0, 99.0), (100.05, 99.5), (100.5, 100.25)], totals)
    assert list(totals.delays) == pytest.approx([1.0, 100.1 - 99.5, 0.25])
    assert (totals.ends, totals.messages) == (3, {100: 3})


def test_very_many_events_are_told_in_full_messages() -> None:
    totals = Totals(SECONDS)
    shards.note_messages([(100.0, 99.0)] * 1_100, totals)
    # The first at once, twice 500, and the 99 that are left a moment later.
    assert (totals.ends, totals.messages.total()) == (1_100, 4)
    assert sum(delay > 1.05 for delay in totals.delays) == 99


def test_a_row_says_what_was_counted() -> None:
    totals = Totals(10.0)
    totals.requests.update({60: 30, 61: 20})
    totals.messages.update({60: 5, 62: 15})
    totals.ids, totals.ends = 20_000, 40
    totals.delays = array("d", [float(number) for number in range(1, 101)])
    row = ("1,234", "5 (30)", "400", "2 (15)", "2.0", "50.5 s", "100.0 s")
    assert totals.row(1_234) == row
    assert len(HEADINGS) == len(row)


def test_it_is_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["shards", "--tasks", "10000", "--minutes", "0.5"])
    shards.main()
    lines = capsys.readouterr().out.splitlines()
    assert all(heading in lines[0] for heading in HEADINGS)
    assert lines[2].startswith("| 10,000 ")
    assert lines[-1].startswith("64 shards, 0.5 minutes, simulated in ")


def test_the_guide_has_its_headings() -> None:
    assert f"| {' | '.join(HEADINGS)} |" in (ROOT / "docs" / "dask.md").read_text(encoding="utf-8")
