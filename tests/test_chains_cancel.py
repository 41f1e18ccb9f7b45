"""Cancelling on top of a chain, or anything below it: every future ends once, and nobody else waits for a slow cancel."""

from __future__ import annotations

import asyncio
import gc
import queue
import random
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from math import inf
from typing import Any

import pytest
from chains import EACH_LAYER, LONG, ON_A_POOL, Counted, FlakyError, Giving, all_ended, ended, every_chain, make, on_a_pool
from support import PATIENCE, DuckFuture, InThread, Parking, SomeError, all_at_once

from more_executors import Executors, _core

# Only layers: the base is the test's.
STACKS = [chain.split(maxsplit=1)[1] for chain in EACH_LAYER + LONG]
every_stack = pytest.mark.parametrize("stack", STACKS)


def cancel_once_begun(future: Future[Any]) -> None:
    """Cancel it; while it is on its way down the chain, nobody is there yet to decide that, and the answer is no."""
    tries = 0
    while not future.cancel():
        assert not future.done()
        tries += 1
        assert tries < 1000 * PATIENCE, "it refuses to be cancelled"
        threading.Event().wait(0.001)


class ReadyToCancel(Future):  # type: ignore[type-arg]
    """A future that says it is running, and lets itself be cancelled."""

    def running(self) -> bool:
        return not self.done()


def until_running(future: Future[Any]) -> None:
    """Wait until it is running: then all layers have the future of the one below, and a cancel gets through."""
    tries = 0
    while not future.running():
        assert not future.done()
        tries += 1
        assert tries < 1000 * PATIENCE, "it does not begin"
        threading.Event().wait(0.001)


def kept(future: Future[Any], where: queue.SimpleQueue[Future[Any]]) -> Future[Any]:
    where.put(future)
    return future


class SlowToCancel(ReadyToCancel):  # type: ignore[type-arg]
    """A future whose `cancel` takes as long as the test likes."""

    parking: Parking | None = None

    def cancel(self) -> bool:
        if self.parking is not None:
            self.parking()
        return super().cancel()


# -- one at a time ------------------------------------------------------------------------------------------------


@on_a_pool
def test_what_has_not_begun_is_cancelled_and_never_called(chain: str) -> None:
    busy, calls = Parking(), []
    with Executors.thread_pool(max_workers=1) as base:
        base.submit(busy)
        busy.wait_for_one()
        with make(chain, base) as executor:
            future = executor.submit(calls.append, 1)
            cancel_once_begun(future)
            assert future.cancelled()
            assert future.cancel() is True
            with pytest.raises(CancelledError):
                future.result(0)
            busy.let_go()
        assert calls == []


@on_a_pool
def test_a_task_that_runs_refuses_and_goes_on(chain: str) -> None:
    task = Parking("went on")
    with make(chain) as executor:
        future = executor.submit(task)
        task.wait_for_one()
        assert future.cancel() is False
        task.let_go()
        if "cancel_on_shutdown" not in chain:
            assert future.result(PATIENCE) == "went on"
        assert ended(future) in ("result", "cancelled")


@on_a_pool
def test_after_a_refused_cancel_there_are_no_more_attempts(chain: str) -> None:
    task = Parking(raising=FlakyError())
    with make(chain) as executor:
        future = executor.submit(task)
        task.wait_for_one()
        until_running(future)
        assert future.cancel() is False
        task.let_go()
        assert future.exception(PATIENCE) is task.raising
    assert len(task.calls) == 1


@on_a_pool
def test_a_task_can_try_to_cancel_itself(chain: str) -> None:
    its_future: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

    def task() -> bool:
        return its_future.get(timeout=PATIENCE).cancel()

    with make(chain) as executor:
        future = executor.submit(task)
        its_future.put(future)
        assert future.result(PATIENCE) is False


@on_a_pool
def test_a_callback_can_cancel_all_others(chain: str) -> None:
    go, counted = threading.Event(), Counted()
    with make(chain) as executor:
        first = counted.watch(executor.submit(go.wait, PATIENCE))
        others = [counted.watch(executor.submit(go.wait, PATIENCE)) for _ in range(20)]
        first.add_done_callback(lambda future: [other.cancel() for other in others])
        go.set()
        assert ended(first) == "result"
        assert set(all_ended(others)) <= {"result", "cancelled"}
        counted.assert_each_ended_once()


@every_stack
def test_cancelling_the_asyncio_future_on_top_cancels_all_the_way_down(stack: str) -> None:
    futures: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

    async def main() -> None:
        future = executor.submit(int)
        below, given = futures.get(timeout=PATIENCE), base.next()
        until_running(below)
        assert future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await future
        assert below.cancelled()
        assert given.cancelled()

    base = Giving(ReadyToCancel)
    top = make(f"base {stack}", base)
    submit = top.submit
    top.submit = lambda fn: kept(submit(fn), futures)
    with top.with_asyncio() as executor:
        asyncio.run(main())
        del top.submit, submit


# -- by others, below ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("future_type", [Future, _core.Future, SlowToCancel], ids=["standard", "ours", "subclass"])
@every_stack
def test_a_delegates_future_that_somebody_cancels_ends_ours(stack: str, future_type: Callable[[], Any]) -> None:
    base = Giving(future_type)
    with make(f"base {stack}", base) as executor:
        futures = [executor.submit(int) for _ in range(3)]
        for _ in futures:
            given = base.next()
            assert given.cancel()
            given.set_running_or_notify_cancel()
        assert all_ended(futures) == ["cancelled"] * 3


@every_stack
def test_a_delegates_future_that_is_lost_ends_ours(stack: str) -> None:
    base = Giving()
    with make(f"base {stack}", base) as executor:
        futures = [executor.submit(int) for _ in range(3)]
        for _ in futures:
            base.next()
        gc.collect()
        assert all_ended(futures) == ["cancelled"] * 3


