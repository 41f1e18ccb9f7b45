"""In a forked child the parent's f_timeout futures are cancelled, and f_timeout works anew. The parent goes on."""

import os
import sys
import threading
import warnings
from concurrent.futures import Future, wait

from more_executors import f_map, f_timeout, f_zip

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is what this is about

called = []
inputs = [Future() for _ in range(10)]
futures = [f_timeout(source, 3600) for source in inputs]
futures.append(f_map(f_zip(*futures)))
for future in futures:
    future.add_done_callback(called.append)

child = os.fork()
if child == 0:
    try:
        assert all(future.cancelled() for future in futures)
        assert called == [], "callbacks are the parent's to run"
        early, late = f_timeout(Future(), 0), f_timeout(source := Future(), 3600)
        wait([early], 10)
        assert early.cancelled()
        source.set_result(5)
        assert late.result(10) == 5
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(1)
    os._exit(0)

assert os.waitpid(child, 0)[1] == 0
assert not any(future.done() for future in futures)
for source in inputs:
    source.set_result("parent's")
assert all(future.result(10) == "parent's" for future in futures[:-1])
assert len(futures[-1].result(10)) == 10
assert len(called) == 11
for _ in range(100):
    if threading.active_count() == 1:
        break
    threading.Event().wait(0.1)
else:
    raise AssertionError("the thread does not end")
