"""The interpreter ends with calls between attempts, before their first, and with a delegate that fails just then."""

import atexit
import threading
from concurrent.futures import CancelledError, Future

from more_executors import Executors, RetryPolicy

asked = threading.Semaphore(0)
at_the_end = threading.Event()


class Patient(RetryPolicy):
    def should_retry(self, attempt, future):
        asked.release()
        return True

    def sleep_time(self, attempt, future):
        return 3600


class Never:
    """A delegate that completes nothing, and does not return from submit when it is full."""

    def __init__(self):
        self.futures = []
        self.full = threading.Event()

    def submit(self, fn, /, *args, **kwargs):
        if len(self.futures) == 3:
            self.full.set()
            threading.Event().wait()
        self.futures.append(Future())
        return self.futures[-1]

    def shutdown(self, wait=True):
        pass


def fail():
    raise ValueError


def fail_at_the_end():
    at_the_end.wait(10)
    raise ValueError


def wait_for(future):
    waiting.release()
    try:
        future.result()
    except CancelledError:
        at_the_end.set()
        return
    raise AssertionError("not cancelled")


between = Executors.thread_pool(max_workers=2).with_retry(Patient())
futures = [between.submit(fail) for _ in range(10)]
for _ in futures:
    assert asked.acquire(timeout=10)
never = Never()
with_delegate = Executors.with_retry(never, Patient())
futures += [with_delegate.submit(int) for _ in range(5)]
assert never.full.wait(10)
draining = Executors.sync().with_retry(Patient())
futures.append(draining.submit(fail))
assert asked.acquire(timeout=10)
draining.shutdown(wait=False)

mapped = between.with_flat_map(lambda _: Future()).with_map(str)
futures.append(mapped.submit(fail))
assert asked.acquire(timeout=10)
failing = Executors.thread_pool(max_workers=1).with_retry(Patient())
last = failing.submit(fail_at_the_end)
assert not any(future.done() for future in futures)

waiting = threading.Semaphore(0)
threading.Thread(target=wait_for, args=(futures[0],)).start()  # no daemon: the end waits for it
assert waiting.acquire(timeout=10)


def late():
    assert all(future.cancelled() for future in futures), futures
    assert last.done()
    for executor in (between, with_delegate, failing, mapped):
        try:
            executor.submit(int)
        except RuntimeError as error:
            assert "after interpreter shutdown" in str(error), error
        else:
            raise AssertionError("submit after the end")


atexit.register(late)
