"""Running an event loop on this thread until it is stopped, whatever its callbacks raise."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from .._core import log
from .pauses import SECONDS_WITHOUT_MEMORY, pause

__all__: list[str] = []


def is_on_a_loop() -> bool:
    """Whether any event loop runs on this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run_loop(loop: asyncio.AbstractEventLoop, after_error: Callable[[], object]) -> None:
    """Run `loop` on this thread until it is stopped, and close it. After an error, call `after_error` and go on."""
    if loop.is_closed():  # this thread was given up before it began
        return
    asyncio.set_event_loop(loop)
    try:
        while not ran_to_its_end(loop):
            after_error()
        for task in (left := asyncio.all_tasks(loop)):
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        asyncio.set_event_loop(None)
        loop.set_task_factory(None)  # an exception out of a task keeps the loop, but is not to keep more
        loop.set_exception_handler(None)
        del after_error
        loop.close()


def ran_to_its_end(loop: asyncio.AbstractEventLoop) -> bool:
    """Run `loop`; returns False if it raised SystemExit or the like, which asyncio does not catch."""
    try:
        loop.run_forever()
    except BaseException as error:
        log(logging.getLogger(__name__), logging.ERROR, "%r out of a coroutine; the loop goes on", error, error=error)
        leave_loop()
        return False
    return True


def leave_loop() -> None:
    """Have no loop marked as running on this thread. One that ended for a lack of memory may have left its mark."""
    while True:
        try:
            asyncio._set_running_loop(None)
            return
        except MemoryError:
            pause(SECONDS_WITHOUT_MEMORY)
