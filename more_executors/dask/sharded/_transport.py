"""Calls of functions on workers, outside of their tasks.

Guarantees:

* What it was given to be called then is called once, or never: who asks keeps a deadline of his own.
* An error that is no OSError says something of the worker: a client that has no scheduler raises anything.
* It goes by Dask's `Client.run`: on the loop of the worker, through the scheduler, so that a client need not reach the
  workers; such a call costs as much as one of an actor, which other ways of Dask's get in the way of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from .._connection import Connection

__all__: list[str] = []

Then: TypeAlias = "Callable[[Any, BaseException | None], object]"  # gets an answer, or why there is none


class Transport:
    """`call` and `look` may be called from any thread; what they call then, is called on that of Dask's loop."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def call(self, address: str, function: Any, *args: Any, seconds: float, then: Then) -> None:
        """Call an `async def` on the worker at `address`, and `then`."""
        client = self.connection.client

        async def call() -> Any:
            answers = await asyncio.wait_for(client._run(function, *args, workers=[address]), seconds)
            return answers[address]

        self._begin(call, then)

    def look(self, seconds: float, then: Then) -> None:
        """Ask the scheduler which workers there are."""
        client = self.connection.client

        async def look() -> Any:
            answer = await asyncio.wait_for(client.scheduler.identity(n_workers=-1), seconds)
            return answer["workers"]

        self._begin(look, then)

    def _begin(self, coroutine: Callable[[], Coroutine[Any, Any, Any]], then: Then) -> None:
        client = self.connection.client

        async def run() -> None:
            try:
                answer = await coroutine()
            except asyncio.TimeoutError as error:  # in Python 3.10 it is another one
                then(None, TimeoutError(*error.args))
            except Exception as error:
                then(None, error if client.status == "running" else without_scheduler(client, error))
            else:
                then(answer, None)

        running = run()
        try:
            asyncio.run_coroutine_threadsafe(running, client.loop.asyncio_loop)
        except Exception as error:  # there is no loop any more
            running.close()
            then(None, without_scheduler(client, error))


def without_scheduler(client: Any, cause: Exception) -> OSError:
    error = ConnectionError(f"the client of Dask is {client.status}")
    error.__cause__ = cause
    return error
