"""A worker of a pool waits for a future that nobody resolves: at the end it is told before the pool waits for it."""

import threading

from more_executors import Executors

pool = Executors.thread_pool(max_workers=1)
executor = Executors.sync().with_poll(lambda descriptors: None)
future = executor.submit(int)
waiting = threading.Event()


def wait():
    waiting.set()
    future.exception()


pool.submit(wait)
assert waiting.wait(10)
