"""An HTTP service whose tasks take their time, fail, and can be cancelled.

    POST   /object/{object_id}/publish   {"task_id": ...}
    GET    /tasks/{task_id}              {"task_id", "state", "ended"?, "error"?}
    DELETE /tasks/{task_id}              {"task_id", "cancelled": whether it was running and now is not}
    POST   /tasks/search                 a JSON list of ids in, the list of those that are known out
    POST   /tasks/cancel                 a JSON list of ids in, what DELETE says of those that are known out
    POST   /tasks/find                   a JSON list of object ids in, [{"object_id", "task_id"}] out
    GET    /books                        {"objects": {object_id: [task]}, "faults": {kind: [[time, count]]}}

``state`` is "running", "finished", "error" or "cancelled"; ``ended`` is in seconds since the epoch. Every
other answer is 4xx or 5xx with {"error": ...}.

To publish an object twice makes two tasks. Who does not know whether there is one, as an answer was lost, can
have it found by the object: unless it was cancelled, or is lost.

With ``--faults``, much goes wrong, and the books say what did. With ``--state``, the service may be killed
and started again: it knows what it knew, and its tasks have gone on.

Run as a program it prints one line of JSON, {"port": ...} or {"error": ...}, and ends when its standard input
does: whoever started it holds the other end of that pipe, so the service cannot outlive them.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeGuard, cast

from aiohttp import web

from checks import OneLineParser, rate, seconds, whole_number
from faults import NO_FAULTS, parse_faults
from ledger import Ledger, RefusedError
from lifeline import end_of_input, tell
from task import DISTRIBUTIONS, Settings, Task
from trouble import Trouble

HOST = "127.0.0.1"
OBJECT_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
MAX_SEARCH = 10_000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TaskService:
    """The handlers of the requests."""

    def __init__(self, settings: Settings, state: Path | None = None) -> None:
        self.settings = settings
        self._faults = settings.faults
        self._ledger = Ledger(settings, state)

    def application(self) -> web.Application:
        """The routes and middlewares, ready to be served."""
        settings = self.settings
        middlewares: list[Any] = [json_errors]
        if settings.faults != NO_FAULTS:
            middlewares.append(Trouble(settings.faults, settings.seed, self._ledger.note_fault).meddle)
        middlewares.append(latency(settings))
        app = web.Application(middlewares=middlewares)
        app.add_routes(
            [
                web.post("/object/{object_id}/publish", self.publish, name="publish"),
                web.post("/tasks/search", self.search, name="search"),
                web.post("/tasks/cancel", self.cancel_many, name="cancel.many"),
                web.post("/tasks/find", self.find, name="search.find"),
                web.get("/tasks/{task_id}", self.status),
                web.delete("/tasks/{task_id}", self.cancel, name="cancel"),
                web.get("/books", self.books),
            ]
        )
        return app

    async def publish(self, request: web.Request) -> web.Response:
        """Start a task."""
        object_id = request.match_info["object_id"]
        if not OBJECT_ID.fullmatch(object_id):
            raise web.HTTPBadRequest(text="an object id is 1 to 100 letters, digits, '.', '-' or '_'")
        try:
            task = self._ledger.make_task(object_id)
        except RefusedError as error:
            raise web.HTTPConflict(text=str(error)) from None
        return web.json_response({"task_id": task.task_id})

    async def status(self, request: web.Request) -> web.Response:
        """Tell the state of one task."""
        return web.json_response(self._find(request).status(time.time()))

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel a task if it is running."""
        return web.json_response(self._cancel(self._find(request)))

    async def cancel_many(self, request: web.Request) -> web.Response:
        """Cancel those of many tasks that are running, leaving out the unknown ones."""
        return web.json_response([self._cancel(task) for task in await self._find_many(request)])

    async def find(self, request: web.Request) -> web.Response:
        """Tell which of many objects have tasks."""
        tasks = self._ledger.find(await _ids_in(request))
        return web.json_response([{"object_id": task.object_id, "task_id": task.task_id} for task in tasks])

    async def search(self, request: web.Request) -> web.Response:
        """Tell the states of many tasks, leaving out the unknown ones."""
        now = time.time()
        tasks = await self._find_many(request)
        shown = [task for task in tasks if not task.hidden(now)] if self._faults.hide_rate else tasks
        if len(shown) < len(tasks):
            self._ledger.note_fault("left out", len(tasks) - len(shown))
        return web.json_response([task.status(now) for task in shown])

    async def books(self, _request: web.Request) -> web.Response:
        """Tell everything."""
        return web.json_response(self._ledger.balance())

    def _cancel(self, task: Task) -> dict[str, Any]:
        return {"task_id": task.task_id, "cancelled": self._ledger.cancel(task)}

    def _find(self, request: web.Request) -> Task:
        task = self._ledger.tasks.get(request.match_info["task_id"])
        if task is None or task.state(time.time()) == "vanished":
            raise web.HTTPNotFound(text="no such task")
        return task

    async def _find_many(self, request: web.Request) -> list[Task]:
        known = self._ledger.tasks
        tasks = [known[i] for i in await _ids_in(request) if i in known]
        if not self._faults.vanish_rate:
            return tasks
        now = time.time()
        return [task for task in tasks if task.state(now) != "vanished"]


