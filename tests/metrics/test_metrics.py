"""What is exported to Prometheus: for each executor and function, all series that carry its name."""

from __future__ import annotations

import asyncio
import gc
import re
import time
from concurrent.futures import Future, wait
from typing import Any

import prometheus_client
import pytest
from exposition import (
    PREFIX,
    Registries,
    Series,
    collect_anew,
    eventually,
    executors,
    exposition,
    futures,
    series,
    timeless,
    unused_name,
)
from support import PATIENCE, InThread, Parking, RecordingPoll, ScriptedDelegate, SomeError, said

from more_executors import (
    Executors,
    f_return,
    metrics,
)

TYPES = [
    ("timeout_total", "counter"),
    ("shutdown_cancel_total", "counter"),
    ("exec_inprogress", "gauge"),
    ("exec_total", "counter"),
    ("future_inprogress", "gauge"),
    ("future_total", "counter"),
    ("future_cancel_total", "counter"),
    ("future_error_total", "counter"),
    ("future_time_total", "counter"),
    ("poll_total", "counter"),
    ("poll_error_total", "counter"),
    ("poll_time_total", "counter"),
    ("retry_total", "counter"),
    ("retry_queue", "gauge"),
    ("retry_delay_total", "counter"),
    ("throttle_queue", "gauge"),
    ("poll_outstanding", "gauge"),
    ("poll_oldest_age_seconds", "gauge"),
    ("poll_rate_limit", "gauge"),
    ("poll_journal_behind_seconds", "gauge"),
    ("poll_shards_open", "gauge"),
    ("poll_shard_silence_seconds", "gauge"),
    ("poll_outstanding_by_state", "gauge"),
    ("poll_duration_seconds", "histogram"),
    ("poll_batch_size", "histogram"),
    ("poll_lag_seconds", "histogram"),
    ("poll_throttled_total", "counter"),
    ("poll_shards_made_total", "counter"),
    ("poll_shards_lost_total", "counter"),
    ("poll_tasks_adopted_total", "counter"),
    ("poll_tasks_started_again_total", "counter"),
    ("dask_packs_total", "counter"),
    ("dask_calls_again_total", "counter"),
    ("dask_workers_lost_total", "counter"),
]


@pytest.fixture(autouse=True)
def own_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    collect_anew(monkeypatch)


@pytest.fixture
def name() -> str:
    """A name that no other executor has had."""
    return unused_name()


# -- the text ------------------------------------------------------------------------------------------------------


def test_each_metric_has_its_type_and_says_what_it_is() -> None:
    lines = [line for line in exposition().splitlines() if PREFIX in line and "_created" not in line]
    assert [line for line in lines if line.startswith("# TYPE")] == [f"# TYPE {PREFIX}{n} {kind}" for n, kind in TYPES]
    told = [line.split(" ", 3)[2:] for line in lines if line.startswith("# HELP")]
    assert [name for name, _ in told] == [PREFIX + name for name, _ in TYPES]
    assert all(len(text) > 10 for _, text in told)


def test_labels_are_the_type_and_the_name(name: str) -> None:
    executor = Executors.sync(name=name)
    assert f'{PREFIX}exec_total{{executor="{name}",type="sync"}} 1.0\n' in exposition()
    executor.shutdown()
    with Executors.sync(name=name).with_poll(
        lambda descriptors: [task.yield_result() for task in descriptors]
    ) as polling:
        polling.submit(int).result(PATIENCE)
    assert f'{PREFIX}poll_total{{executor="{name}"}}' in exposition()


def test_odd_names_are_quoted() -> None:
    executor = Executors.sync(name='a "name"\n')
    assert r'executor="a \"name\"\n"' in exposition()
    executor.shutdown()


def test_counters_tell_since_when_they_count(name: str) -> None:
    before = time.time()
    executor = Executors.sync(name=name)
    executor.submit(int)
    created = re.findall(PREFIX + r'(\w+)_created\{executor="' + name + r'",type="sync"\} (\S+)', exposition())
    assert [which for which, _ in created] == ["exec", "future", "future_cancel", "future_error", "future_time"]
    assert all(before - 1 <= float(when) <= time.time() + 1 for _, when in created)
    assert created == re.findall(PREFIX + r'(\w+)_created\{executor="' + name + r'",type="sync"\} (\S+)', exposition())


# -- executors -----------------------------------------------------------------------------------------------------


def test_a_sync_executor(name: str) -> None:
    executor = Executors.sync(name=name)
    assert series(name) == executors("sync"), "futures are there with the first"
    executor.submit(int)
    executor.submit(int, "x")
    assert timeless(series(name)) == executors("sync") | futures("sync", 2, failed=1)
    executor.shutdown()
    executor.shutdown()
    assert timeless(series(name)) == executors("sync", in_use=0) | futures("sync", 2, failed=1)


