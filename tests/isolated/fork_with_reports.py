"""In a forked child no task is in any state that was reported; in the parent all are as before."""

import os
import sys
import threading
import warnings

from more_executors import Executors

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is what this is about

reported = threading.Event()


def poll(descriptors):
    for descriptor in descriptors:
        descriptor.report("running", 0.5)
        reported.set()
    return 60


executors = [Executors.sync().with_poll(poll, **options) for options in ({}, {"batch_size": 10})]
for executor in executors:
    reported.clear()
    future = executor.adopt("a")
    assert reported.wait(10)
    child = os.fork()
    if child == 0:
        try:
            assert future.cancelled()
            assert executor.stats().states == {}, executor.stats()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert executor.stats().states == {"running": 1}
    assert future.cancel()
    executor.shutdown()
