"""What a client calls on a worker, on the loop of that: it waits for no thread of the worker's, nor for its tasks."""

from __future__ import annotations

import asyncio
import pickle

from ..._callables import check_optional_callable
from ..._checks import shown
from ..._version import __version__
from ...poll import PollExecutor
from .._outcomes import error_bytes
from ._batches import Shard
from ._host import ShardHost
from ._share_limit import ShareLimit

__all__: list[str] = []

GONE = b""

_hosts: dict[str, ShardHost] = {}


async def open_shard(name: str, version: str, lease: float, make: bytes, is_limited: bool) -> bytes | None:
    """Make the shard `name`, by what `make` is of when it is loaded; returns an error for `error_of` if that fails.

    If it `is_limited`, `make` gets the limit that is the shard's share of one.
    """
    try:
        if version != __version__:
            raise RuntimeError(f"the worker has more_executors {__version__}, and the client {version}")
        if name not in _hosts:
            limit = ShareLimit() if is_limited else None
            shard = await asyncio.get_running_loop().run_in_executor(None, made, make, limit)
            if name not in _hosts:
                _hosts[name] = ShardHost(name, shard, lease, forget, limit)
            else:
                shard.executor.shutdown(wait=False)
    except BaseException as error:
        return error_bytes(error)
    return None


def made(make: bytes, limit: ShareLimit | None) -> Shard:
    make_shard = pickle.loads(make)
    shard = make_shard() if limit is None else make_shard(limit)
    if not isinstance(shard, Shard):
        shard = Shard(shard)
    if not isinstance(shard.executor, PollExecutor):
        raise TypeError(f"make must return a PollExecutor, or a Shard with one, not {shown(shard.executor)}")
    check_optional_callable("start_many_fn", shard.start_many_fn, iterated=True)
    return shard


def forget(name: str) -> None:
    _hosts.pop(name, None)


async def exchange(name: str, request: bytes) -> bytes:
    """See ShardHost; GONE if there is no such shard."""
    host = _hosts.get(name)
    return GONE if host is None else await host.exchange(request)


async def look_at(name: str, numbers: bytes) -> bytes:
    """What the shard says of the tasks with these numbers; GONE if there is no such shard."""
    host = _hosts.get(name)
    if host is None:
        return GONE
    return await asyncio.get_running_loop().run_in_executor(None, host.look_at, numbers)


async def close_shard(name: str) -> None:
    """Forget the shard, which has stopped; or stop it."""
    host = _hosts.pop(name, None)
    if host is not None:
        host.stop("it was closed")
        host.close()
