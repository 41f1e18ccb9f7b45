"""An HTTP service for benchmarks, in a process of its own: `python -m benchmarks.answering` prints its address."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def serve() -> None:
    from aiohttp import web

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"number": int(request.match_info["number"])})

    async def started(app: web.Application) -> None:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print("http://{}:{}".format(*runner.addresses[0]), flush=True)
        await asyncio.Event().wait()

    app = web.Application()
    app.add_routes([web.get("/tasks/{number}", answer)])
    asyncio.run(started(app))


@contextmanager
def answering() -> Iterator[str]:
    """The address of one that runs meanwhile."""
    command = [sys.executable, "-m", "benchmarks.answering"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


if __name__ == "__main__":
    serve()
