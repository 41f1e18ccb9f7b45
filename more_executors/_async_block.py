"""`async with` an executor: the block ends when the executor has shut down, and blocks no event loop meanwhile.

Guarantees:

* The coroutine waits for `shutdown`, which a thread calls: the loop does other things.
* If it is cancelled meanwhile, by a Ctrl-C say, it ends at once, and the shutdown goes on in the background.
* A coroutine that the executor itself waits for does not wait for the executor.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

__all__: list[str] = []


class AsyncBlock:
    """A base of executors, for `async with`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        executor: Any = self
        try:
            if self._would_wait_for_itself():
                executor.__exit__(kind, error, trace)  # which does not wait here
            else:
                await left_on_a_thread(executor, kind, error, trace)
        finally:
            del self, executor, error, trace  # see _frames

    def _would_wait_for_itself(self) -> bool:
        """Whether futures of this executor wait for the thread that asks."""
        return False


def left_on_a_thread(executor: Any, *error: Any) -> asyncio.Future[None]:
    """Have a thread call `executor.__exit__(*error)`; returns what to await until that has returned, or raised."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def leave() -> None:
        outcome: BaseException | None = None
        try:
            executor.__exit__(*error)
        except BaseException as fault:
            outcome = fault
        with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(end, ended, outcome)

    try:
        Thread(target=leave, name=f"{type(executor).__name__}-aexit", daemon=True).start()
    except BaseException:
        executor.shutdown(wait=False)
        raise
    return ended


def end(ended: asyncio.Future[None], outcome: BaseException | None) -> None:
    if ended.done():  # it has been cancelled
        return
    if outcome is None:
        ended.set_result(None)
    else:
        ended.set_exception(outcome)
