"""The interpreter ends with tasks outstanding: they stay on record, all of them, and those that ended do not."""

import os
import subprocess
import sys
import tempfile

from more_executors import Executors
from more_executors.journal import Journal


def resolve_odd(descriptors):
    for descriptor in descriptors:
        if descriptor.result % 2:
            descriptor.yield_result(None)
    return float("inf")


def leave(path):
    executor = Executors.sync().with_poll(resolve_odd, journal=Journal(path))
    futures = [executor.submit(int, key) for key in range(1000)]
    for future in futures[1::2]:
        future.result(10)
    return executor, futures


if len(sys.argv) > 1:
    kept = leave(sys.argv[1])  # nothing is flushed, closed or shut down
else:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tasks.db")
        ended = subprocess.run([sys.executable, *sys.orig_argv[1:], path], capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", ""), ended
        assert os.listdir(folder) == ["tasks.db"], "not closed"
        with Journal(path) as journal:
            assert [value for _, value in journal.outstanding()] == list(range(0, 1000, 2))
