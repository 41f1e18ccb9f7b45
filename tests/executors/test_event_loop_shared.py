"""A poll executor on top of one with an event loop: both use the same loop, which lives until the last has ended."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from async_support import AsyncStepped
from support import PATIENCE, InThread, SomeError, assert_ends, is_gone

from more_executors import Executors, Journal, PollExecutor
from more_executors.journal import Keys


class Service:
    """A stand-in for one with a client session: it notes on which loop what happens, and in which order."""

    def __init__(self) -> None:
        self.loops: set[Any] = set()
        self.happened: list[str] = []
        self.is_open = False

    def note(self, what: str) -> None:
        self.loops.add(asyncio.get_running_loop())
        self.happened.append(what)

    async def open(self) -> None:
        self.note("open")
        self.is_open = True

    async def close(self) -> None:
        self.note("close")
        self.is_open = False

    async def start(self, job: str) -> str:
        assert self.is_open
        self.note("start")
        return f"task of {job}"

    async def poll(self, descriptors: list[Any]) -> None:
        assert self.is_open
        self.note("poll")
        for descriptor in descriptors:
            if not descriptor.result.endswith("for ever"):
                descriptor.yield_result(f"{descriptor.result} is done")

    async def cancel(self, task: str) -> bool:
        assert self.is_open
        await asyncio.sleep(0)
        self.note("cancel")
        return True

    @property
    def hooks(self) -> dict[str, Any]:
        return {"open_fn": self.open, "close_fn": self.close}


LAYERS: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda executor: executor,
    "retry": lambda executor: executor.with_retry(),
    "throttle": lambda executor: executor.with_throttle(5),
    "timeout": lambda executor: executor.with_timeout(PATIENCE),
    "map": lambda executor: executor.with_map(),
    "cancel_on_shutdown": lambda executor: executor.with_cancel_on_shutdown(),
    "many": lambda executor: executor.with_retry().with_map().with_timeout(PATIENCE).with_throttle(5),
}


def loop_threads() -> list[str]:
    """The threads of ours with a loop; other libraries may have some, too."""
    return [
        name
        for name in (thread.name for thread in threading.enumerate())
        if name.startswith("EventLoopExecutor-") or (name.startswith("PollExecutor-") and name.endswith("-loop"))
    ]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("giver", ["below", "above"])
def test_starting_polling_and_cancelling_share_a_loop_and_what_is_open(layer: str, giver: str) -> None:
    service = Service()
    below, above = (service.hooks, {}) if giver == "below" else ({}, service.hooks)
    delegate = LAYERS[layer](Executors.event_loop(name="it", **below))
    with delegate.with_poll(service.poll, service.cancel, default_interval=0.01, **above) as executor:
        assert executor.submit(service.start, "a").result(PATIENCE) == "task of a is done"
        goes_on = executor.submit(service.start, "for ever")
        while executor.stats().polled == 0:
            threading.Event().wait(0.001)
        assert goes_on.cancel() is True
        assert loop_threads() == ["EventLoopExecutor-it"]
    assert service.happened[:3] == ["open", "start", "poll"]
    assert (service.happened.count("open"), service.happened.count("close")) == (1, 1)
    assert service.happened[-1] == "close"
    assert service.happened.count("cancel") == 1
    assert len(service.loops) == 1
    assert loop_threads() == []


def test_hooks_may_be_given_where_only_starting_is_async() -> None:
    service = Service()

    def poll(descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            descriptor.yield_result(descriptor.result)

    with Executors.event_loop().with_poll(poll, **service.hooks) as executor:
        assert executor.submit(service.start, "a").result(PATIENCE) == "task of a"
    assert service.happened == ["open", "start", "close"]


def test_hooks_of_both_are_refused() -> None:
    service = Service()
    with Executors.event_loop(name="it", open_fn=service.open) as delegate:
        with pytest.raises(ValueError, match=r"^open_fn and close_fn: give both to one of .* EventLoopExecutor-it$"):
            delegate.with_poll(service.poll, close_fn=service.close)
        assert delegate.submit(service.start, "a").result(PATIENCE) == "task of a"
    assert service.happened == ["open", "start"]


def test_hooks_of_a_poll_executor_that_could_not_be_made_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no more of those")

    failing, service = Service(), Service()
    with Executors.event_loop() as delegate:
        with monkeypatch.context() as patches:
            patches.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="no more of those"):
                delegate.with_poll(failing.poll, **failing.hooks)
        with delegate.with_poll(service.poll, **service.hooks) as executor:
            assert executor.submit(service.start, "a").result(PATIENCE) == "task of a is done"
    assert failing.happened == []
    assert service.happened[-1] == "close"


def test_a_poll_executor_on_top_of_another_one_shares_it_too() -> None:
    service = Service()
    lower = Executors.event_loop(name="it", **service.hooks).with_poll(service.poll)
    with lower.with_poll(service.poll) as executor:
        assert executor.submit(service.start, "a").result(PATIENCE) == "task of a is done is done"
        assert loop_threads() == ["EventLoopExecutor-it"]
    assert len(service.loops) == 1


def test_on_a_thread_pool_a_poll_executor_has_a_loop_of_its_own() -> None:
    service = Service()
    with Executors.thread_pool(1).with_poll(service.poll, name="it", **service.hooks) as executor:
        assert executor.submit(str, "a").result(PATIENCE) == "a is done"
        assert loop_threads() == ["PollExecutor-it-loop"]


def test_on_an_executor_that_has_been_shut_down_it_has_a_loop_of_its_own() -> None:
    service = Service()
    delegate = Executors.event_loop()
    delegate.shutdown()
    with delegate.with_poll(service.poll, **service.hooks) as executor:
        assert executor.adopt("a").result(PATIENCE) == "a is done"


def test_tasks_with_keys_are_started_once_by_an_async_def(tmp_path: Path) -> None:
    service = Service()
    for _ in range(2):
        with (
            Journal(tmp_path / "tasks.db") as journal,
            Executors.event_loop(**service.hooks)
            .with_retry()
            .with_poll(service.poll, journal=journal, keys=Keys()) as executor,
        ):
            futures = [
                executor.submit_once("a", service.start, "a"),
                *executor.submit_many_once(service.start, ["b", "c"]),
            ]
            assert [future.result(PATIENCE) for future in futures] == [f"task of {job} is done" for job in "abc"]
    assert service.happened.count("start") == 3


# -- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("giver", ["below", "above"])
def test_a_shutdown_that_cancels_asks_for_each_task_before_the_session_is_closed(giver: str) -> None:
    service = Service()
    below, above = (service.hooks, {}) if giver == "below" else ({}, service.hooks)
    executor = Executors.event_loop(**below).with_poll(service.poll, service.cancel, **above)
    futures = [executor.submit(service.start, "for ever") for _ in range(5)]
    while executor.stats().polled < 5:
        threading.Event().wait(0.001)
    executor.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in futures)
    assert service.happened.count("cancel") == 5
    assert service.happened[-1] == "close"


def test_a_late_task_is_cancelled_before_the_session_is_closed() -> None:
    """The cancel of a task that missed its deadline goes on in the background: the loop waits for it."""
    cancel, service = AsyncStepped(), Service()
    executor = Executors.event_loop(**service.hooks).with_poll(service.poll, cancel, timeout=0.0)
    future = executor.submit(service.start, "for ever")
    assert isinstance(future.exception(PATIENCE), TimeoutError)
    call = cancel.next()
    shutting_down = InThread(executor.shutdown)
    while executor._poll_table.closed is None:
        threading.Event().wait(0.001)
    assert service.is_open
    call.end(True)
    assert shutting_down.outcome() is None
    assert not service.is_open


def test_the_delegate_goes_on_when_the_poll_executor_is_dropped_and_the_loop_ends_with_both() -> None:
    service = Service()
    delegate = Executors.event_loop(name="it")
    executor = delegate.with_poll(service.poll, **service.hooks)
    assert executor.submit(service.start, "a").result(PATIENCE) == "task of a is done"
    gone = weakref.ref(executor)
    del executor
    assert is_gone(gone)
    assert delegate.submit(service.start, "b").result(PATIENCE) == "task of b"
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "EventLoopExecutor-it"]
    del delegate
    gc.collect()
    assert_ends(thread)
    assert service.happened[-1] == "close"


def test_the_poll_executor_goes_on_when_the_delegate_is_shut_down_before_it() -> None:
    service = Service()
    delegate = Executors.event_loop(name="it", **service.hooks)
    executor = delegate.with_poll(service.poll, service.cancel)
    executor.submit(service.start, "a").result(PATIENCE)
    delegate.shutdown()
    assert executor.adopt("b").result(PATIENCE) == "b is done"
    assert service.is_open
    executor.shutdown()
    assert service.happened[-1] == "close"


@pytest.mark.parametrize("where", ["start", "poll"])
def test_shutting_down_on_the_loop_does_not_wait(where: str) -> None:
    service = Service()

    async def start() -> str:
        if where == "start":
            executor.shutdown()
        return "a"

    async def poll(descriptors: list[Any]) -> None:
        if where == "poll":
            executor.shutdown()
        await service.poll(descriptors)

    executor = Executors.event_loop(name="it", **service.hooks).with_poll(poll)
    assert executor.submit(start).result(PATIENCE) == "a is done"
    for thread in threading.enumerate():
        if "Executor-" in thread.name:
            assert_ends(thread)
    assert service.happened[-1] == "close"


def test_what_starting_raises_concerns_that_task_alone() -> None:
    async def fail() -> None:
        raise SomeError

    service = Service()
    with Executors.event_loop(**service.hooks).with_poll(service.poll) as executor:
        futures = [executor.submit(fail), executor.submit(service.start, "a")]
        assert isinstance(futures[0].exception(PATIENCE), SomeError)
        assert futures[1].result(PATIENCE) == "task of a is done"


def test_a_poll_executor_refuses_hooks_that_would_not_run() -> None:
    service = Service()
    with pytest.raises(ValueError, match=r"^open_fn is awaited where"), Executors.sync() as delegate:
        PollExecutor(delegate, lambda descriptors: None, open_fn=service.open)