@every_stack
def test_a_delegate_can_be_any_executor(stack: str) -> None:
    base, error = Giving(DuckFuture), SomeError()
    with make(f"base {stack}", base) as executor:
        futures = [executor.submit(int) for _ in range(2)]
        base.next().end("quack")
        base.next().end(error=error)
        assert sorted(all_ended(futures)) == ["error", "result"]
        assert {future.exception() or future.result() for future in futures} == {"quack", error}
    assert len(base.shutdowns) == 1


@every_stack
def test_the_futures_of_a_layer_below_can_be_cancelled_by_whoever_has_them(stack: str) -> None:
    """A flat map below the stack goes on with futures that the test holds, and cancels."""
    inner = [Future[int]() for _ in range(3)]
    left = iter(inner)
    with Executors.thread_pool(max_workers=1) as base:
        middle = base.with_flat_map(lambda result: next(left))
        with make(f"base {stack}", middle) as executor:
            futures = [executor.submit(int) for _ in inner]
            for future in inner:
                assert future.cancel()
            assert all_ended(futures) == ["cancelled"] * 3


# -- slowly -------------------------------------------------------------------------------------------------------


@every_stack
def test_a_delegate_that_is_slow_to_cancel_holds_up_nobody_else(stack: str) -> None:
    # 1. One is being cancelled: the delegate's future is in `cancel`, and stays there.
    # 2. Another one ends, one is cancelled, one is submitted and ends.
    # 3. The slow one comes to its answer.
    slow, base = Parking(), Giving(SlowToCancel)
    with make(f"base {stack}", base) as executor:
        first = executor.submit(int)
        base_first = base.next()
        base_first.parking = slow
        until_running(first)
        canceller = InThread(first.cancel)
        slow.wait_for_one()

        second = executor.submit(int)
        base.next().set_result("second")
        assert second.result(PATIENCE) == "second"
        third = executor.submit(int)
        base_third = base.next()
        until_running(third)
        assert third.cancel() is True
        assert base_third.cancelled()
        fourth = executor.submit(int)
        base.next().set_exception(SomeError("fourth"))
        assert str(fourth.exception(PATIENCE)) == "fourth"
        assert not first.done()

        slow.let_go()
        assert canceller.outcome() is True
        assert first.cancelled()


@every_stack
def test_a_slow_cancel_fn_below_holds_up_nobody_else_and_is_asked_once(stack: str) -> None:
    slow, descriptors, seen = Parking(True), queue.SimpleQueue[Any](), set[Any]()

    def poll_fn(outstanding: list[Any]) -> float:
        for descriptor in outstanding:
            if descriptor.result not in seen:
                seen.add(descriptor.result)
                descriptors.put(descriptor)
        return inf

    def cancel_fn(result: Any) -> Any:
        return slow() if result == "first" else True

    base = Executors.sync().with_poll(poll_fn, cancel_fn)
    with make(f"base {stack}", base) as executor:
        first = executor.submit(str, "first")
        kept = descriptors.get(timeout=PATIENCE)
        cancellers = [InThread(cancel_once_begun, first)]
        slow.wait_for_one()
        cancellers.append(InThread(cancel_once_begun, first))

        second = executor.submit(str, "second")
        descriptors.get(timeout=PATIENCE).yield_result("done")
        assert second.result(PATIENCE) == "done"
        third = executor.submit(str, "third")
        descriptors.get(timeout=PATIENCE)
        cancel_once_begun(third)
        assert not first.done()

        slow.let_go()
        for canceller in cancellers:
            canceller.outcome()
        assert first.cancelled()
        kept.yield_result("too late")
        del kept
    assert len(slow.calls) == 1


# -- at random moments --------------------------------------------------------------------------------------------


@every_chain
@pytest.mark.parametrize("seed", range(3))
def test_each_future_ends_once_whenever_it_is_cancelled(chain: str, seed: int) -> None:
    counted, error, submitted = Counted(), SomeError(), threading.Event()

    def task(number: int) -> int:
        if number % 5 == 1:
            raise error
        if number % 5 == 2:
            raise FlakyError
        return number

    def submit() -> None:
        for number in range(60):
            counted.watch(executor.submit(task, number))
        submitted.set()

    def cancel(seed: int) -> None:
        chosen = random.Random(seed)
        while not submitted.is_set() or not all(future.done() for future in counted.futures):
            futures = counted.futures[-8:] if chosen.random() < 0.7 else counted.futures[:]
            if futures:
                future = chosen.choice(futures)
                if future.cancel():
                    assert future.cancelled()

    with make(chain) as executor:
        all_at_once(submit, lambda: cancel(seed), lambda: cancel(100 + seed))
        counted.assert_each_ended_once()
    for number, future in enumerate(counted.futures):
        if future.cancelled():
            continue
        if number % 5 == 1:
            assert future.exception(0) is error
        elif number % 5 == 2:
            assert isinstance(future.exception(0), FlakyError)
        else:
            assert future.result(0) == number


@pytest.mark.parametrize("chain", ON_A_POOL)
def test_of_many_cancels_at_a_time_all_have_the_same_answer_in_the_end(chain: str) -> None:
    busy = Parking()
    with Executors.thread_pool(max_workers=1) as base:
        base.submit(busy)
        busy.wait_for_one()
        with make(chain, base) as executor:
            counted = Counted()
            future = counted.watch(executor.submit(int))
            all_at_once(*[lambda: cancel_once_begun(future)] * 5)
            assert future.cancelled()
            busy.let_go()
            counted.assert_each_ended_once()
