"""A scrape: what it costs when many are gone, and what becomes of it when something comes in the midst of it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
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
    def leave_behind(count: int) -> int:
        for _ in range(count):
            Executors.sync(name=unused_name()).submit(int)
        gc.collect()
        exposition()
        return our_calls(exposition)

    assert leave_behind(10) == leave_behind(200)
    assert exposition().count("exec_total{") >= 210, "they are all there"


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


def test_a_scrape_in_the_midst_of_another_counts_each_executor_once(name: str) -> None:
    found = []
    collector = metrics._collector
    with Executors.sync(name=name):
        leave_three_behind(name)
        at_each_line(collector.collect, lambda: found.append(collector.totals()["sync", name]))
    assert len(found) > 20
    assert {(totals.executors, totals.in_use, totals.counts["started"]) for totals in found} == {(4, 1, 3.0)}


def test_an_executor_made_in_the_midst_of_a_scrape_is_counted(name: str) -> None:
    made = []
    leave_three_behind(name)
    at_each_line(metrics._collector.collect, lambda: made.append(Executors.sync(name=name)))
    assert timeless(series(name)) == executors("sync", 3 + len(made), in_use=len(made)) | futures("sync", 3)


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
