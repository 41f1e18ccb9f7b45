"""What calls of workers raise when the client of Dask has no scheduler."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("distributed")

from support import PATIENCE

from more_executors.dask.sharded._transport import Transport


class FakeClient:
    """A client of Dask whose calls fail; its status is another one when they have."""

    scheduler = None

    def __init__(self, loop: Any, status: str) -> None:
        self.loop = SimpleNamespace(asyncio_loop=loop)
        self.status = "running"
        self._then = status

    async def _run(self, *args: Any, **kwargs: Any) -> Any:
        self.status = self._then
        return self.scheduler.broadcast()  # type: ignore[attr-defined]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)
    loop.close()


def error_of_call(client: FakeClient) -> BaseException:
    found: Future[BaseException] = Future()
    transport = Transport(SimpleNamespace(client=client))  # type: ignore[arg-type]
    transport.call("worker", print, seconds=PATIENCE, then=lambda _, error: found.set_result(error))
    return found.result(PATIENCE)


@pytest.mark.parametrize("status", ["connecting", "closed"])
def test_what_a_client_raises_without_a_scheduler_says_nothing_of_the_worker(status: str, loop: Any) -> None:
    error = error_of_call(FakeClient(loop, status))
    assert isinstance(error, OSError)
    assert isinstance(error.__cause__, AttributeError)
    assert str(error) == f"the client of Dask is {status}"


def test_what_is_raised_with_one_is_as_it_is(loop: Any) -> None:
    assert isinstance(error_of_call(FakeClient(loop, "running")), AttributeError)


def test_a_loop_that_is_closed_says_nothing_of_the_worker() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    error = error_of_call(FakeClient(loop, "closed"))
    assert isinstance(error, OSError)
    assert isinstance(error.__cause__, RuntimeError)
