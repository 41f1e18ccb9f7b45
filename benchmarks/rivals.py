"""What one would write without this library to wait for many remote tasks, at its cheapest."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future


def live_in_a_dict(count: int) -> list[Future[int]]:
    """Stdlib futures by task id: join `count`, list them once in vain, then list and resolve them all."""
    outstanding: dict[int, Future[int]] = {}
    futures = []
    for key in range(count):
        future = outstanding[key] = Future()
        futures.append(future)
    list(outstanding.items())
    for key, future in list(outstanding.items()):
        del outstanding[key]
        future.set_result(key)
    return futures


class Operations:
    """Remote operations, each awaited by an asyncio task that asks again and again whether it is finished."""

    finished = False

    async def wait_for(self, key: int) -> int:
        while not self.finished:
            await asyncio.sleep(0)  # a real pause would cost a timer on top
        return key

    async def live(self, count: int) -> list[asyncio.Task[int]]:
        """Start `count`, let each ask once in vain, then let each find out that it is finished."""
        tasks = [asyncio.create_task(self.wait_for(key)) for key in range(count)]
        await asyncio.sleep(0)
        self.finished = True
        for task in tasks:
            await task
        return tasks


def live_in_asyncio_tasks(count: int) -> list[asyncio.Task[int]]:
    return asyncio.run(Operations().live(count))
