"""The interpreter ends while coroutines poll, and cancel: all futures are cancelled, and none has failed."""

import asyncio
import atexit
import threading

from more_executors import Executors

COUNT = 5000
begun = threading.Semaphore(0)


async def poll(descriptors):
    begun.release()
    await asyncio.Event().wait()


async def cancel(result):
    begun.release()
    await asyncio.Event().wait()


async def stubborn(descriptors):
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


executors = [
    Executors.sync().with_poll(poll, max_concurrency=10, batch_size=COUNT // 10),
    Executors.sync().with_poll(stubborn),
    Executors.sync().with_poll(lambda descriptors: None, cancel),
]
futures = [future for executor in executors for future in executor.adopt_many(range(COUNT))]
for _ in range(11):
    assert begun.acquire(timeout=10)
cancelling = threading.Thread(target=futures[-1].cancel)
cancelling.start()
assert begun.acquire(timeout=10)
atexit.register(check)
