"""What is exported to Prometheus of very many executors, of those that are gone, and of the functions on futures."""

from __future__ import annotations

import gc
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

import pytest
from exposition import (
    Series,
    collect_anew,
    eventually,
    executors,
    exposition,
    futures,
    new,
    series,
    timeless,
    unused_name,
)
from support import PATIENCE, InThread, ScriptedDelegate, SomeError, all_at_once

from more_executors import (
    Executors,
    _core,
    f_and,
    f_apply,
    f_flat_map,
    f_map,
    f_nocancel,
    f_or,
    f_proxy,
    f_return,
    f_return_cancelled,
    f_return_error,
    f_sequence,
    f_timeout,
    f_traverse,
    f_zip,
    metrics,
)
from more_executors.metrics._totals import Record, Totals


@pytest.fixture(autouse=True)
def own_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    collect_anew(monkeypatch)


@pytest.fixture
def name() -> str:
    """A name that no other executor has had."""
    return unused_name()


# 1. A scrape, or an executor that is made, sums up what is gone, and holds the lock of that.
# 2. That sets off a garbage collection, and in it a destructor makes an executor, on the same thread.
def test_an_executor_can_be_made_by_a_destructor_in_the_midst_of_a_scrape(name: str) -> None:
    def made_there() -> None:
        with metrics._collector._lock:
            Executors.sync(name=name)

    executor = Executors.sync(name=name)
    del executor
    gc.collect()
    InThread(made_there).outcome()
    gc.collect()
    assert timeless(series(name)) == executors("sync", 2, in_use=0)


# -- many, and those that are gone ---------------------------------------------------------------------------------


def test_executors_of_one_name_are_summed_up(name: str) -> None:
    first, second = Executors.sync(name=name), Executors.sync(name=name)
    first.submit(int)
    second.submit(int, "x")
    first.shutdown()
    assert timeless(series(name)) == executors("sync", 2, in_use=1) | futures("sync", 2, failed=1)
    second.shutdown()


@pytest.mark.parametrize("shut_down", [True, False], ids=["shut down", "not shut down"])
def test_what_executors_counted_that_are_gone_stays(name: str, shut_down: bool) -> None:
    for _ in range(3):
        executor = Executors.sync(name=name).with_map(str)
        executor.submit(int)
        executor.submit(int, "x")
        if shut_down:
            executor.shutdown()
        del executor
        gc.collect()
    counted = executors("map", 3, in_use=0) | executors("sync", 3, in_use=0)
    counted |= futures("map", 6, failed=3) | futures("sync", 6, failed=3)
    assert timeless(series(name)) == counted
    executor = Executors.sync(name=name).with_map(str)
    executor.submit(int)
    found = timeless(series(name))
    assert found["exec_total map"] == 4
    assert found["exec_inprogress map"] == 1
    assert found["future_total map"] == 7
    executor.shutdown()


def test_futures_that_end_when_their_executor_is_gone_count(name: str) -> None:
    delegate = ScriptedDelegate()
    executor = Executors.with_map(delegate, name=name)
    future = executor.submit(int)
    del executor
    gc.collect()
    assert timeless(series(name)) == executors("map") | futures("map", 1, pending=1), "the future keeps it"
    delegate.given.pop().set_exception(SomeError())
    assert future.done()
    gc.collect()
    assert timeless(series(name)) == executors("map", in_use=0) | futures("map", 1, failed=1)


def test_counters_never_fall_whatever_goes_away(name: str) -> None:
    totals = []
    for _ in range(20):
        executor = Executors.with_map(ScriptedDelegate(), name=name)
        executor.submit(int)
        del executor
        gc.collect()
        found = series(name)
        totals.append((found["exec_total map"], found["future_total map"]))
        assert found["exec_inprogress map"] == found["future_inprogress map"] == 0
    assert totals == [(n, n) for n in range(1, 21)]


def test_a_thousand_executors(name: str) -> None:
    made = [Executors.sync(name=name) for _ in range(1000)]
    for executor in made:
        executor.submit(int)
    assert timeless(series(name)) == executors("sync", 1000, in_use=1000) | futures("sync", 1000)
    for executor in made[:400]:
        executor.shutdown()
    assert series(name)["exec_inprogress sync"] == 600
    executor = made[0]
    made.clear()
    gc.collect()
    assert timeless(series(name)) == executors("sync", 1000, in_use=0) | futures("sync", 1000)


def test_a_scrape_while_everything_goes_on_is_right_at_the_end(name: str) -> None:
    rounds = 50

    def use() -> None:
        for number in range(rounds):
            executor = Executors.sync(name=name).with_map(int)
            for value in range(20):
                executor.submit(str, value if value % 4 else "x")
            if number % 2:
                executor.shutdown()
            del executor

    def scrape() -> list[tuple[float, float]]:
        totals = []
        for _ in range(rounds):
            found = series(name)
            totals.append((found.get("exec_total map", 0), found.get("future_total map", 0)))
            assert found.get("future_inprogress map", 0) >= 0
        return totals

    results = all_at_once(use, use, scrape, scrape)
    for totals in results[2:]:
        assert totals == sorted(totals), "counters rise"
    gc.collect()
    counted = executors("map", 2 * rounds, in_use=0) | executors("sync", 2 * rounds, in_use=0)
    counted |= futures("map", 40 * rounds, failed=10 * rounds) | futures("sync", 40 * rounds)
    assert timeless(series(name)) == counted


