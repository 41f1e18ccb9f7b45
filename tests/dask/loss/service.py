"""An HTTP service whose tasks take a short time, and which has books of what was created.

    POST   /tasks           {"key", "token"?} in, {"id"} out; with `--dedupe`, a token that is known starts nothing
    POST   /status          a JSON list of ids in, a list of "running", "ended", "cancelled" or null (unknown) out
    DELETE /tasks/{id}      {"cancelled": whether it was running, and now is not}
    POST   /find            a JSON list of keys in, {key: id} of those that have a task which was not cancelled out
    GET    /progress        {"created", "ended"}: how many
    GET    /books           {key: {"created": [ids], "cancelled": [ids], "ended": [ids], "at": [seconds]}}

A task is created some milliseconds after it was asked for, and that is told some milliseconds later: so who asks is
often killed in between. It is created even if nobody waits for the answer any more.

Run as a program it prints the port, and ends when its standard input does: it cannot outlive who started it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import threading
import time

from aiohttp import web

SHORTEST, LONGEST = 0.2, 2.0  # seconds that a task takes
MOST_LATE = 0.02  # seconds until it is created, and until that is told


class Task:
    def __init__(self, task_id: str, key: str, ends_at: float) -> None:
        self.id = task_id
        self.key = key
        self.created_at = time.monotonic()
        self.ends_at = ends_at
        self.is_cancelled = False

    def state(self, now: float) -> str:
        return "cancelled" if self.is_cancelled else "ended" if self.ends_at <= now else "running"


class Books:
    """The tasks, and the requests about them."""

    def __init__(self, dedupe: bool, seed: int) -> None:
        self._dedupe = dedupe
        self._moods = random.Random(seed)
        self._tasks: dict[str, Task] = {}
        self._by_key: dict[str, list[Task]] = {}
        self._by_token: dict[str, Task] = {}

    def application(self) -> web.Application:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/tasks", self.create)
        app.router.add_delete("/tasks/{id}", self.cancel)
        app.router.add_post("/status", self.status)
        app.router.add_post("/find", self.find)
        app.router.add_get("/progress", self.progress)
        app.router.add_get("/books", self.books)
        return app

    async def create(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        await asyncio.sleep(self._moods.uniform(0, MOST_LATE))
        token = wanted.get("token") if self._dedupe else None
        task = self._by_token.get(token) if token else None
        if task is None:
            duration = self._moods.uniform(SHORTEST, LONGEST)
            task = Task(f"task-{len(self._tasks)}", wanted["key"], time.monotonic() + duration)
            self._tasks[task.id] = task
            self._by_key.setdefault(task.key, []).append(task)
            if token:
                self._by_token[token] = task
        await asyncio.sleep(self._moods.uniform(0, MOST_LATE))
        return web.json_response({"id": task.id})

    async def status(self, request: web.Request) -> web.Response:
        now = time.monotonic()
        found = [self._tasks.get(task_id) for task_id in await request.json()]
        return web.json_response([None if task is None else task.state(now) for task in found])

    async def cancel(self, request: web.Request) -> web.Response:
        task = self._tasks.get(request.match_info["id"])
        is_running = task is not None and task.state(time.monotonic()) == "running"
        if task is not None and is_running:
            task.is_cancelled = True
        return web.json_response({"cancelled": is_running})

    async def find(self, request: web.Request) -> web.Response:
        found = {}
        for key in await request.json():
            for task in self._by_key.get(key, ()):
                if not task.is_cancelled:
                    found[key] = task.id
        return web.json_response(found)

    async def progress(self, _request: web.Request) -> web.Response:
        now = time.monotonic()
        ended = sum(task.state(now) != "running" for task in self._tasks.values())
        return web.json_response({"created": len(self._tasks), "ended": ended})

    async def books(self, _request: web.Request) -> web.Response:
        now = time.monotonic()

        def ids(tasks: list[Task], *states: str) -> list[str]:
            return [task.id for task in tasks if not states or task.state(now) in states]

        return web.json_response(
            {
                key: {
                    "created": ids(tasks),
                    "cancelled": ids(tasks, "cancelled"),
                    "ended": ids(tasks, "ended"),
                    "at": [task.created_at for task in tasks],
                }
                for key, tasks in self._by_key.items()
            }
        )


async def serve(books: Books) -> None:
    # Whoever is stopped for a while has to find its connections as they were.
    runner = web.AppRunner(books.application(), access_log=None, keepalive_timeout=3600, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    os.write(1, f"{runner.addresses[0][1]}\n".encode())
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def read() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, daemon=True).start()
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--dedupe", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    asyncio.run(serve(Books(options.dedupe, options.seed)))
