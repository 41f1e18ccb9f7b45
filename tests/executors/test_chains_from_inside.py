"""Shutting a chain down from inside: in a task, a callback, a function that is part of it. None waits for itself."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from chains import REFUSED, STACKS, Counted, ended, make, mixed_task, on_a_pool, resolve_at_once
from support import PATIENCE, listening_to

from more_executors import Executors, RetryPolicy

# -- shut down by whom it concerns --------------------------------------------------------------------------------


@on_a_pool
@pytest.mark.parametrize("how", [{}, {"wait": False}, {"cancel_futures": True}], ids=["", "no wait", "cancelling"])
def test_a_task_can_shut_down_the_chain_it_is_of(chain: str, how: dict[str, bool]) -> None:
    counted, all_submitted = Counted(), threading.Event()

    def shut_down() -> str:
        assert all_submitted.wait(PATIENCE)
        executor.shutdown(**how)
        return "shut down"

    executor = make(chain)
    first = counted.watch(executor.submit(shut_down))
    for number in range(10):
        counted.watch(executor.submit(mixed_task, number))
    all_submitted.set()
    # `shutdown` of a plain pool in one of its threads raises, as in concurrent.futures.
    assert ended(first) in ("result", "cancelled") or str(first.exception()) == "cannot join current thread"
    counted.assert_each_ended_once()
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(int)
    executor.shutdown()


@on_a_pool
@pytest.mark.parametrize("wait", [True, False], ids=["waiting", "not waiting"])
def test_a_callback_can_shut_the_chain_down(chain: str, wait: bool) -> None:
    go, over, counted = threading.Event(), threading.Event(), Counted()

    def shut_down(future: Future[Any]) -> None:
        try:
            executor.shutdown(wait=wait)
        finally:
            over.set()

    executor = make(chain)
    with listening_to("concurrent.futures") as heard:
        first = counted.watch(executor.submit(go.wait, PATIENCE))
        for number in range(10):
            counted.watch(executor.submit(mixed_task, number))
        first.add_done_callback(shut_down)
        go.set()
        assert over.wait(PATIENCE)
        counted.assert_each_ended_once()
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)
    assert {str(error) for _, _, error in heard.lines} <= {"cannot join current thread"}


Shutdown = Callable[[], object]


def by_map(shut_down: Shutdown) -> Any:
    return Executors.thread_pool(max_workers=2).with_map(lambda result: (shut_down(), result)[1])


def by_flat_map(shut_down: Shutdown) -> Any:
    return Executors.sync().with_flat_map(lambda result: (shut_down(), Executors.sync().submit(int, result))[1])


def by_poll(shut_down: Shutdown) -> Any:
    def poll_fn(descriptors: list[Any]) -> float:
        if descriptors:
            shut_down()
        return resolve_at_once(descriptors)

    return Executors.thread_pool(max_workers=2).with_poll(poll_fn)


def by_retry(shut_down: Shutdown) -> Any:
    class ShutDown(RetryPolicy):
        def should_retry(self, attempt: int, future: Future[Any]) -> bool:
            shut_down()
            return attempt < 2

    return Executors.thread_pool(max_workers=2).with_retry(ShutDown())


def by_throttle(shut_down: Shutdown) -> Any:
    asked: list[None] = []

    def count() -> int:
        asked.append(None)
        if len(asked) > 2:
            shut_down()
        return 2

    return Executors.thread_pool(max_workers=2).with_throttle(count)


@pytest.mark.parametrize("stack", ["", *STACKS[-10:]])
@pytest.mark.parametrize("wait", [True, False], ids=["waiting", "not waiting"])
@pytest.mark.parametrize("base", [by_map, by_flat_map, by_poll, by_retry, by_throttle])
def test_functions_in_a_chain_can_shut_it_down(base: Callable[[Shutdown], Any], stack: str, wait: bool) -> None:
    whole: list[Any] = []
    counted = Counted()

    def shut_down() -> None:
        for chain in whole[:]:
            chain.shutdown(wait=wait)

    executor = make(f"base {stack}", base(shut_down))
    with listening_to("concurrent.futures") as heard:
        whole.append(executor)
        with contextlib.suppress(RuntimeError):
            for number in range(5):
                counted.watch(executor.submit(int, number))
        counted.assert_each_ended_once()
        executor.shutdown()
    whole.clear()
    assert heard.of_level("ERROR") == []
    for future in counted.futures:
        if not future.cancelled() and future.exception() is not None:
            assert str(future.exception()) in (REFUSED[1:-1], "cannot join current thread")
