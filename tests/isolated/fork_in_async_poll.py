"""A process forks while coroutines poll for it: its own go on, and the child can have some of its own."""

import asyncio
import gc
import os
import sys
import threading
import warnings

from more_executors import PollExecutor, SyncExecutor

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads
begun, go_on = threading.Event(), []


async def poll(descriptors):
    for descriptor in descriptors:
        if descriptor.result == "waits":
            go_on.append((asyncio.get_running_loop(), event := asyncio.Event()))
            begun.set()
            await event.wait()
        descriptor.yield_result(descriptor.result)


async def agree(result):
    return True


def new_executor():
    return PollExecutor(SyncExecutor(), poll, agree, max_concurrency=4, batch_size=1, min_interval=0)


def use_and_end(executor):
    assert executor.submit(str, "a").result(10) == "a"
    executor.shutdown()


def child_that_drops_it():
    global executor, waiting
    assert waiting.cancelled()
    try:
        executor.adopt("b")
    except RuntimeError as error:
        assert "forked" in str(error)
    else:
        raise AssertionError("taken")
    executor.shutdown()
    go_on.clear()
    del executor, waiting
    gc.collect()
    use_and_end(new_executor())


def child_that_keeps_it():
    assert waiting.cancel()


executor = new_executor()
assert executor.submit(str, "a").result(10) == "a"
waiting = executor.submit(str, "waits")
assert begun.wait(10)
for in_child in (child_that_drops_it, child_that_keeps_it):
    child = os.fork()
    if child == 0:
        in_child()
        sys.exit()
    assert os.waitpid(child, 0)[1] == 0
    assert executor.submit(str, "b").result(10) == "b"
    assert executor.submit(str, "c").cancel() in (True, False)
loop, event = go_on.pop()
loop.call_soon_threadsafe(event.set)
assert waiting.result(10) == "waits"
executor.shutdown()
