"""In a forked child, a future is cancelled although another thread held a lock of who waits for it."""

import os
import threading
import warnings
from concurrent.futures import as_completed

from more_executors import Executors

warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point
if hasattr(os, "fork"):
    executor = Executors.sync().with_poll(lambda descriptors: None)
    future = executor.submit(int)
    waiting = threading.Thread(target=lambda: list(as_completed([future])), daemon=True)
    waiting.start()
    while not list(future._waiters):
        pass
    (waiter,) = future._waiters
    with waiter.lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if future.cancelled() else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
