"""A member of a Dask cluster: ``member.py scheduler``, or ``member.py worker ADDRESS``.

It says one line of JSON, {"address": ..., "dashboard": its port or null}, and ends when its input does. As it
is a program of this folder, a worker can import what the shards need.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from importlib.util import find_spec

from distributed import Scheduler, Worker

from lifeline import end_of_input, tell

HOST = "127.0.0.1"
HAS_DASHBOARD = find_spec("bokeh") is not None


def server_of(role: str, scheduler: str = "") -> Scheduler | Worker:
    """The member."""
    if role == "scheduler":
        return Scheduler(host=HOST, port=0, dashboard=HAS_DASHBOARD, dashboard_address=f"{HOST}:0")
    return Worker(scheduler, host=HOST, nthreads=1, memory_limit=0, dashboard=False)


async def serve(*details: str) -> None:
    """Be a member."""
    async with server_of(*details) as server:
        dashboard = server.http_server.port if HAS_DASHBOARD else None
        tell({"address": server.address, "dashboard": dashboard})
        await asyncio.Event().wait()


async def main(*details: str) -> None:
    """Be a member until the input ends, also if that is before there is a cluster to be a member of."""
    member = asyncio.create_task(serve(*details))
    ended = asyncio.create_task(end_of_input())
    await asyncio.wait({member, ended}, return_when=asyncio.FIRST_COMPLETED)
    member.cancel()
    with suppress(asyncio.CancelledError):
        await member


if __name__ == "__main__":
    logging.getLogger("distributed").setLevel(logging.WARNING)
    asyncio.run(main(*sys.argv[1:]))
