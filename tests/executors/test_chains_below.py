"""What somebody else does to the futures below a chain, or slowly: ours end with them, and nobody else waits."""

from __future__ import annotations

import gc
import queue
from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from typing import Any

import pytest
from chains import Giving, SlowToCancel, all_ended, cancel_once_begun, every_stack, make, until_running
from support import PATIENCE, DuckFuture, InThread, Parking, SomeError

from more_executors import Executors, _core

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
