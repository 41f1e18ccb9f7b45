"""A client of Dask: somebody's, or one that is made here, and made again when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any, TypeAlias

from distributed import Client

from .._checks import shown
from ._errors import ClusterLost

__all__: list[str] = []

ClientSource: TypeAlias = "Client | str | Callable[[], Client]"


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
        self.is_ours = not isinstance(source, Client)  # to be closed
        self.client: Any = self._made()  # most of it has no types

    def _made(self) -> Client:
        source = self._source
        if isinstance(source, Client):
            client = source
        elif isinstance(source, str):
            client = Client.__new__(Client)
            try:
                client.__init__(source, timeout=self._seconds, set_as_default=False)  # type: ignore[misc]
            except (OSError, ValueError) as error:
                stop_loop(client)  # which a client that could not connect leaves running
                raise ClusterLost(f"nobody answers at {source!r} as a scheduler of Dask: {error}") from error
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
                self._silent_since = None
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

    def made_again(self) -> bool:
        """Whether there is a new client, in the place of one that is lost."""
        if isinstance(self._source, Client):
            return False
        old = self.client
        try:
            self.client = self._made()
        except Exception:
            return False
        self._silent_since = None
        close(old)
        return True

    def cancel(self, tasks: list[Any]) -> None:
        """Have the scheduler forget `tasks`, and Dask call back for each of them before this returns."""
        client = self.client
        with suppress(Exception):  # there is no loop any more
            client.cancel(tasks)
            client.sync(asyncio.sleep, 0.01)

    def close(self) -> None:
        """Close the client, if it was made here."""
        if self.is_ours:
            close(self.client)


def close(client: Any) -> None:
    with suppress(Exception):  # its scheduler is gone
        client.close(timeout=2)
    stop_loop(client)  # which it leaves running then


def stop_loop(client: Any) -> None:
    client._loop_runner.stop()