async def _ids_in(request: web.Request) -> list[str]:
    try:
        ids: object = await request.json()
    except (ValueError, RecursionError, ConnectionResetError):  # of the last, nobody hears
        ids = None
    if not is_list_of_texts(ids):
        raise web.HTTPBadRequest(text="expected a JSON list of ids")
    if len(ids) > MAX_SEARCH:
        raise web.HTTPBadRequest(text=f"at most {MAX_SEARCH} ids at once")
    return ids


def is_list_of_texts(value: object) -> TypeGuard[list[str]]:
    """Whether this is a list, of nothing but strings."""
    return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value))


@web.middleware
async def json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every HTTP error with {"error": ...}."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        headers = {name: error.headers[name] for name in ("Retry-After",) if name in error.headers}
        return web.json_response({"error": error.text or error.reason}, status=error.status, headers=headers)


def latency(settings: Settings) -> Any:
    """A middleware that delays each answer by half to one and a half times ``settings.latency`` seconds."""
    rng = random.Random(settings.seed)

    @web.middleware
    async def delayed(request: web.Request, handler: Handler) -> web.StreamResponse:
        if settings.latency:
            await asyncio.sleep(rng.uniform(0.5, 1.5) * settings.latency)
        return await handler(request)

    return delayed


async def serve(settings: Settings, state: Path | None, port: int) -> int:
    """Serve on ``port`` (0: any free one) until standard input ends; return the exit code."""
    try:
        app = TaskService(settings, state).application()
    except OSError as error:
        tell({"error": f"cannot use the ledger {str(state)!r}: {error.strerror}"})
        return 1
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port, backlog=1024).start()
    except OSError as error:
        tell({"error": f"cannot listen on port {port}: {os.strerror(error.errno or 0)}"})
        return 1
    else:
        tell({"port": runner.addresses[0][1]})
        await end_of_input()
        return 0
    finally:
        await runner.cleanup()


def main() -> int:
    """Serve as the command line says; return the exit code."""
    default = Settings()
    parser = OneLineParser(prog="service.py", description="A task service over HTTP; ends with its input.")
    parser.add_argument("--port", type=whole_number(0, 65535), default=0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--duration", type=seconds, default=default.duration)
    parser.add_argument("--distribution", choices=sorted(DISTRIBUTIONS), default=default.distribution)
    parser.add_argument("--failure-rate", type=rate, default=default.failure_rate)
    parser.add_argument("--reject-rate", type=rate, default=default.reject_rate)
    parser.add_argument("--latency", type=seconds, default=default.latency)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--faults", type=parse_faults, default=default.faults)
    arguments = vars(parser.parse_args())
    port: int = arguments.pop("port")
    state: Path | None = arguments.pop("state")
    try:
        return asyncio.run(serve(Settings(**arguments), state, port))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
