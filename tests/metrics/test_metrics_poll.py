"""What is exported to Prometheus of poll executors: gauges, and histograms of their calls."""

from __future__ import annotations

import gc
import re
import threading
from math import inf
from pathlib import Path
from typing import Any

import pytest
from exposition import PREFIX, collect_anew, eventually, exposition, series, unused_name
from support import PATIENCE, DuckDelegate, HeardLogger, said

from more_executors import Executors, Journal, PollExecutor, SyncExecutor
from more_executors.rate_limit import RateLimit, Throttled

HISTOGRAMS = ("poll_duration_seconds", "poll_batch_size", "poll_lag_seconds")


@pytest.fixture(autouse=True)
def own_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    collect_anew(monkeypatch)


@pytest.fixture
def name() -> str:
    """A name that no other executor has had."""
    return unused_name()


def buckets(name: str, histogram: str) -> list[tuple[str, float]]:
    """The upper bounds of a histogram's buckets, and what is counted up to each."""
    pattern = f'^{PREFIX}{histogram}_bucket{{executor="{name}",le="([^"]+)"}} (\\S+)$'
    return [(bound, float(count)) for bound, count in re.findall(pattern, exposition(), re.MULTILINE)]


def resolve(descriptors: list[Any]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result(None)
    return inf


def leave(descriptors: list[Any]) -> float:
    return inf


# -- histograms ------------------------------------------------------------------------------------------------------


def test_each_call_is_in_each_histogram_once(name: str) -> None:
    sizes = []

    def poll(descriptors: list[Any]) -> float:
        sizes.append(len(descriptors))
        return resolve(descriptors)

    with Executors.sync(name=name).with_poll(poll) as executor:
        for _ in range(5):
            executor.submit(int).result(PATIENCE)
    found = series(name)
    assert {found[f"{histogram}_count"] for histogram in HISTOGRAMS} == {len(sizes)} == {found["poll_total"]}
    assert found["poll_batch_size_sum"] == sum(sizes)
    assert found["poll_duration_seconds_sum"] == pytest.approx(found["poll_time_total"])
    assert found["poll_lag_seconds_sum"] >= 0


def test_buckets_count_up_to_their_bounds(name: str) -> None:
    with Executors.sync(name=name).with_poll(leave) as executor:
        meter = executor._meter
        for size, lag, seconds in ((0, 0.0, 0.0005), (100, 0.001, 0.04), (101, 7.0, 400.0)):
            meter.count_call(size, lag, seconds)
        executor.notify()
    for histogram in HISTOGRAMS:
        found = buckets(name, histogram)
        counts = [count for _, count in found]
        bounds = [float(bound) for bound, _ in found]
        assert counts == sorted(counts)
        assert bounds == sorted(bounds)
        assert found[-1] == ("+Inf", series(name)[f"{histogram}_count"])
    sizes = dict(buckets(name, "poll_batch_size"))
    assert sizes["200.0"] - sizes["100.0"] == 1
    assert sizes["100.0"] - sizes["50.0"] == 1
    assert (
        dict(buckets(name, "poll_duration_seconds"))["+Inf"] - dict(buckets(name, "poll_duration_seconds"))["300.0"]
        == 1
    )


def test_executors_of_one_name_have_one_histogram_and_it_stays(name: str) -> None:
    expected = 0
    for _ in range(3):
        executor = PollExecutor(SyncExecutor(), leave, name=name)
        for _ in range(4):
            executor._meter.count_call(1000, 0.25, 0.5)
        expected += 4
        executor.shutdown()
        assert buckets(name, "poll_batch_size")[-1][1] >= expected
        del executor
        gc.collect()
        calls = series(name).get("poll_total", 0)
        assert {series(name)[f"{histogram}_count"] for histogram in HISTOGRAMS} == {expected + calls}
        assert series(name)["poll_batch_size_sum"] == 1000 * expected


def test_who_has_not_polled_has_no_histogram(name: str) -> None:
    with Executors.sync(name=name).with_map(int) as executor:
        executor.submit(int)
        assert not any("poll" in what for what in series(name))
    with Executors.sync(name=name).with_poll(leave, batch_size=1):
        assert not {f"{histogram}_count" for histogram in HISTOGRAMS} & series(name).keys(), "nothing has been due"


# -- gauges ----------------------------------------------------------------------------------------------------------


def test_what_is_outstanding_is_the_sum_over_all_of_a_name(name: str) -> None:
    delegate = DuckDelegate()
    with_delegate = PollExecutor(delegate, leave, name=name)
    polled = PollExecutor(SyncExecutor(), leave, name=name)
    futures = [with_delegate.submit(int), polled.submit(int), polled.submit(int)]
    assert series(name)["poll_outstanding"] == 3
    for future in futures[1:]:
        assert future.cancel()
    assert series(name)["poll_outstanding"] == 1
    delegate.given[0].end(error=OSError())
    assert said(futures[0]) is OSError
    for executor in (with_delegate, polled):
        executor.shutdown()
    del executor, with_delegate, polled
    gc.collect()
    assert series(name)["poll_outstanding"] == 0, "there is a series still"


def test_the_oldest_age_is_that_of_the_oldest_of_a_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (PollExecutor(SyncExecutor(), leave, name=name) for _ in range(2))
    futures = [first.submit(int), second.submit(int)]
    assert 0 <= series(name)["poll_oldest_age_seconds"] < PATIENCE
    ages = {first: 5.0, second: 50.0}
    with monkeypatch.context() as patch:
        patch.setattr(PollExecutor, "_gauges", lambda self: {"outstanding": 1.0, "oldest_age_seconds": ages[self]})
        assert series(name)["poll_oldest_age_seconds"] == 50
        assert series(name)["poll_outstanding"] == 2
    for future in futures:
        assert future.cancel()
    assert series(name)["poll_oldest_age_seconds"] == 0
    first.shutdown()
    second.shutdown()


def test_a_rate_limit_is_told_where_there_is_one(name: str) -> None:
    other = unused_name()
    with Executors.sync(name=name).with_poll(leave) as without:
        assert without.submit(int).cancel()
        with Executors.sync(name=other).with_poll(resolve, rate_limit=RateLimit(50, per=2.0)) as limited:
            limited.submit(int).result(PATIENCE)
            assert series(other)["poll_rate_limit"] == 25
        del limited
        gc.collect()
        assert "poll_rate_limit" not in series(other), "nobody has one any more"
        assert "poll_rate_limit" not in series(name)


def test_calls_that_are_throttled_count_and_are_no_errors(name: str) -> None:
    answers: list[Exception] = [Throttled(0.0), Throttled(0.0)]

    def poll(descriptors: list[Any]) -> float:
        if descriptors and answers:
            raise answers.pop()
        return resolve(descriptors)

    limit = RateLimit(1_000_000)
    with Executors.sync(name=name).with_poll(poll, rate_limit=limit, logger=HeardLogger()) as executor:
        executor.submit(int).result(PATIENCE)
    eventually(name, {"poll_throttled_total": 2})
    found = series(name)
    assert found["poll_error_total"] == 0
    assert found["poll_duration_seconds_count"] == found["poll_total"] >= 3


def test_throttling_is_counted_when_the_executor_is_gone(name: str) -> None:
    for _ in range(2):
        executor = PollExecutor(SyncExecutor(), leave, name=name)
        executor._meter.note_throttled()
        executor.shutdown()
        del executor
        gc.collect()
    assert series(name)["poll_throttled_total"] == 2


def test_a_scrape_can_meet_an_executor_that_is_being_made(name: str) -> None:
    class Scraping(PollExecutor[Any, Any]):
        def _start(self, table: Any) -> None:
            super()._start(table)
            found.update(series(name))

    found: dict[str, float] = {}
    Scraping(SyncExecutor(), leave, name=name).shutdown()
    assert found["exec_inprogress poll"] == 1


# -- states that poll functions report -------------------------------------------------------------------------------


def by_state(name: str) -> dict[str, float]:
    """How many tasks are in each state."""
    pattern = f'^{PREFIX}poll_outstanding_by_state{{executor="{name}",state="([^"]+)"}} (\\S+)$'
    return {state: float(count) for state, count in re.findall(pattern, exposition(), re.MULTILINE)}


def reporting(name: str, states: list[str | None]) -> tuple[PollExecutor[Any, Any], list[Any]]:
    """An executor with a task for each of these states, which are reported, and its futures."""
    there = threading.Event()

    def poll(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            descriptor.report(states[descriptor.result])
        if len(descriptors) == len(states):
            there.set()
        return inf

    executor = Executors.sync(name=name).with_poll(poll)
    futures = executor.adopt_many(range(len(states)))
    assert there.wait(PATIENCE)
    return executor, futures


def test_states_are_gauges_as_soon_as_one_is_reported(name: str) -> None:
    executor, _ = reporting(name, [None, None])
    assert by_state(name) == {}
    executor.shutdown(cancel_futures=True)
    executor, futures = reporting(name, ["queued", "running", "queued", None])
    assert by_state(name) == {"queued": 2, "running": 1}
    assert futures[0].cancel()
    assert by_state(name) == {"queued": 1, "running": 1}
    executor.shutdown(cancel_futures=True)
    assert by_state(name) == {"queued": 0, "running": 0}


def test_states_of_executors_with_one_name_are_added_up_and_are_not_too_many(name: str) -> None:
    made = [reporting(name, [f"step {number}" for number in numbers]) for numbers in (range(15), range(10, 40))]
    found = by_state(name)
    assert list(found) == [*(f"step {number}" for number in range(20)), "other"]
    assert [found["step 9"], found["step 10"], found["step 19"], found["other"]] == [1, 2, 1, 20]
    for executor, _ in made:
        executor.shutdown(cancel_futures=True)
    assert found.keys() == by_state(name).keys()
    assert set(by_state(name).values()) == {0}


def test_of_a_journal_it_is_told_how_far_behind_it_is(name: str, tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "tasks.db") as journal,
        Executors.sync(name=name).with_poll(resolve, journal=journal) as executor,
    ):
        executor.submit(int).result(PATIENCE)
        executor.flush_journal(PATIENCE)
        assert 0 <= series(name)["poll_journal_behind_seconds"] < PATIENCE
    with Executors.sync(name=unused_name()).with_poll(resolve) as executor:
        assert "poll_journal_behind_seconds" not in series(executor._name)