def test_a_scrape_in_a_callback_and_in_a_poll_function_is_fine(name: str) -> None:
    texts: list[str] = []

    def poll(descriptors: list[Any]) -> None:
        texts.append(exposition())
        for descriptor in descriptors:
            descriptor.yield_result(None)

    with Executors.sync(name=name).with_poll(poll) as executor:
        future = executor.submit(int)
        future.add_done_callback(lambda _: texts.append(exposition()))
        future.result(PATIENCE)
    assert len(texts) >= 2


# -- functions -----------------------------------------------------------------------------------------------------


def ours() -> Future[Any]:
    return _core.Future()


FUNCTIONS: dict[str, tuple[Callable[[], Any], Series]] = {
    "map": (lambda: f_map(f_return("x"), int), futures("map", 1, failed=1)),
    "flat_map": (lambda: f_flat_map(f_return(1), f_return), futures("flat_map", 1)),
    "zip": (lambda: f_zip(f_return(1), f_return(2)), futures("zip", 1)),
    "zip of twenty": (lambda: f_zip(*map(f_return, range(20))), futures("zip", 1)),
    "zip that fails": (lambda: f_zip(f_return_error(SomeError())), futures("zip", 1, failed=1)),
    "zip that is cancelled": (lambda: f_zip(ours(), ours()).cancel(), futures("zip", 1, cancelled=1)),
    "sequence": (lambda: f_sequence([f_return(1)]), futures("sequence", 1)),
    "sequence of nothing": (lambda: f_sequence(5), futures("sequence", 1, failed=1)),  # type: ignore[arg-type]
    "traverse": (lambda: f_traverse(f_return, [1, 2]), futures("traverse", 1)),
    "apply": (lambda: f_apply(f_return(int), f_return(1)), futures("apply", 1)),
    "or": (lambda: f_or(f_return(0), f_return(1)), futures("or", 1)),
    "or of one": (lambda: f_or(f_return(1)), {}),
    "and": (lambda: f_and(f_return(0), f_return(1)), futures("and", 1)),
    "nocancel": (lambda: f_nocancel(f_return_cancelled()), futures("nocancel", 1, cancelled=1)),
    "proxy": (lambda: f_proxy(f_return(1)), futures("proxy", 1)),
}


def without_zeros(counted: Series) -> Series:
    return {key: value for key, value in counted.items() if value}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_counts_its_futures(function: str) -> None:
    use, counted = FUNCTIONS[function]
    before = timeless(series("default"))
    use()
    assert new(before, "default") == without_zeros(counted), "this, and none of what it might be made of"


def test_a_pending_future_of_a_function_is_in_progress() -> None:
    before = timeless(series("default"))
    source = ours()
    future = f_map(source)
    assert new(before, "default") == without_zeros(futures("map", 1, pending=1))
    source.set_result(1)
    assert new(before, "default") == without_zeros(futures("map", 1))
    assert future.done()


def test_a_call_that_raises_counts_nothing() -> None:
    before = timeless(series("default"))
    for call in (lambda: f_map(5), lambda: f_zip(f_return(1), 5), lambda: f_proxy(5), lambda: f_sequence([5])):  # type: ignore
        with pytest.raises(TypeError):
            call()
    assert new(before, "default") == {}


def test_futures_that_are_made_done_are_counted_under_no_name() -> None:
    before = timeless(series("none"))
    f_return(1)
    f_return_error(SomeError())
    f_return_cancelled().cancel()
    counted = futures("return", 1) | futures("return_error", 1, failed=1)
    counted |= futures("return_cancelled", 1, cancelled=1)
    assert new(before, "none") == without_zeros(counted)


def test_f_timeout_counts_as_an_internal_timeout_executor() -> None:
    before = timeless(series("internal"))
    source = ours()
    future, late = f_timeout(source, 3600), f_timeout(ours(), 0)
    assert wait([late], PATIENCE).done
    eventually("internal", {"timeout_total": before.get("timeout_total", 0) + 1})
    counted = futures("timeout", 2, pending=1, cancelled=1) | {"timeout_total": 1}
    found = new(before, "internal")
    assert {key: found.get(key) for key in without_zeros(counted)} == without_zeros(counted)
    source.set_result(1)
    assert future.done()


def test_a_series_counts_from_the_first_that_counted(name: str) -> None:
    totals = Totals(2.0)
    for created in (3.0, 1.0, 2.0):
        record = Record("sync", name, _core.Counters(), is_executor=True)
        record.created = created
        totals.add(record)
    assert totals.created == 1.0


def test_what_was_pending_before_a_fork_does_not_count_when_it_ends_either(name: str) -> None:
    executor = Executors.with_map(delegate := ScriptedDelegate(), name=name)
    futures_before = [executor.submit(int) for _ in range(3)]
    executor._record.disown()
    assert series(name)["future_inprogress map"] == 0
    for future in futures_before:
        assert future.cancel()
    assert series(name)["future_inprogress map"] == 0
    delegate.given.clear()
