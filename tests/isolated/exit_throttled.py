"""The interpreter ends with calls queued in throttles, with the delegate and timed: it neither waits nor prints."""

import atexit
import threading
from concurrent.futures import Future

from more_executors import CancelOnShutdownExecutor, ThrottleExecutor, TimeoutExecutor


class Never:
    """A delegate that holds its futures and never completes one."""

    def __init__(self):
        self.futures = []
        self.submitted = threading.Semaphore(0)

    def submit(self, fn, /, *args, **kwargs):
        self.futures.append(Future())
        self.submitted.release()
        return self.futures[-1]

    def shutdown(self, wait=True):
        pass


delegate = Never()
executors = [
    ThrottleExecutor(delegate, 1),
    ThrottleExecutor(delegate, lambda: 1),
    ThrottleExecutor(delegate, 0),
    ThrottleExecutor(delegate, 1),
    TimeoutExecutor(delegate, 3600.0),
    TimeoutExecutor(delegate, 3600.0),
    CancelOnShutdownExecutor(delegate),
]
futures = [executor.submit(int) for executor in executors for _ in range(100)]
executors[3].shutdown(wait=False)
executors[5].shutdown(wait=False)
for _ in range(3 + 300):
    assert delegate.submitted.acquire(timeout=10)
assert not any(future.done() for future in futures)


def late():
    assert all(future.cancelled() for future in futures)
    for executor in executors:
        try:
            executor.submit(int)
        except RuntimeError as error:
            assert "shutdown" in str(error)
        else:
            raise AssertionError("submit after the end")
    try:
        ThrottleExecutor(delegate, 1)
    except RuntimeError:
        return
    raise AssertionError("made after the end")


atexit.register(late)
