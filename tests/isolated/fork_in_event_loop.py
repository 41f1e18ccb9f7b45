"""A process forks while coroutines go on: its own do so, and the child can have some of its own."""

import asyncio
import gc
import os
import sys
import threading
import warnings

from more_executors import Executors

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads
begun, go_on, parent = threading.Event(), [], os.getpid()


async def wait():
    go_on.append((asyncio.get_running_loop(), event := asyncio.Event()))
    begun.set()
    await event.wait()
    return "waited"


async def give(value):
    return value


async def closed():
    assert os.getpid() == parent


def use_and_end(executor):
    assert executor.submit(give, "a").result(10) == "a"
    executor.shutdown()


def child_that_drops_it():
    global executor, waiting
    assert all(future.cancelled() for future in waiting)
    try:
        executor.submit(give, "b")
    except RuntimeError as error:
        assert "forked" in str(error)
    else:
        raise AssertionError("taken")
    executor.shutdown()
    go_on.clear()
    del executor, waiting
    gc.collect()
    use_and_end(Executors.event_loop())


def child_that_keeps_it():
    assert waiting[0].cancel()
    use_and_end(Executors.event_loop())


executor = Executors.event_loop(1, close_fn=closed)
waiting = [executor.submit(wait), executor.submit(give, "b")]
assert begun.wait(10)
for in_child in (child_that_drops_it, child_that_keeps_it):
    child = os.fork()
    if child == 0:
        in_child()
        sys.exit()
    assert os.waitpid(child, 0)[1] == 0
loop, event = go_on.pop()
loop.call_soon_threadsafe(event.set)
assert [future.result(10) for future in waiting] == ["waited", "b"]
executor.shutdown()
