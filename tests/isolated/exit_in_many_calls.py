"""The interpreter ends while poll functions hang on threads, and functions that cancel what is late."""

import threading

from more_executors import Executors

inside = threading.Semaphore(0)


def hang(argument):
    inside.release()
    threading.Event().wait()


executor = Executors.sync().with_poll(hang, hang, max_concurrency=8, batch_size=1)
futures = executor.adopt_many(range(100))
for _ in range(8):
    assert inside.acquire(timeout=10)
late = executor.adopt_many(range(3), timeout=0)
for future in late:
    assert isinstance(future.exception(10), TimeoutError)
assert inside.acquire(timeout=10)
