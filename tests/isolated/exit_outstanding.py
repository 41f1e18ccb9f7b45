"""The interpreter ends with futures outstanding, polled and with the delegate: it neither waits nor prints."""

import threading
from concurrent.futures import Future

from more_executors import Executors

started = threading.Event()


class Never:
    """A delegate that holds its futures and never completes one."""

    def __init__(self):
        self.futures = []

    def submit(self, fn, /, *args, **kwargs):
        self.futures.append(Future())
        return self.futures[-1]

    def shutdown(self, wait=True):
        pass


polled = Executors.sync().with_poll(lambda descriptors: started.set())
with_delegate = Executors.with_poll(Never(), lambda descriptors: None)
futures = [executor.submit(int) for executor in (polled, with_delegate) for _ in range(1000)]
futures[0].add_done_callback(lambda future: None)
assert started.wait(10)
assert not any(future.done() for future in futures)
