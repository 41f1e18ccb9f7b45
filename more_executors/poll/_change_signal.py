"""How coroutines that wait for a rate limit hear that it was changed."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress

__all__: list[str] = []


class ChangeSignal:
    """Ends the sleep of coroutines, on whichever loops. `set` may be called from any thread; there is no lock."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], None] = {}

    @contextmanager
    def heard(self) -> Generator[asyncio.Future[None]]:
        """For a coroutine: a future that is done from the first `set` on that comes in the block."""
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[changed] = None
        try:
            yield changed
        finally:
            del self._waiting[changed]

    def set(self) -> None:
        """Have those futures be done, soon."""
        for changed in self._waiting.copy():
            with suppress(RuntimeError):  # the loop is closed: nobody waits there
                changed.get_loop().call_soon_threadsafe(end, changed)


def end(changed: asyncio.Future[None]) -> None:
    if not changed.done():
        changed.set_result(None)


async def sleep_unless(changed: asyncio.Future[None], seconds: float) -> None:
    """Sleep for so many seconds, or until `changed` is done."""
    await asyncio.wait([changed], timeout=seconds)
