"""What ties a child process to the one that has started it: a line it says, and the end of its input."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from contextlib import suppress
from typing import Any


def tell(news: dict[str, Any]) -> None:
    """Say so to whoever started this process."""
    # They may be gone already; then the input has ended, too.
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{json.dumps(news)}\n".encode())


async def end_of_input() -> None:
    """Return when they have ended, however that happened, or want this process to end."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def read() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        loop.call_soon_threadsafe(ended.set)

    # A thread, because asyncio cannot read a pipe on every platform, let alone a file.
    threading.Thread(target=read, daemon=True).start()
    await ended.wait()
