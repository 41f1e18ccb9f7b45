"""A forked child of a process that polls with a journal cancels its copies of the futures, and records nothing."""

import os
import sys
import tempfile
import warnings

from more_executors import Executors
from more_executors.journal import Journal

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads

folder = tempfile.TemporaryDirectory()
journal = Journal(os.path.join(folder.name, "tasks.db"))
executor = Executors.sync().with_poll(lambda descriptors: float("inf"), journal=journal)
futures = [executor.submit(int, key) for key in range(10)]

child = os.fork()
if child == 0:
    folder._finalizer.detach()
    assert all(future.cancelled() for future in futures)
    try:
        executor.submit(int)
    except RuntimeError as error:
        assert "forked" in str(error)
    assert executor.flush_journal() is False
    executor.shutdown()
    sys.exit()

assert os.waitpid(child, 0)[1] == 0
assert futures[3].cancel()
assert executor.flush_journal(10)
assert [value for _, value in journal.outstanding()] == [0, 1, 2, 4, 5, 6, 7, 8, 9]
assert os.path.getsize(f"{folder.name}/tasks.db-wal")
executor.shutdown(cancel_futures=True)
assert len(journal) == 0
journal.close()
folder.cleanup()