def test_a_thread_pool(name: str) -> None:
    parking = Parking()
    with Executors.thread_pool(max_workers=1, name=name) as executor:
        running = executor.submit(parking)
        parking.wait_for_one()
        others = [executor.submit(int), executor.submit(int, "x"), executor.submit(int)]
        assert others[2].cancel()
        assert timeless(series(name)) == executors("threadpool") | futures("threadpool", 4, pending=3, cancelled=1)
        parking.let_go()
        wait([running, *others], PATIENCE)
    ended = executors("threadpool", in_use=0) | futures("threadpool", 4, cancelled=1, failed=1)
    assert timeless(series(name)) == ended


def test_a_process_pool_is_not_counted(name: str) -> None:
    Executors.process_pool(max_workers=1, name=name).shutdown()
    assert series(name) == {}


def test_a_map_executor(name: str) -> None:
    with Executors.sync(name=name).with_map(int) as executor:
        executor.submit(str, 1)
        executor.submit(str, "x")
        counted = futures("map", 2, failed=1) | futures("sync", 2)
        assert timeless(series(name)) == executors("map") | executors("sync") | counted
    assert timeless(series(name)) == executors("map", in_use=0) | executors("sync", in_use=0) | counted


def test_a_flat_map_executor(name: str) -> None:
    executor = Executors.sync(name=name).with_flat_map(lambda inner: inner)
    inner: Future[Any] = Future()
    future = executor.submit(lambda: inner)
    counted = executors("flat_map") | executors("sync") | futures("sync", 1)
    assert timeless(series(name)) == counted | futures("flat_map", 1, pending=1)
    assert future.cancel()
    assert timeless(series(name)) == counted | futures("flat_map", 1, cancelled=1)
    executor.shutdown()


def test_a_bound_callable_counts_as_its_executors(name: str) -> None:
    executor = Executors.sync(name=name)
    executor.bind(int)("1")
    executor.flat_bind(f_return)(1)
    assert timeless(series(name)) | executors("flat_map") | futures("flat_map", 1) == (
        executors("sync") | executors("flat_map") | futures("sync", 2) | futures("flat_map", 1)
    )
    executor.shutdown()


