"""What a poll executor has is reached through the executors on top of it, where that makes sense."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError
from math import inf
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, InThread, Parking, RecordingPoll, said

from more_executors import Executors, Journal, MapExecutor, PollExecutor
from more_executors._core import referent
from more_executors.journal import Keys
from more_executors.progress import progress

LAYERS: dict[str, Callable[[Any], Any]] = {
    "map": lambda executor: executor.with_map(),
    "timeout": lambda executor: executor.with_timeout(PATIENCE),
    "cancel_on_shutdown": lambda executor: executor.with_cancel_on_shutdown(),
    "all": lambda executor: executor.with_map().with_timeout(PATIENCE).with_cancel_on_shutdown(),
}
CALLING_AGAIN: dict[str, Callable[[Any], Any]] = {
    "retry": lambda executor: executor.with_retry(),
    "throttle": lambda executor: executor.with_throttle(4),
    "map of retry": lambda executor: executor.with_retry().with_map(),
}
every_layer = pytest.mark.parametrize("layer", LAYERS)
ADOPTING = {"adopt", "adopt_many", "submit_once", "submit_many_once"}
ABOUT_ALL = {"cancel_all", "cancel_many", "notify", "outstanding", "stats"}


def resolve(descriptors: list[Any]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result(f"{descriptor.result} is done")
    return inf


@every_layer
def test_adopt_gives_a_future_of_the_layer(layer: str) -> None:
    with LAYERS[layer](Executors.sync().with_poll(resolve)) as executor:
        assert executor.adopt("a").result(PATIENCE) == "a is done"
        assert [f.result(PATIENCE) for f in executor.adopt_many(["b", "c"])] == ["b is done", "c is done"]
    assert len(executor._table) == 0


def test_what_a_map_does_it_does_to_what_is_adopted() -> None:
    with Executors.sync().with_poll(resolve).with_map(str.upper) as executor:
        assert executor.adopt("a").result(PATIENCE) == "A IS DONE"
        assert [future.result(PATIENCE) for future in executor.adopt_many(["b", "c"])] == ["B IS DONE", "C IS DONE"]


def test_a_timeout_counts_for_what_is_adopted() -> None:
    with Executors.sync().with_poll(RecordingPoll()).with_timeout(0.0) as executor:
        assert said(executor.adopt("a")) is CancelledError
        assert [said(future) for future in executor.adopt_many(["b", "c"])] == [CancelledError] * 2


@every_layer
def test_the_timeout_of_adopt_is_that_of_polling(layer: str) -> None:
    with LAYERS[layer](Executors.sync().with_poll(RecordingPoll())) as executor:
        assert said(executor.adopt("a", timeout=0.0)) is TimeoutError
        with pytest.raises(ValueError, match="timeout must be"):
            executor.adopt("a", timeout=-1)
        assert len(executor._table) == 0


def test_a_flat_map_hands_on_too() -> None:
    with Executors.sync().with_poll(resolve) as below, below.with_flat_map(below.adopt) as executor:
        assert executor.adopt("a").result(PATIENCE) == "a is done is done"


@every_layer
def test_once_shut_down_nothing_is_adopted(layer: str) -> None:
    executor = LAYERS[layer](Executors.sync().with_poll(resolve))
    executor.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.adopt("a")
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.adopt_many(["a"])


@every_layer
def test_submit_once_gives_a_future_of_the_layer(layer: str, tmp_path: Path) -> None:
    started: list[str] = []

    def start(job: str, times: int = 1) -> str:
        started.append(job)
        return job * times

    with Journal(tmp_path / "tasks.db") as journal:
        polled = Executors.sync().with_poll(resolve, journal=journal, keys=Keys())
        with LAYERS[layer](polled) as executor:
            assert executor.submit_once("key", start, "a", times=2).result(PATIENCE) == "aa is done"
            assert executor.submit_once("key", start, "b").result(PATIENCE) == "aa is done"
            many = executor.submit_many_once(start, ["c", "d"])
            assert [future.result(PATIENCE) for future in many] == ["c is done", "d is done"]
    assert started == ["a", "c", "d"]


@pytest.mark.parametrize("layer", [*LAYERS, *CALLING_AGAIN])
def test_what_is_about_all_tasks_is_reached_through_every_layer(layer: str) -> None:
    poll = RecordingPoll()
    below = Executors.sync().with_poll(poll)
    with (LAYERS | CALLING_AGAIN)[layer](below) as executor:
        futures = [executor.submit(str, n) for n in range(3)]
        poll.next_of(3)
        executor.notify()
        poll.next_of(3)
        assert executor.stats().outstanding == below.stats().outstanding == 3
        assert [task.result for task in executor.outstanding()] == ["0", "1", "2"]
        assert executor.cancel_many(futures[:1]) == 1
        assert executor.cancel_all() == 2
        assert all(future.cancelled() for future in futures)


@pytest.mark.parametrize("layer", CALLING_AGAIN)
def test_where_each_future_stands_for_a_callable_there_is_nothing_to_adopt(layer: str) -> None:
    with CALLING_AGAIN[layer](Executors.sync().with_poll(resolve)) as executor:
        assert [name for name in ADOPTING if hasattr(executor, name)] == []
        assert {name for name in ABOUT_ALL if hasattr(executor, name)} == ABOUT_ALL


@pytest.mark.parametrize("layer", [*LAYERS, *CALLING_AGAIN])
def test_without_a_poll_executor_below_there_is_none_of_it(layer: str) -> None:
    with (LAYERS | CALLING_AGAIN)[layer](Executors.sync()) as executor:
        assert [name for name in ADOPTING | ABOUT_ALL if hasattr(executor, name)] == []
        with pytest.raises(AttributeError, match=r"^'.*Executor' object has no attribute 'adopt'$"):
            executor.adopt("a")
        with pytest.raises(TypeError, match=r"^progress is of futures, or of an executor that has stats"):
            progress(executor)


def test_what_is_reached_has_its_name_and_a_docstring() -> None:
    with Executors.sync().with_poll(resolve).with_map() as executor:
        for name in ADOPTING | ABOUT_ALL:
            method = getattr(executor, name)
            assert (method.__name__, bool(method.__doc__), method.__self__) == (name, True, executor)


def test_cancelling_many_asks_the_service_as_rarely_as_without_the_layers() -> None:
    asked: list[Any] = []

    def cancel_many(results: list[Any]) -> list[bool]:
        asked.append(results)
        return [True for _ in results]

    poll = RecordingPoll()
    with Executors.sync().with_poll(poll, cancel_many_fn=cancel_many).with_map().with_timeout(PATIENCE) as executor:
        executor.adopt_many(range(5))
        assert executor.cancel_all() == 5
    assert [sorted(results) for results in asked] == [[0, 1, 2, 3, 4]]


def test_with_asyncio_gives_futures_of_the_loop() -> None:
    async def main() -> None:
        assert await executor.adopt("a") == "a is done"
        assert await asyncio.gather(*executor.adopt_many(["b", "c"])) == ["b is done", "c is done"]
        assert executor.stats().done == 3
        assert executor.outstanding() == []
        executor.notify()

    executor = Executors.sync().with_poll(resolve).with_map().with_asyncio()
    asyncio.run(main())
    executor.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.adopt("a")


def test_with_asyncio_cancels_many() -> None:
    async def main() -> None:
        futures = executor.adopt_many(range(5))
        assert futures[0].cancel()
        assert await asyncio.to_thread(executor.cancel_many, futures[:3]) == 3
        assert await asyncio.to_thread(executor.cancel_all) == 2
        await asyncio.wait(futures)
        assert all(future.cancelled() for future in futures)
        with pytest.raises(TypeError, match=r"^futures must be futures that the executor gave"):
            executor.cancel_many([asyncio.get_running_loop().create_future()])

    executor = Executors.sync().with_poll(RecordingPoll()).with_asyncio()
    asyncio.run(main())
    executor.shutdown()


def test_with_asyncio_counts_a_future_once_that_the_loop_cancels_meanwhile() -> None:
    # 1. A thread cancels a task, and is held up by somebody who waits for it. 2. The loop cancels its future, too.
    # 3. The thread goes on, and counts.
    async def main() -> None:
        future: Any = executor.adopt("a")
        referent(future.source).add_done_callback(parking)
        cancelling = InThread(lambda: executor.cancel_many([future]))
        await asyncio.wait([future], timeout=PATIENCE)  # 1, 2
        assert future.cancelled()
        parking.let_go()
        assert cancelling.outcome() == 1  # 3

    parking = Parking()
    executor = Executors.sync().with_poll(RecordingPoll()).with_asyncio()
    asyncio.run(main())
    executor.shutdown()


def test_what_a_class_has_itself_comes_before_what_is_below() -> None:
    class Own:
        def stats(self) -> str:
            return "mine"

    class Before(Own, MapExecutor):
        pass

    class After(MapExecutor, Own):
        pass

    with Executors.sync().with_poll(print) as polling:
        for kind in (Before, After):
            assert kind(polling, str).stats() == "mine"
        assert MapExecutor(polling, str).stats() == polling.stats()
    assert not hasattr(MapExecutor, "stats")
    assert After.stats is Own.stats


def test_attributes_of_executors_are_found_as_fast_as_those_of_any_object() -> None:
    for kind in (MapExecutor, PollExecutor):
        assert not hasattr(kind, "__getattr__")
