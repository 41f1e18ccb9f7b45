"""The interpreter ends with asyncio futures that nobody completed, their loops closed or not: nothing is printed."""

import asyncio
import threading

from more_executors import Executors

asked = threading.Event()
executor = Executors.sync().with_poll(lambda descriptors: asked.set()).with_asyncio()


async def main():
    return [executor.submit(int) for _ in range(10)]


closed = asyncio.run(main())
loop = asyncio.new_event_loop()
opened = [executor.submit_with_loop(loop, int) for _ in range(10)]
assert asked.wait(10)
assert not any(future.done() for future in closed + opened)


def run_other_loop():
    """No daemon: at the end, what it awaits is cancelled."""

    async def awaiting():
        future = executor.submit(int)
        running.set()
        try:
            await future
        except asyncio.CancelledError:
            return
        raise AssertionError("not cancelled")

    asyncio.run(awaiting())


running = threading.Event()
thread = threading.Thread(target=run_other_loop)
thread.start()
assert running.wait(10)
# Only what is reachable warns of being left open.
loop.close()
