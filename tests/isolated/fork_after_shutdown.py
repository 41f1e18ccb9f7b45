"""A fork while executors that were shut down see their futures through: the child leaves the delegates alone."""

import os
import sys
import threading
import warnings
from concurrent.futures import Future
from math import inf

from more_executors import MapExecutor, PollExecutor, TimeoutExecutor

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is what this is about


class Delegate:
    def __init__(self):
        self.given = []
        self.down = threading.Event()

    def submit(self, fn, /, *args, **kwargs):
        self.given.append(Future())
        return self.given[-1]

    def shutdown(self, wait=True):
        self.down.set()


delegates = [Delegate() for _ in range(4)]
executors = [
    MapExecutor(delegates[0]),
    MapExecutor(MapExecutor(delegates[1])),
    PollExecutor(delegates[2], lambda descriptors: [d.yield_result(d.result) for d in descriptors] and inf),
    TimeoutExecutor(delegates[3], 3600.0),
]
futures = [executor.submit(int) for executor in executors]
for executor in executors:
    executor.shutdown(wait=False)

child = os.fork()
if child == 0:
    good = all(future.cancelled() for future in futures)
    os._exit(0 if good and not any(delegate.down.is_set() for delegate in delegates) else 1)

assert os.waitpid(child, 0)[1] == 0
assert not any(delegate.down.is_set() for delegate in delegates)
for delegate in delegates:
    delegate.given[0].set_result("done")
assert [future.result(10) for future in futures] == ["done"] * 4
assert all(delegate.down.wait(10) for delegate in delegates)
