"""A client of Dask: somebody's, or one that is made here, and made again when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from threading import Thread
from time import monotonic
from typing import Any, TypeAlias, TypeVar

from distributed import Client

from .._checks import shown
from .._runtime.nested_calls import start_thread
from ._errors import ClusterLost

__all__: list[str] = []

T = TypeVar("T")

ClientSource: TypeAlias = "Client | str | Callable[[], Client]"

SECONDS_TO_CLOSE = 2.0  # which a scheduler that does not answer would take up for ever
SHARE_OF_DASK = 0.9  # of the time to connect: so that it says itself why it could not, where it can


class ClientInTime(Client):
    """One that is made within so many seconds, or not.

    Dask's own limit does not hold where a connection is accepted, and then nothing said on it.
    """

    def __init__(self, address: str, seconds: float) -> None:
        self._seconds_to_start = seconds
        super().__init__(address, timeout=seconds, set_as_default=False)  # type: ignore[no-untyped-call]

    def start(self, **options: Any) -> None:
        client: Any = self  # most of it has no types
        if client.status == "newly-created":
            client._loop_runner.start()
            seconds = self._seconds_to_start
            client.sync(client._start, asynchronous=False, callback_timeout=seconds, timeout=seconds * SHARE_OF_DASK)


class Connection:
    """For one thread at a time, but `is_closed`."""

    def __init__(self, source: ClientSource, seconds: float) -> None:
        """Connect. Within so many `seconds` nobody answering is a ClusterLost; so it is later.

        Raises TypeError if `source` is none.
        """
        if isinstance(source, Client):
            if source.asynchronous:
                raise TypeError("client must not be an asynchronous one: give its scheduler's address instead")
        elif not isinstance(source, str) and not callable(source):
            raise TypeError(f"client must be a dask Client, an address or a function, not {shown(source)}")
        self._source = source
        self._seconds = seconds
        self._silent_since: float | None = None
        self._next: Future[Client] | None = None  # the client that is being made in the place of a lost one
        self._next_until = 0.0  # so long it is waited for; it may come later
        self.is_ours = not isinstance(source, Client)  # to be closed
        self.client: Any = self._made()

    def _made(self) -> Client:
        source = self._source
        if isinstance(source, Client):
            client = source
        elif isinstance(source, str):
            client = ClientInTime.__new__(ClientInTime)
            try:
                client.__init__(source, self._seconds)  # type: ignore[misc]
            except BaseException as error:
                stop_loop(client)  # which a client that could not connect leaves running
                if isinstance(error, OSError | ValueError | asyncio.TimeoutError):  # which is another in Python 3.10
                    why = f"nobody answers at {source!r} as a scheduler of Dask: {error}"
                    raise ClusterLost(why) from error
                raise
        else:
            client = source()
            if not isinstance(client, Client) or client.asynchronous:
                what = "a dask Client that is not asynchronous"
                raise TypeError(f"the function for a client must return {what}, not {shown(client)}")
        if client.status != "running":
            raise ClusterLost(f"the client of Dask is {client.status}: {client!r}")
        return client

    def is_closed(self) -> bool:
        """Whether the client can do nothing more, and is not made again."""
        return not self.is_ours and self.client.status in ("closing", "closed")

    def is_up(self) -> bool:
        """Whether the client has a scheduler, as far as it knows."""
        return bool(self.client.status == "running")

    def workers(self) -> Mapping[str, Mapping[str, Any]] | None:
        """What the scheduler says of each worker, by address; None if it does not answer now.

        Raises ClusterLost if it has not for so long that it is taken for lost.
        """
        client = self.client
        now = monotonic()
        error: BaseException | None = None
        if client.status == "running":
            try:
                answer = client.sync(client.scheduler.identity, n_workers=-1, callback_timeout=self._seconds)
                self.heard()
                workers: Mapping[str, Mapping[str, Any]] = answer["workers"]
                return workers
            except Exception as raised:
                error = raised
        if self._silent_since is None:
            self._silent_since = now
        if client.status in ("closing", "closed") or monotonic() - self._silent_since >= self._seconds:
            where = getattr(client.scheduler, "address", "the scheduler")
            raise ClusterLost(f"{where} has not answered for {monotonic() - self._silent_since:.0f} s") from error
        return None

    def is_making(self) -> bool:
        """Whether another client is being made, and is waited for."""
        return self._next is not None and monotonic() < self._next_until

    def heard(self) -> None:
        """The client has its scheduler again: no other one is made any more."""
        self._silent_since = None
        if self._next is not None:
            self._next.add_done_callback(close_made)
            self._next = None

    def made_again(self, *, waits: bool = True) -> bool:
        """Whether there is a new client, in the place of one that is lost.

        It is made on a thread of its own, as somebody's function may take any time. `waits` for it as long as a
        scheduler may be silent; if it comes later, a later call finds it.
        """
        if isinstance(self._source, Client):
            return False
        if self._next is None:
            self._next_until = monotonic() + self._seconds
            self._next = on_thread(self._made)
        if waits:
            wait([self._next], max(0.0, self._next_until - monotonic()))
        if not self._next.done():
            return False
        made, self._next = self._next, None
        if made.exception() is not None:
            return False
        on_thread(partial(close, self.client))
        self.client = made.result()
        self._silent_since = None
        return True

    def cancel(self, tasks: list[Any]) -> None:
        """Have the scheduler forget `tasks`, and Dask call back for each of them before this returns."""
        client = self.client

        async def cancel() -> None:
            await client.cancel(tasks, asynchronous=True)
            await asyncio.sleep(0.01)

        with suppress(Exception):  # there is no loop any more
            client.sync(cancel, callback_timeout=SECONDS_TO_CLOSE)

    def close(self) -> None:
        """Close the client, if it was made here."""
        if self.is_ours:
            self.heard()
            close(self.client)


def on_thread(function: Callable[[], T]) -> Future[T]:
    """Call `function` on a thread of its own."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            result = function()
        except BaseException as error:
            future.set_exception(error.with_traceback(None))  # whose frames have the future
        else:
            future.set_result(result)

    start_thread(Thread(target=run, name="more-executors-connection", daemon=True))
    return future


def close_made(made: Future[Client]) -> None:
    if made.exception() is None:
        close(made.result())


def close(client: Any) -> None:
    with suppress(Exception):  # its scheduler is gone
        client.close(timeout=SECONDS_TO_CLOSE)
    stop_loop(client)  # which it leaves running then


def stop_loop(client: Any) -> None:
    """Stop the loop of `client`, which can do no more then, and does not try to when it goes away."""
    with suppress(AttributeError):  # it did not get that far
        client._loop_runner.stop()
    client.status = "closed"
