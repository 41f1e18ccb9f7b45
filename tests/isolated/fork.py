"""In a forked child the parent's futures are cancelled and its executors dead; a new one works. The parent goes on."""

import os
import sys
import threading
import warnings

from more_executors import Executors

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is what this is about

called = []
go = threading.Event()


def poll(descriptors):
    if go.is_set():
        for descriptor in descriptors:
            descriptor.yield_result("parent's")


executor = Executors.thread_pool(max_workers=1).with_poll(poll)
futures = [executor.submit(int) for _ in range(10)]
for future in futures:
    future.add_done_callback(called.append)
blocked = [executor.submit(go.wait)]

# Another thread holds the condition of one at the fork, as concurrent.futures.wait does for a moment.
held, release = threading.Event(), threading.Event()


def hold():
    with futures[0]._condition:
        held.set()
        release.wait(10)


holder = threading.Thread(target=hold)
holder.start()
assert held.wait(10)

child = os.fork()
if child == 0:
    try:
        assert all(future.cancelled() for future in futures + blocked)
        assert called == [], "callbacks are the parent's to run"
        try:
            executor.submit(int)
        except RuntimeError as error:
            assert "forked" in str(error)
        else:
            raise AssertionError("submit in the child")
        executor.shutdown()
        with Executors.sync().with_poll(lambda ds: [d.yield_result(d.result) for d in ds] and 0) as new:
            assert new.submit(int, 5).result(10) == 5
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(1)
    os._exit(0)

assert os.waitpid(child, 0)[1] == 0
release.set()
holder.join()
assert not any(future.done() for future in futures)
go.set()
executor.notify()
assert {future.result(10) for future in futures + blocked} == {"parent's"}
executor.shutdown()
assert len(called) == 10
