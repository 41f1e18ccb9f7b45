"""Shutting chains down, dropping them, and what is not done then: nothing is left pending, and nothing left behind."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from chains import (
    EVERY_CHAIN,
    LONG,
    ON_A_POOL,
    REFUSED,
    Counted,
    all_ended,
    all_layers,
    all_pairs,
    ended,
    every_chain,
    make,
    mixed_task,
    on_a_pool,
    some_orders,
)
from support import PATIENCE, InThread, Parking, all_at_once, assert_ends

from more_executors import CancelOnShutdownExecutor, Executors


def expected(number: int) -> str:
    return "error" if number % 4 in (1, 2) else "result"


def threads_after(before: set[threading.Thread]) -> set[threading.Thread]:
    return set(threading.enumerate()) - before


# -- every order of layers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("chain", [*all_pairs(), *some_orders(30), *EVERY_CHAIN])
def test_after_the_block_all_futures_are_done_and_all_threads_over(chain: str) -> None:
    before, counted = set(threading.enumerate()), Counted()
    with make(chain) as executor:
        for number in range(10):
            counted.watch(executor.submit(mixed_task, number))
    assert all(future.done() for future in counted.futures)
    assert threads_after(before) == set()
    counted.assert_each_ended_once()
    if "cancel_on_shutdown" not in chain:
        assert all_ended(counted.futures) == [expected(number) for number in range(10)]


@pytest.mark.parametrize("chain", [*some_orders(30), *ON_A_POOL])
def test_without_waiting_all_futures_end_in_the_background(chain: str) -> None:
    go, counted = threading.Event(), Counted()

    def later(number: int) -> int:
        assert go.wait(PATIENCE)
        return mixed_task(number)

    executor = make(chain)
    for number in range(10):
        counted.watch(executor.submit(later, number))
    executor.shutdown(wait=False)
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(int)
    del executor
    go.set()
    counted.assert_each_ended_once()
    if "cancel_on_shutdown" not in chain:
        assert all_ended(counted.futures) == [expected(number) for number in range(10)]


def cancelling_all(executor: Any, futures: list[Any]) -> InThread:
    """A thread that shuts `executor` down: it has tried to cancel its futures, and a layer waits for what is left."""

    def wait(usual: Callable[[], None]) -> None:
        waiting.set()
        usual()

    waiting = threading.Event()
    *layers, _ = all_layers(executor)
    for layer in layers:
        layer._wait_until_drained = partial(wait, layer._wait_until_drained)
    thread = InThread(partial(executor.shutdown, cancel_futures=True))
    if layers:
        assert waiting.wait(PATIENCE)
    else:
        all_ended(futures)
    return thread


@pytest.mark.parametrize("chain", [*some_orders(15), *ON_A_POOL])
@pytest.mark.parametrize("wait", [False, True], ids=["in the background", "waiting"])
def test_cancel_futures_ends_all_and_calls_hardly_any(chain: str, wait: bool) -> None:
    busy, counted, calls = Parking(), Counted(), []
    base = Executors.thread_pool(max_workers=1)
    in_the_way = base.submit(busy)
    busy.wait_for_one()
    executor = make(chain, base)
    for number in range(20):
        counted.watch(executor.submit(calls.append, number))
    if wait:
        shutting_down = cancelling_all(executor, counted.futures)  # nothing gets to run until `busy` lets go
        busy.let_go()
        shutting_down.outcome()
        assert all(future.done() for future in counted.futures)
    else:
        executor.shutdown(wait=False, cancel_futures=True)
        busy.let_go()
    ends = all_ended(counted.futures)
    counted.assert_each_ended_once()
    # One may have been on its way from each layer to the next, where nobody decides.
    assert ends.count("cancelled") >= 20 - len(chain.split())
    assert ended(in_the_way) == "result"
    assert ends.count("result") <= len(calls) <= len(chain.split())
    if "error" in ends:
        assert "cancel_on_shutdown" in chain  # the layer below did not take it any more


@every_chain
def test_shutting_down_again_does_nothing_and_submitting_raises_on_every_layer(chain: str) -> None:
    executor = make(chain)
    future = executor.submit(int)
    executor.shutdown()
    assert future.done()
    executor.shutdown()
    executor.shutdown(wait=False, cancel_futures=True)
    for layer in all_layers(executor):
        with pytest.raises(RuntimeError, match=REFUSED):
            layer.submit(int)
        with pytest.raises(RuntimeError, match=REFUSED):
            list(layer.map(int, [1]))


@every_chain
def test_with_asyncio_on_top_the_whole_chain_is_shut_down(chain: str) -> None:
    before = set(threading.enumerate())

    async def main() -> list[int]:
        return await asyncio.wait_for(asyncio.gather(*(executor.submit(int, number) for number in range(5))), PATIENCE)

    executor = make(chain).with_asyncio()
    assert asyncio.run(main()) == [0, 1, 2, 3, 4]
    executor.shutdown()
    executor.shutdown()
    for layer in all_layers(executor):
        with pytest.raises(RuntimeError, match=REFUSED):
            layer.submit(int)
    assert threads_after(before) == set()


@every_chain
def test_all_threads_of_a_chain_that_is_dropped_end(chain: str) -> None:
    before = set(threading.enumerate())
    executor = make(chain)
    assert executor.submit(int).result(PATIENCE) == 0
    threads = threads_after(before)
    assert bool(threads) is (chain not in ("sync",))
    del executor
    gc.collect()
    for thread in threads:
        assert_ends(thread)


# -- while others are at it ---------------------------------------------------------------------------------------


@every_chain
def test_many_threads_can_shut_down_at_a_time(chain: str) -> None:
    executor = make(chain)
    futures = [executor.submit(mixed_task, number) for number in range(10)]
    all_at_once(executor.shutdown, executor.shutdown, lambda: executor.shutdown(wait=False), executor.shutdown)
    # If the one that does not wait came first, nobody has waited.
    assert not concurrent.futures.wait(futures, PATIENCE).not_done


@every_chain
@pytest.mark.parametrize("cancel", [False, True], ids=["seeing through", "cancelling"])
def test_what_is_submitted_during_a_shutdown_is_refused_or_ends(chain: str, cancel: bool) -> None:
    counted, begun = Counted(), threading.Event()

    def submit_until_refused() -> str:
        for number in range(100_000):
            try:
                counted.watch(executor.submit(mixed_task, number))
            except RuntimeError as error:
                return str(error)
            if number >= 10:
                begun.set()
                threading.Event().wait(0.0001)
        return "never refused"

    executor = make(chain)
    submitting = [InThread(submit_until_refused) for _ in range(2)]
    assert begun.wait(PATIENCE)
    executor.shutdown(cancel_futures=cancel)
    assert {thread.outcome() for thread in submitting} == {REFUSED[1:-1]}
    counted.assert_each_ended_once()


@on_a_pool
def test_shutting_down_a_layer_below_leaves_nothing_pending_above(chain: str) -> None:
    """What waits above for its turn below is refused there; that is how it ends."""
    counted = Counted()
    executor = make(chain)
    for number in range(20):
        counted.watch(executor.submit(int, number))
    for layer in reversed(all_layers(executor)):
        layer.shutdown()
    counted.assert_each_ended_once()
    for future in counted.futures:
        if ended(future) == "error":
            assert str(future.exception()) == REFUSED[1:-1]


@pytest.mark.parametrize("chain", [chain for chain in LONG if "cancel_on_shutdown" in chain])
def test_cancel_on_shutdown_cancels_what_has_not_begun_wherever_it_stands(chain: str) -> None:
    busy, counted, calls = Parking(), Counted(), []
    base = Executors.thread_pool(max_workers=1)
    base.submit(busy)
    busy.wait_for_one()
    executor = make(chain, base)
    for number in range(20):
        counted.watch(executor.submit(calls.append, number))
    executor.shutdown(wait=False)
    (canceller,) = (layer for layer in all_layers(executor) if isinstance(layer, CancelOnShutdownExecutor))
    canceller.shutdown(wait=False)
    busy.let_go()
    counted.assert_each_ended_once()
    ends = all_ended(counted.futures)
    # What has not got there yet is refused there.
    assert {str(future.exception()) for future in counted.futures if ended(future) == "error"} <= {REFUSED[1:-1]}
    assert ends.count("result") == len(calls) <= 10
