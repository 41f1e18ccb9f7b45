"""The interpreter ends while coroutines start tasks: all futures are cancelled, and those that wait never begin."""

import asyncio
import atexit
import threading

from more_executors import Executors

begun = threading.Semaphore(0)


async def wait():
    begun.release()
    await asyncio.Event().wait()


async def stubborn():
    begun.release()
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0.001)


def check():
    cancelling.join(10)
    assert not cancelling.is_alive()
    assert all(future.cancelled() for future in futures)


executors = [Executors.event_loop(10), Executors.event_loop(10).with_retry().with_poll(lambda descriptors: None)]
futures = [executor.submit(fn) for executor in executors for fn in [wait, stubborn] * 50]
for _ in range(20):
    assert begun.acquire(timeout=10)
cancelling = threading.Thread(target=futures[1].cancel)
cancelling.start()
atexit.register(check)
