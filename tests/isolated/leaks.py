"""A hundred thousand tasks in rounds: objects and memory are back to where they were.

Ten rounds of ten thousand; then more of them, ten at the most, until one leaves no more than the one before.
"""

import concurrent.futures
import gc
import sys
import tracemalloc
from collections import Counter

from more_executors import Executors

TASKS = 10_000


def poll(descriptors):
    for number, descriptor in enumerate(descriptors):
        if number % 3 == 0:
            descriptor.yield_exception(ValueError)
        elif number % 3 == 1:
            descriptor.yield_result(descriptor.result)
    return 0.001


def one_round():
    for base in (Executors.sync, lambda: Executors.thread_pool(max_workers=2)):
        with base().with_poll(poll, cancel_fn=lambda result: result % 2 == 0) as executor:
            futures = [executor.submit(int, number) for number in range(TASKS // 2)]
            for future in futures[::7]:
                future.add_done_callback(lambda future: None)
                future.cancel()
            concurrent.futures.wait(futures)


def left():
    for _ in range(3):
        gc.collect()
    kinds = Counter(type(thing).__name__ for thing in gc.get_objects())
    ours = {
        name: kinds[name] for name in ("Future", "PollDescriptor", "FullListTable", "PollExecutor", "Waker", "Thread")
    }
    return ours, len(gc.get_objects()), tracemalloc.get_traced_memory()[0]


tracemalloc.start()
for _ in range(10):
    one_round()
before = left()
for _ in range(10):
    one_round()
    after = left()
    if after[0] == before[0] and after[1] <= before[1] and after[2] <= before[2] + 10_000:
        break
    before = after
else:
    sys.exit(f"grows: {before} -> {after}")
assert not any(after[0][name] for name in ("Future", "PollDescriptor", "FullListTable", "PollExecutor")), after