def test_a_poll_executor(name: str, caplog: pytest.LogCaptureFixture) -> None:
    def poll(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            if descriptor.result == "raise":
                raise SomeError
            if descriptor.result != "leave":
                descriptor.yield_result(descriptor.result)
        return float("inf")

    with Executors.sync(name=name).with_poll(poll) as executor:
        assert executor.submit(str, "yield").result(PATIENCE) == "yield"
        assert said(executor.submit(str, "raise")) is SomeError
        assert executor.submit(str, "leave").cancel()
        left = executor.submit(str, "leave")
        assert executor.submit(int, "x").exception(PATIENCE)
        counted = futures("poll", 5, pending=1, cancelled=1, failed=2) | futures("sync", 5, failed=1)
        eventually(name, counted | executors("poll") | executors("sync"))
        assert left.cancel()
    found = series(name)
    assert found["poll_error_total"] == 1
    assert found["poll_total"] >= 2
    assert found["poll_time_total"] >= 0
    assert found["exec_inprogress poll"] == found["exec_inprogress sync"] == found["future_inprogress poll"] == 0
    caplog.clear()


def test_calls_of_a_poll_function_are_counted_and_timed(name: str) -> None:
    poll = RecordingPoll()
    with Executors.sync(name=name).with_poll(poll):
        poll.next()
    found = series(name)
    assert found["poll_total"] == 1 + poll.unasked()
    assert "poll_time_total" in found
    assert found["poll_error_total"] == 0, "Prometheus misses the first of a series that begins with it"


class Once:
    """A delegate's futures for a retry executor, and a policy that tries once more, some time later."""

    def __init__(self, sleep: float) -> None:
        self.sleep = sleep

    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        return attempt == 1

    def sleep_time(self, attempt: int, future: Future[Any]) -> float:
        return self.sleep


def test_a_retry_executor(name: str) -> None:
    with Executors.sync(name=name).with_retry(Once(0.25)) as executor:
        assert said(executor.submit(int, "x")) is ValueError
        eventually(name, {"retry_queue": 0, "future_total retry": 1})
        found = timeless(series(name))
        counted = futures("retry", 1, failed=1) | futures("sync", 2, failed=2)
        queue = {"retry_queue": 0, "retry_total": 1, "retry_delay_total": 0.25}
        assert found == executors("retry") | executors("sync") | counted | queue


def test_a_retry_that_waits_is_in_the_queue_until_it_is_cancelled(name: str) -> None:
    executor = Executors.sync(name=name).with_retry(Once(3600))
    future = executor.submit(int, "x")
    eventually(name, {"retry_delay_total": 3600, "retry_queue": 1, "future_inprogress retry": 1})
    assert future.cancel()
    eventually(name, {"retry_queue": 0, "future_inprogress retry": 0, "future_cancel_total retry": 1})
    executor.shutdown()


def test_a_retry_is_not_counted_before_it_is_made(name: str) -> None:
    executor = Executors.sync(name=name).with_retry(Once(3600))
    future = executor.submit(int, "x")
    eventually(name, {"retry_delay_total": 3600})
    counted = series(name).get("retry_total", 0)
    assert future.cancel()
    executor.shutdown()
    assert (counted, series(name).get("retry_total", 0)) == (0, 0)


def test_a_throttle_executor(name: str) -> None:
    delegate = ScriptedDelegate()
    executor = Executors.with_throttle(delegate, 1, name=name)
    pending = [executor.submit(int) for _ in range(4)]
    counted = executors("throttle") | futures("throttle", 4, pending=4)
    eventually(name, counted | {"throttle_queue": 3})
    assert pending[3].cancel()
    eventually(name, {"throttle_queue": 2, "future_cancel_total throttle": 1, "future_inprogress throttle": 3})
    delegate.given[0].set_result(1)
    eventually(name, {"throttle_queue": 1, "future_inprogress throttle": 2})
    for future in pending[1:3]:
        assert future.cancel()
    executor.shutdown()
    assert timeless(series(name)) == (
        executors("throttle", in_use=0) | futures("throttle", 4, cancelled=3) | {"throttle_queue": 0}
    )


def test_a_timeout_executor(name: str) -> None:
    delegate = ScriptedDelegate()
    executor = Executors.with_timeout(delegate, 3600, name=name)
    late = executor.submit_timeout(0, int)
    by_hand = executor.submit(int)
    assert wait([late], PATIENCE).done
    assert by_hand.cancel()
    running = executor.submit(int)
    assert delegate.given[2].set_running_or_notify_cancel()
    executor.submit_timeout(0, int)
    assert not running.cancel()
    eventually(name, futures("timeout", 4, pending=1, cancelled=3) | {"timeout_total": 2} | executors("timeout"))
    delegate.given[2].set_result(1)
    executor.shutdown()
    assert timeless(series(name)) == (
        executors("timeout", in_use=0) | futures("timeout", 4, cancelled=3) | {"timeout_total": 2}
    )


def test_a_cancel_on_shutdown_executor(name: str) -> None:
    delegate = ScriptedDelegate()
    executor = Executors.with_cancel_on_shutdown(delegate, name=name)
    pending = [executor.submit(int) for _ in range(4)]
    assert delegate.given[0].set_running_or_notify_cancel()
    assert pending[1].cancel()
    executor.shutdown(wait=False)
    assert series(name) == executors("cancel_on_shutdown", in_use=0) | {"shutdown_cancel_total": 2}
    delegate.given[0].set_result(1)


def test_an_asyncio_executor(name: str) -> None:
    async def run() -> None:
        executor = Executors.sync(name=name).with_asyncio()
        await executor.submit(int)
        executor.shutdown()

    asyncio.run(run())
    counted = executors("asyncio", in_use=0) | executors("sync", in_use=0) | futures("sync", 1)
    assert timeless(series(name)) == counted


def test_a_chain_is_counted_layer_by_layer(name: str) -> None:
    executor = Executors.sync(name=name).with_map(str).with_flat_map(f_return).with_retry().with_timeout(60)
    executor = executor.with_throttle(3).with_poll(lambda ds: [d.yield_result(1) for d in ds] and None)  # type: ignore
    with executor.with_cancel_on_shutdown() as top:
        assert top.submit(int).result(PATIENCE) == 1
    found = timeless(series(name))
    kinds = ["sync", "map", "flat_map", "retry", "timeout", "throttle", "poll"]
    expected: Series = executors("cancel_on_shutdown", in_use=0)
    for kind in kinds:
        expected |= executors(kind, in_use=0) | futures(kind, 1)
    assert {key: found.get(key) for key in expected} == expected


def test_seconds_are_those_from_its_making_to_its_end(name: str) -> None:
    executor = Executors.with_map(ScriptedDelegate(), name=name)
    began = time.monotonic()
    pending = [executor.submit(int) for _ in range(10)]
    while time.monotonic() < began + 0.1:
        InThread(int).outcome()
    assert series(name)["future_time_total map"] == 0
    for future in pending:
        future.cancel()
    least, most = 10 * 0.05, 10 * (time.monotonic() - began + 1)
    assert least <= series(name)["future_time_total map"] <= most
    executor.shutdown()


def test_the_default_registry_has_them_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_collector", Registries.default_collector)
    with Executors.sync(name=name):
        labels = {"type": "sync", "executor": name}
        assert prometheus_client.REGISTRY.get_sample_value(PREFIX + "exec_inprogress", labels) == 1


def test_without_the_series_of_when_counters_began(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Executors.sync(name=name).submit(int)
    gc.collect()
    assert f'_created{{executor="{name}"' in exposition()
    prometheus_client.disable_created_metrics()
    try:
        assert "_created" not in exposition()
    finally:
        prometheus_client.enable_created_metrics()
    assert f'_created{{executor="{name}"' in exposition()
