"""A Ctrl-C while many are being cancelled: it comes out, what was answered counts, and nobody waits for the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from interrupts_at_lines import assert_no_threads_but, at_each_line
from support import HeardLogger

from more_executors import Executors, PollExecutor, SyncExecutor


def wait_for_nothing(descriptors: list[Any]) -> float:
    return 3600.0


class InterruptedService:
    """Cancels what it is asked to, but for its second call, which a Ctrl-C interrupts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, results: list[Any]) -> list[bool]:
        self.calls += 1
        if self.calls == 2:
            raise KeyboardInterrupt
        return [True] * len(results)


def test_it_comes_out_of_cancel_all_after_what_was_cancelled_before() -> None:
    service = InterruptedService()
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=service, batch_size=10) as executor:
        futures = executor.adopt_many(range(100))
        with pytest.raises(KeyboardInterrupt):
            executor.cancel_all()
        assert service.calls == 2
        assert [future.cancelled() for future in futures] == [True] * 10 + [False] * 90
        assert futures[99].cancel()  # which asks again, and does not wait for the answer that never came
        assert service.calls == 3
        assert executor.cancel_all() == 89


def test_what_another_executor_was_to_be_asked_about_can_be_cancelled_afterwards() -> None:
    service = InterruptedService()
    service.calls = 1
    others: list[list[Any]] = []

    def cancel_others(results: list[Any]) -> list[bool]:
        others.append(results)
        return [True] * len(results)

    first = PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=service, logger=HeardLogger())
    second = PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=cancel_others)
    pending = [first.adopt(1), second.adopt(2)]
    above = Executors.with_flat_map(SyncExecutor(), lambda future: future)
    futures = [above.submit(lambda future=future: future) for future in pending]
    with pytest.raises(KeyboardInterrupt):
        above.shutdown(cancel_futures=True)
    assert all(future.cancel() for future in futures)
    first.shutdown(cancel_futures=True)
    second.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in pending)


def cancel_each(results: list[Any]) -> list[bool]:
    return [True] * len(results)


async def cancel_on_loop(result: Any) -> bool:
    return True


async def cancel_each_on_loop(results: list[Any]) -> list[bool]:
    return [True] * len(results)


KINDS: dict[str, dict[str, Any]] = {
    "one by one": {"cancel_fn": bool},
    "one by one on threads": {"cancel_fn": bool, "max_concurrency": 2},
    "one by one on a loop": {"cancel_fn": cancel_on_loop, "max_concurrency": 2},
    "many": {"cancel_many_fn": cancel_each, "batch_size": 3},
    "many on threads": {"cancel_many_fn": cancel_each, "batch_size": 3, "max_concurrency": 2},
    "many on a loop": {"cancel_many_fn": cancel_each_on_loop, "batch_size": 3, "max_concurrency": 2},
}
CALLS: dict[str, Callable[[PollExecutor[Any, Any]], object]] = {
    "cancel_all": lambda executor: executor.cancel_all(),
    "shutdown": lambda executor: executor.shutdown(cancel_futures=True),
    "shutdown without waiting": lambda executor: executor.shutdown(False, cancel_futures=True),
}


@pytest.mark.long
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_at_whichever_line_it_comes_the_next_call_cancels_all(kind: str, call: str) -> None:
    for interrupt in at_each_line():
        before = set(threading.enumerate())
        executor = PollExecutor(SyncExecutor(), wait_for_nothing, **KINDS[kind])
        futures = executor.adopt_many(range(1, 9))
        interrupt.hits(lambda executor=executor: CALLS[call](executor))
        executor.cancel_all()
        assert all(future.cancelled() for future in futures), interrupt.line
        executor.shutdown()
        assert_no_threads_but(before, interrupt.line)
