"""Threads wait in line, in `submit`, as the interpreter ends: those that are no daemons are told, and can end."""

import threading
from concurrent.futures import Future

from more_executors import Executors, ThrottleExecutor


class Never:
    """A delegate that never completes a future."""

    def __init__(self):
        self.futures = []

    def submit(self, fn, /, *args, **kwargs):
        self.futures.append(Future())
        return self.futures[-1]

    def shutdown(self, wait=True):
        pass


looks = threading.Semaphore(0)


def count():
    if threading.current_thread().name == "submits":
        looks.release()
    return 1


executors = [ThrottleExecutor(Never(), count, block=True) for _ in range(2)]
futures = [executor.submit(int) for executor in executors for _ in range(2)]


def submit(executor):
    try:
        executor.submit(int)
    except RuntimeError as error:
        assert "cannot schedule new futures after interpreter shutdown" in str(error)
        return
    raise AssertionError("there was room")


for daemon in (False, True, False):
    for executor in executors:
        threading.Thread(target=submit, args=(executor,), daemon=daemon, name="submits").start()
for _ in range(6):
    assert looks.acquire(timeout=10)

# A thread of a pool, which the end of the interpreter waits for, submits to what it came through.
own = Executors.thread_pool(1).with_throttle(1, block=True)
full = threading.Event()
started = threading.Event()


def submit_twice():
    started.set()
    assert full.wait(10)
    submit(own)


own.submit(submit_twice)
assert started.wait(10)
queued = own.submit(int)
full.set()
