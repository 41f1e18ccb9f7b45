"""A Ctrl-C in an `async with`: what is awaited is cancelled, and the program goes on when the executor has ended.

Another one, while it waits for what goes on, ends the wait.
"""

import asyncio
import signal
import sys
import threading

from more_executors import Executors

if not hasattr(signal, "pthread_kill"):
    sys.exit()


class Interrupting(threading.Thread):
    """Sends a Ctrl-C to the main thread when `event` is set."""

    def __init__(self, event):
        super().__init__()
        self.event = event
        self.start()

    def run(self):
        assert self.event.wait(10)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def interrupted(main):
    try:
        asyncio.run(main)
    except KeyboardInterrupt:
        return
    raise AssertionError("not interrupted")


async def tick():
    """Have the loop wake now and then: a signal that comes just before it falls asleep does not wake it."""
    while True:
        await asyncio.sleep(0.01)


async def start():
    begun.set()
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("the coroutine")


async def await_it():
    ticking.append(asyncio.ensure_future(tick()))
    async with Executors.event_loop(name="first").with_asyncio() as executor:
        futures.append(executor.submit(start))
        await asyncio.get_running_loop().run_in_executor(None, begun.wait)
        asyncio.get_running_loop().call_soon(awaited.set)  # when this waits
        await futures[0]


begun, awaited, ended, futures, ticking = threading.Event(), threading.Event(), [], [], []
interrupting = Interrupting(awaited)
interrupted(await_it())
interrupting.join()
assert ended == ["the coroutine"]
assert futures[0].cancelled()
assert not [thread for thread in threading.enumerate() if "EventLoop" in thread.name]


def wait_in_the_pool():
    begun.set()
    assert go_on.wait(10)


async def wait_for_the_pool():
    ticking.append(asyncio.ensure_future(tick()))
    async with executor:
        executor.submit(wait_in_the_pool)
        await asyncio.get_running_loop().run_in_executor(None, begun.wait)


def interrupt_twice():
    assert begun.wait(10)
    while executor._table.closed is None:
        pass
    for _ in range(2):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


begun, go_on = threading.Event(), threading.Event()
executor = Executors.thread_pool(1).with_map()
interrupting = threading.Thread(target=interrupt_twice)
interrupting.start()
interrupted(wait_for_the_pool())
go_on.set()
interrupting.join()
