"""What a client calls on a worker, on the loop of that: it waits for no thread of the worker's, nor for its tasks."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

from ..._checks import shown
from ..._version import __version__
from ...poll import PollExecutor
from .._outcomes import error_bytes
from ._host import ShardHost

__all__: list[str] = []

GONE = b""

_hosts: dict[str, ShardHost] = {}


async def open_shard(name: str, version: str, lease: float, make: bytes) -> bytes | None:
    """Make the shard `name`, by what `make` is of when it is loaded; returns an error for `error_of` if that fails."""
    try:
        if version != __version__:
            raise RuntimeError(f"the worker has more_executors {__version__}, and the client {version}")
        if name not in _hosts:
            executor = await asyncio.get_running_loop().run_in_executor(None, executor_of, make)
            if name not in _hosts:
                _hosts[name] = ShardHost(name, executor, lease, forget)
            else:
                executor.shutdown(wait=False)
    except BaseException as error:
        return error_bytes(error)
    return None


def executor_of(make: bytes) -> PollExecutor[Any, Any, Any]:
    made = pickle.loads(make)()
    if not isinstance(made, PollExecutor):
        raise TypeError(f"make must return a PollExecutor, not {shown(made)}")
    return made  # pyright: ignore[reportUnknownVariableType]


def forget(name: str) -> None:
    _hosts.pop(name, None)


async def exchange(name: str, request: bytes) -> bytes:
    """See ShardHost; GONE if there is no such shard."""
    host = _hosts.get(name)
    return GONE if host is None else await host.exchange(request)


async def close_shard(name: str) -> None:
    """Forget the shard, which has stopped; or stop it."""
    host = _hosts.pop(name, None)
    if host is not None:
        host.stop("it was closed")
        host.close()
