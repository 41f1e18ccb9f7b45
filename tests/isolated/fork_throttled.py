"""A fork with calls queued, timed and threads in line: the child's are cancelled, the parent's go on."""

import os
import sys
import threading
import warnings

from more_executors import Executors

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is what this is about

go = threading.Event()
started = threading.Event()


def hold(number):
    started.set()
    assert go.wait(10)
    return number


looks = threading.Semaphore(0)


def count():
    if threading.current_thread().name == "submits":
        looks.release()
    return 1


pool = Executors.thread_pool(max_workers=1)
throttle = pool.with_throttle(1)
timed = pool.with_timeout(3600.0)
cancelling = pool.with_cancel_on_shutdown()
blocking = pool.with_throttle(count, block=True)
executors = [throttle, timed, cancelling]
futures = [executor.submit(hold, number) for executor in executors for number in range(5)]
futures += [blocking.submit(hold, number) for number in range(2)]
called = []
for future in futures:
    future.add_done_callback(called.append)
assert started.wait(10)

in_line = []
line = [threading.Thread(target=lambda: in_line.append(blocking.submit(hold, 2)), name="submits") for _ in range(3)]
for thread in line:
    thread.start()
for _ in line:
    assert looks.acquire(timeout=10)

child = os.fork()
if child == 0:
    try:
        assert all(future.cancelled() for future in futures)
        assert called == [], "callbacks are the parent's to run"
        for executor in [*executors, blocking]:
            try:
                executor.submit(int)
            except RuntimeError as error:
                assert "forked" in str(error)
            else:
                raise AssertionError("submit in the child")
        for executor in [throttle, timed, cancelling, blocking]:
            executor.shutdown(wait=False)
        with Executors.sync().with_throttle(1, block=True).with_timeout(60).with_cancel_on_shutdown() as new:
            assert new.submit(int, 5).result(10) == 5
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(1)
    os._exit(0)

assert os.waitpid(child, 0)[1] == 0
assert not any(future.done() for future in futures)
go.set()
assert [future.result(10) for future in futures] == [*range(5)] * 3 + [0, 1]
for thread in line:
    thread.join(10)
assert [future.result(10) for future in in_line] == [2, 2, 2]
blocking.shutdown()
assert len(called) == 17
