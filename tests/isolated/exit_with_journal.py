"""What is outstanding when the interpreter ends, or in a forked child, stays on record, whichever way it is polled."""

import os
import subprocess
import sys
import tempfile
import threading
import warnings

from more_executors import PollExecutor, SyncExecutor
from more_executors.journal import Journal

warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads


def poll(descriptors):
    return 3600


def leave(path):
    polled = [threading.Event() for _ in range(3)]

    def first(descriptors):
        polled[0].set()
        return 3600

    def second(descriptors):
        polled[1].set()
        return 3600

    async def third(descriptors):
        polled[2].set()
        return 3600

    executors = [
        PollExecutor(SyncExecutor(), first, journal=Journal(path + "1")),
        PollExecutor(SyncExecutor(), second, journal=Journal(path + "2"), max_concurrency=2),
        PollExecutor(SyncExecutor(), third, journal=Journal(path + "3")),
    ]
    futures = []
    for executor in executors:
        futures.append(executor.adopt_many(range(1000)))
        futures[-1][0].cancel()
    # Nobody starts a thread any more: without the GIL, Python 3.13 itself hangs in a child that was forked just when
    # another thread was starting the ninth.
    assert all(event.wait(30) for event in polled)
    if hasattr(os, "fork"):
        child = os.fork()
        if child == 0:
            assert all(future.cancelled() for some in futures for future in some)
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0
    for executor in executors:
        assert len(executor.outstanding()) == 999
    sys.modules["__main__"].kept = executors, futures


def check(path):
    for n in "123":
        with Journal(path + n) as journal, PollExecutor(SyncExecutor(), poll, journal=journal) as executor:
            resumed = executor.resume()
            assert [result for result, _ in resumed] == list(range(1, 1000)), len(resumed)
            for _, future in resumed[1:]:
                assert future.cancel()
            resumed[0][1].set_result(None)
        with Journal(path + n) as journal:
            assert len(journal) == 0


if len(sys.argv) > 1:
    leave(sys.argv[1])
else:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tasks")
        subprocess.run([sys.executable, "-W", "error", __file__, path], check=True, timeout=60)
        check(path)
