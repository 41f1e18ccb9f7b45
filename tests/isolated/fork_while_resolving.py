"""A child may be forked while threads use a table of many tasks: there, all futures are done. Here none is lost."""

import os
import sys
import threading
import warnings

from more_executors import Executors

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is what this is about

MANY = 20_500  # so many that they leave the table some at a time where there is no GIL
FEW = 100
LOOKS = 1000
FORKS = 12

calls = []
called = threading.Event()


def poll(descriptors):
    calls.append(descriptors)
    called.set()
    return 3600.0


def resolve(descriptors):
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


def look(at):
    """Threads that do so wait for each other. Where there is no GIL, one that has waited for long is given the table,
    also once all have been stopped for a fork."""
    for _ in range(LOOKS):
        at()


def check_child():
    assert all(future.done() for future in futures)
    assert not any(future.cancelled() for future in futures[:FEW])
    executor.shutdown()
    if not threads:
        assert executor.outstanding() == []
        assert executor.stats().outstanding == 0


executor = Executors.sync().with_poll(poll)
table = executor._poll_table
futures = executor.adopt_many(range(MANY))
while not (calls and len(calls[-1]) == MANY):  # it may be called with the first of them
    executor.notify()
    assert called.wait(100)
    called.clear()
descriptors = calls[-1]
resolve(descriptors[:FEW])  # some of which are not out of the table yet
threads = []
for number in range(FORKS):
    child = os.fork()
    if child == 0:
        try:
            check_child()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    if number == 0:  # that one had tasks in one box only
        threads = [threading.Thread(target=look, args=(at,)) for at in (table.take_all, lambda: table.closed)]
        threads += [threading.Thread(target=resolve, args=(descriptors[start::2],)) for start in range(2)]
        for thread in threads:
            thread.start()
for thread in threads:
    thread.join()
assert [future.result(0) for future in futures] == list(range(MANY))
executor.shutdown()
assert executor.stats().outstanding == 0
