"""Many threads report of the same tasks while others end them: the counts are those of what is left."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import Any

import pytest
from paced_support import in_both_modes, paced
from support import PATIENCE, InThread

STATES = ["queued", "running", "stopping", *(f"step {number}" for number in range(20))]
TASKS = 2000


@pytest.mark.stress
@pytest.mark.usefixtures("threads_taking_turns")
@in_both_modes
@pytest.mark.parametrize("cancel_fn", [None, bool], ids=["cancelled", "asked"])
def test_the_books_balance(mode: dict[str, Any], cancel_fn: Any) -> None:
    descriptors: dict[int, Any] = {}
    there = threading.Event()

    def poll(given: list[Any]) -> float:
        descriptors.update({descriptor.result: descriptor for descriptor in given})
        if len(descriptors) == TASKS:
            there.set()
        return 60.0

    def report(seed: int) -> None:
        numbers = random.Random(seed)
        for _ in range(4 * TASKS):
            descriptor = descriptors[numbers.randrange(1, TASKS + 1)]
            descriptor.report(numbers.choice([None, *STATES]), numbers.choice([None, numbers.random()]))

    def end(seed: int) -> None:
        numbers = random.Random(seed)
        for _ in range(TASKS):
            number = numbers.randrange(1, TASKS + 1)
            if numbers.random() < 0.5:
                descriptors[number].yield_result()
            else:
                futures[number - 1].cancel()

    with paced(poll, cancel_fn=cancel_fn, **mode) as executor:
        futures = executor.adopt_many(range(1, TASKS + 1))
        assert there.wait(PATIENCE)
        threads = [InThread(report, seed) for seed in range(3)] + [InThread(end, seed) for seed in (3, 4)]
        for thread in threads:
            thread.outcome()
        left = Counter(task.state for task in executor.outstanding() if task.state is not None)
        assert 0 < left.total() < TASKS
        assert executor.stats().states == left
        InThread(end, 5).outcome()
        for descriptor in descriptors.values():
            descriptor.yield_result()
        assert executor.stats().states == {}
        report(6)
        assert executor.stats().states == {}
        descriptors.clear()
