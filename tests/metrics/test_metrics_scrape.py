"""A scrape: what it costs when many are gone, and what becomes of it when something comes in the midst of it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from exposition import collect_anew, executors, exposition, futures, series, timeless, unused_name

from more_executors import Executors, metrics


@pytest.fixture(autouse=True)
def own_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    collect_anew(monkeypatch)


@pytest.fixture
def name() -> str:
    """A name that no other executor has had."""
    return unused_name()


def leave_behind(names: Iterable[str]) -> None:
    """For each of the names there was an executor, with a future."""
    for each in names:
        Executors.sync(name=each).submit(int)
    gc.collect()


def our_calls(function: Callable[[], object]) -> int:
    """How many functions of ours, in Python, a call of `function` calls."""
    calls = 0
    folder = str(Path(metrics.__file__).parent)

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        calls += event == "call" and frame.f_code.co_filename.startswith(folder)

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


def test_names_long_gone_cost_a_scrape_no_work_of_ours() -> None:
    def calls_after(count: int) -> int:
        leave_behind(unused_name() for _ in range(count))
        exposition()
        return our_calls(exposition)

    assert calls_after(110) == calls_after(200)
    assert exposition().count("exec_total{") >= 310, "they are all there"


@pytest.fixture
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "NAMES_SHOWN", 5)
    monkeypatch.setattr(metrics, "SCRAPES_SHOWN", 3)
    monkeypatch.setattr(metrics, "SECONDS_SHOWN", 0.0)


@pytest.mark.usefixtures("short_memory")
def test_a_scrape_does_not_grow_with_names_long_gone() -> None:
    lengths = []
    for _ in range(4):
        leave_behind(unused_name() for _ in range(50))
        for _ in range(3):
            exposition()
        lengths.append(exposition().count("\n"))
    assert len(set(lengths)) == 1
    assert exposition().count("exec_total{") == 5
    assert len(metrics._collector.totals()) >= 200, "the sums are kept"


@pytest.mark.usefixtures("short_memory")
def test_what_is_gone_is_in_so_many_scrapes_first_and_the_last_ones_in_all(name: str) -> None:
    Executors.sync(name=name).submit(int)
    leave_behind(last := [unused_name() for _ in range(5)])
    gone = executors("sync", in_use=0) | futures("sync", 1)
    found = [timeless(series(name)) for _ in range(5)]
    assert found == [gone, gone, gone, {}, {}]
    assert [timeless(series(each)) for each in last] == [gone] * 5


def test_what_has_just_gone_is_in_every_scrape(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(metrics, "monotonic", lambda: now)
    leave_behind([name, *(unused_name() for _ in range(metrics.NAMES_SHOWN))])
    for _ in range(20):
        assert series(name)
    now += 3599.0
    assert series(name)
    now += 1.0
    assert not series(name)


@pytest.mark.usefixtures("short_memory")
def test_a_name_that_was_left_out_comes_back_with_all_it_has_counted(name: str) -> None:
    leave_behind([name, *(unused_name() for _ in range(5))])
    for _ in range(4):
        exposition()
    assert not series(name)
    with Executors.sync(name=name) as executor:
        executor.submit(int)
        assert timeless(series(name)) == executors("sync", 2, in_use=1) | futures("sync", 2)
    del executor
    gc.collect()
    for _ in range(10):
        assert timeless(series(name)) == executors("sync", 2, in_use=0) | futures("sync", 2), "one of the last"


@pytest.mark.usefixtures("short_memory")
def test_a_name_that_is_used_again_and_again_is_never_left_out(name: str) -> None:
    for number in range(1, 30):
        leave_behind([name, unused_name(), unused_name()])
        assert series(name)["exec_total sync"] == number


def leave_three_behind(name: str) -> None:
    """Three executors are gone, with a future each, and nobody has looked since."""
    made = [Executors.sync(name=name) for _ in range(3)]
    for executor in made:
        executor.submit(int)
    del executor
    made.clear()
    gc.collect()


def at_each_line(function: Callable[[], object], do: Callable[[], None]) -> None:
    """Call `function`, and `do` at each line that this runs of what makes the metrics, as a signal handler might be."""

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if "metric" not in Path(frame.f_code.co_filename).name:
            return None
        if event == "line":
            do()
        return trace

    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(None)


@pytest.fixture(params=["all are shown", "none is shown that is gone"])
def shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "all are shown":
        monkeypatch.setattr(metrics, "NAMES_SHOWN", 0)
        monkeypatch.setattr(metrics, "SCRAPES_SHOWN", 0)
        monkeypatch.setattr(metrics, "SECONDS_SHOWN", 0.0)


@pytest.mark.usefixtures("shown")
def test_a_scrape_in_the_midst_of_another_counts_each_executor_once(name: str) -> None:
    lines, found = 1, set[Any]()

    def scrape_at(line: int) -> int:
        """Have one at that line, only: it finishes what the other has begun. Returns how many lines there are."""
        metrics._collector = collector = metrics.Collector()
        passed = 0

        def scrape() -> None:
            nonlocal passed
            passed += 1
            if passed == line:
                totals = collector.totals()["sync", name]
                found.add((totals.executors, totals.in_use, totals.counts["started"]))

        with Executors.sync(name=name):
            leave_three_behind(name)
            at_each_line(collector.collect, scrape)
        return passed

    while scrape_at(lines) >= lines:
        lines += 1
    assert lines > 20
    assert found == {(4, 1, 3.0)}


def test_an_executor_made_in_the_midst_of_a_scrape_is_counted(name: str) -> None:
    made = []
    leave_three_behind(name)
    at_each_line(metrics._collector.collect, lambda: made.append(Executors.sync(name=name)))
    assert timeless(series(name)) == executors("sync", 3 + len(made), in_use=len(made)) | futures("sync", 3)


@pytest.mark.usefixtures("shown")
def test_a_scrape_that_is_interrupted_anywhere_loses_nothing(name: str) -> None:
    line = 0
    interrupted = True
    while interrupted:
        collect_here = metrics.Collector()
        metrics._collector = collect_here
        leave_three_behind(name)
        line += 1
        left = line

        def interrupt() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

        interrupted = False
        try:
            at_each_line(collect_here.collect, interrupt)
        except KeyboardInterrupt:
            interrupted = True
        totals = collect_here.totals()["sync", name]
        assert (totals.executors, totals.in_use, totals.counts["started"]) == (3, 0, 3.0), f"at line {line}"
        assert not collect_here._gone, f"at line {line}"
    assert line > 20
