"""A process forks while a thread is making an event loop, or a thread, for an executor: the child does not hang."""

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
make, start = asyncio.new_event_loop, threading.Thread.start
inside, go_on = threading.Semaphore(0), threading.Event()


def hold():
    inside.release()
    assert go_on.wait(10)


def make_later():
    hold()
    return make()


def start_later(thread):
    if thread.name.endswith("-threads-1"):
        hold()
    start(thread)


async def poll_async(descriptors):
    poll(descriptors)


def poll(descriptors):
    for descriptor in descriptors:
        descriptor.yield_result("polled")


asyncio.new_event_loop, threading.Thread.start = make_later, start_later
executors = [
    PollExecutor(SyncExecutor(), poll_async, name="loop"),
    PollExecutor(SyncExecutor(), poll, max_concurrency=2, name="threads"),
]
futures = [executor.submit(str) for executor in executors]
for _ in executors:
    assert inside.acquire(timeout=10)
child = os.fork()
if child == 0:
    assert all(future.cancelled() for future in futures)
    del executors, futures
    gc.collect()
    sys.exit()
go_on.set()
assert os.waitpid(child, 0)[1] == 0
for executor, future in zip(executors, futures, strict=True):
    assert future.result(10) == "polled"
    executor.shutdown()
