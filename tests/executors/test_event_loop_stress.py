"""Many threads submit to event loops, cancel, and shut down, all at once: each future ends once."""

from __future__ import annotations

import asyncio
import random
import threading
from typing import Any

import pytest
from chains import Counted, all_ended
from support import InThread, SomeError, all_at_once

from more_executors import Executors

pytestmark = [pytest.mark.stress, pytest.mark.usefixtures("threads_taking_turns")]


async def mixed(number: int) -> int:
    """Succeeds, fails, waits, is cancelled, or takes no notice of that at first."""
    kind = number % 6
    if kind == 1:
        raise SomeError(number)
    if kind == 2:
        raise asyncio.CancelledError
    if kind > 2:
        await asyncio.sleep(0)
    if kind == 4:
        await asyncio.sleep(0.001)
    if kind == 5:
        try:
            await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
    return number


def submit_and_cancel(executor: Any, counted: Counted, seed: int) -> None:
    chosen = random.Random(seed)
    futures: list[Any] = []
    for number in range(200):
        try:
            futures.append(counted.watch(executor.submit(mixed, number)))
        except RuntimeError:
            assert executor._table.closed is not None
            return
        if chosen.random() < 0.3:
            future = chosen.choice(futures)
            assert future.cancel() in (True, False)
            assert not future.running() or not future.done()


@pytest.mark.parametrize("most", [1, 7, 1000])
@pytest.mark.parametrize("layered", [False, True], ids=["alone", "under others"])
def test_each_future_ends_once_whoever_cancels_it(most: int, layered: bool) -> None:
    counted = Counted()
    executor: Any = Executors.event_loop(most)
    if layered:
        executor = executor.with_map().with_retry(max_attempts=2, sleep=0.0).with_timeout(600.0)
    with executor:
        all_at_once(*[lambda seed=seed: submit_and_cancel(executor, counted, seed) for seed in range(4)])
    counted.assert_each_ended_once()


@pytest.mark.parametrize("cancel_futures", [False, True])
@pytest.mark.parametrize("wait", [False, True])
def test_a_shutdown_in_the_midst_of_it_loses_none(cancel_futures: bool, wait: bool) -> None:
    for seed in range(10):
        counted = Counted()
        executor = Executors.event_loop(7)
        threads = [InThread(submit_and_cancel, executor, counted, seed + n) for n in range(3)]
        while len(counted.futures) < 20 and any(thread.is_alive() for thread in threads):
            threading.Event().wait(0.0001)
        executor.shutdown(wait, cancel_futures=cancel_futures)
        for thread in threads:
            thread.outcome()
        all_ended(counted.futures)
        counted.assert_each_ended_once()


def test_starting_polling_and_cancelling_on_one_loop() -> None:
    async def start(number: int) -> int:
        await asyncio.sleep(0)
        return number

    async def poll(descriptors: list[Any]) -> float:
        await asyncio.sleep(0)
        for descriptor in descriptors[::2]:
            descriptor.yield_result(descriptor.result)
        return 0.0005

    async def cancel(number: int) -> bool:
        await asyncio.sleep(0)
        return number % 2 == 0

    def submit_some(seed: int) -> None:
        chosen = random.Random(seed)
        for number in range(50):
            future = counted.watch(executor.submit(start, number))
            if chosen.random() < 0.3:
                future.cancel()

    counted = Counted()
    with Executors.event_loop(7).with_poll(poll, cancel, batch_size=5, max_concurrency=3) as executor:
        all_at_once(*[lambda seed=seed: submit_some(seed) for seed in range(3)])
    counted.assert_each_ended_once()
