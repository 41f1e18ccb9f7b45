"""How the tests of asyncio futures run a loop, and what they await there."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Coroutine
from concurrent.futures import Future
from typing import Any

import pytest
from support import PATIENCE

from more_executors import _core


def in_loop(main: Coroutine[Any, Any, Any], debug: bool = False) -> Any:
    """Run `main` in an event loop. Fails if the loop meets an error, or if it takes too long."""
    errors: list[dict[str, Any]] = []

    async def guarded() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: errors.append(context))
        return await asyncio.wait_for(main, PATIENCE)

    result = asyncio.run(guarded(), debug=debug)
    gc.collect()
    assert not errors
    return result


async def awaited(awaitable: Awaitable[Any]) -> Any:
    """What awaiting it gives, or the type of what that raises."""
    try:
        return await awaitable
    except (Exception, asyncio.CancelledError) as error:
        return type(error)


async def turns(count: int = 3) -> None:
    """Let the loop do what it has to."""
    for _ in range(count):
        await asyncio.sleep(0)


future_types = pytest.mark.parametrize("future_type", [Future, _core.Future], ids=["standard", "ours"])
