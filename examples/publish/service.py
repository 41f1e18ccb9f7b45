"""An HTTP service whose tasks take their time, fail, and can be cancelled.

    POST   /object/{object_id}/publish   {"task_id": ...}
    GET    /tasks/{task_id}              {"task_id", "state", "ended"?, "error"?}
    DELETE /tasks/{task_id}              {"task_id", "cancelled": whether it was running and now is not}
    POST   /tasks/search                 a JSON list of ids in, the list of those that are known out

``state`` is "running", "finished", "error" or "cancelled"; ``ended`` is in seconds since the epoch. Every
other answer is 4xx or 5xx with {"error": ...}.

Run as a program it prints one line of JSON, {"port": ...} or {"error": ...}, and ends when its standard input
does: whoever started it holds the other end of that pipe, so the service cannot outlive them.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import sys
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from checks import OneLineParser, rate, seconds, whole_number

HOST = "127.0.0.1"
OBJECT_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
MAX_SEARCH = 10_000
COMPLAINTS = ("disk full", "checksum mismatch", "permission denied")
DISTRIBUTIONS: dict[str, Callable[[random.Random, float], float]] = {
    "fixed": lambda _rng, mean: mean,
    "uniform": lambda rng, mean: rng.uniform(0.5, 1.5) * mean,
    "exponential": lambda rng, mean: rng.expovariate(1.0) * mean,
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Settings:
    """How the service behaves.

    ``duration`` is the mean of a task and ``latency`` that of a request, both in seconds; ``failure_rate``
    is the share of tasks that end in an error, ``reject_rate`` that of objects for which no task is even
    started. What happens to an object depends on ``seed`` and its id only, not on the order of arrival.
    """

    duration: float = 15.0
    distribution: str = "uniform"
    failure_rate: float = 0.0
    reject_rate: float = 0.0
    latency: float = 0.0
    seed: int = 0


@dataclass
class Task:
    """One task. Its state follows from the clock, so that a running task costs the service nothing."""

    task_id: str
    ends: float
    error: str | None
    cancelled: bool = False

    def status(self, now: float) -> dict[str, Any]:
        """The task at ``now`` (seconds since the epoch), as clients see it."""
        if self.cancelled:
            return {"task_id": self.task_id, "state": "cancelled", "ended": self.ends}
        if now < self.ends:
            return {"task_id": self.task_id, "state": "running"}
        if self.error is not None:
            return {"task_id": self.task_id, "state": "error", "ended": self.ends, "error": self.error}
        return {"task_id": self.task_id, "state": "finished", "ended": self.ends}


class TaskService:
    """The tasks, in memory, and the handlers of the requests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._tasks: dict[str, Task] = {}

    def application(self) -> web.Application:
        """The routes and middlewares, ready to be served."""
        app = web.Application(middlewares=[json_errors, latency(self.settings)])
        app.add_routes(
            [
                web.post("/object/{object_id}/publish", self.publish),
                web.post("/tasks/search", self.search),
                web.get("/tasks/{task_id}", self.status),
                web.delete("/tasks/{task_id}", self.cancel),
            ]
        )
        return app

    async def publish(self, request: web.Request) -> web.Response:
        """Start a task."""
        object_id = request.match_info["object_id"]
        if not OBJECT_ID.fullmatch(object_id):
            raise web.HTTPBadRequest(text="an object id is 1 to 100 letters, digits, '.', '-' or '_'")
        settings = self.settings
        rng = random.Random(f"{settings.seed}/{object_id}")
        if rng.random() < settings.reject_rate:
            raise web.HTTPServiceUnavailable(text="too busy to publish")
        error = rng.choice(COMPLAINTS) if rng.random() < settings.failure_rate else None
        task_id = uuid.uuid4().hex
        ends = time.time() + DISTRIBUTIONS[settings.distribution](rng, settings.duration)
        self._tasks[task_id] = Task(task_id, ends, error)
        return web.json_response({"task_id": task_id})

    async def status(self, request: web.Request) -> web.Response:
        """Tell the state of one task."""
        return web.json_response(self._find(request).status(time.time()))

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel a task if it is running."""
        task = self._find(request)
        now = time.time()
        running = not task.cancelled and now < task.ends
        if running:
            task.cancelled, task.ends = True, now
        return web.json_response({"task_id": task.task_id, "cancelled": running})

    async def search(self, request: web.Request) -> web.Response:
        """Tell the states of many tasks, leaving out the unknown ones."""
        try:
            task_ids = await request.json()
        except (ValueError, RecursionError):
            task_ids = None
        if not isinstance(task_ids, list) or not all(isinstance(task_id, str) for task_id in task_ids):
            raise web.HTTPBadRequest(text="expected a JSON list of task ids")
        if len(task_ids) > MAX_SEARCH:
            raise web.HTTPBadRequest(text=f"at most {MAX_SEARCH} task ids at once")
        now = time.time()
        return web.json_response([self._tasks[i].status(now) for i in task_ids if i in self._tasks])

    def _find(self, request: web.Request) -> Task:
        try:
            return self._tasks[request.match_info["task_id"]]
        except KeyError:
            raise web.HTTPNotFound(text="no such task") from None


@web.middleware
async def json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every HTTP error with {"error": ...}."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return web.json_response({"error": error.text or error.reason}, status=error.status)


def latency(settings: Settings) -> Any:
    """A middleware that delays each answer by half to one and a half times ``settings.latency`` seconds."""
    rng = random.Random(settings.seed)

    @web.middleware
    async def delayed(request: web.Request, handler: Handler) -> web.StreamResponse:
        if settings.latency:
            await asyncio.sleep(rng.uniform(0.5, 1.5) * settings.latency)
        return await handler(request)

    return delayed


async def serve(settings: Settings, port: int) -> int:
    """Serve on ``port`` (0: any free one) until standard input ends; return the exit code."""
    runner = web.AppRunner(TaskService(settings).application(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port, backlog=1024).start()
    except OSError as error:
        _tell({"error": f"cannot listen on port {port}: {os.strerror(error.errno or 0)}"})
        return 1
    else:
        _tell({"port": runner.addresses[0][1]})
        await _end_of_input()
        return 0
    finally:
        await runner.cleanup()


def _tell(news: dict[str, Any]) -> None:
    # Whoever started the service may be gone already; then its input has ended, too.
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{json.dumps(news)}\n".encode())


async def _end_of_input() -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def read() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        loop.call_soon_threadsafe(ended.set)

    # A thread, because asyncio cannot read a pipe on every platform, let alone a file.
    threading.Thread(target=read, daemon=True).start()
    await ended.wait()


def main() -> int:
    """Serve as the command line says; return the exit code."""
    default = Settings()
    parser = OneLineParser(prog="service.py", description="A task service over HTTP; ends with its input.")
    parser.add_argument("--port", type=whole_number(0, 65535), default=0)
    parser.add_argument("--duration", type=seconds, default=default.duration)
    parser.add_argument("--distribution", choices=sorted(DISTRIBUTIONS), default=default.distribution)
    parser.add_argument("--failure-rate", type=rate, default=default.failure_rate)
    parser.add_argument("--reject-rate", type=rate, default=default.reject_rate)
    parser.add_argument("--latency", type=seconds, default=default.latency)
    parser.add_argument("--seed", type=int, default=default.seed)
    arguments = vars(parser.parse_args())
    port: int = arguments.pop("port")
    try:
        return asyncio.run(serve(Settings(**arguments), port))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
