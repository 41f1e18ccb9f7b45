"""Shut down without waiting, the executor sees its futures through in the background: the end does not wait for it."""

import atexit
import threading

from more_executors import Executors

executor = Executors.sync().with_poll(lambda descriptors: 0.001)
future = executor.submit(int)
executor.shutdown(wait=False)
other = Executors.thread_pool(max_workers=1).with_poll(lambda descriptors: None)


def late():
    assert future.cancelled()
    try:
        other.submit(int)
    except RuntimeError as error:
        assert "after interpreter shutdown" in str(error)
    else:
        raise AssertionError("submit after the end")


atexit.register(late)
assert any(thread.name == "PollExecutor-default" for thread in threading.enumerate())
