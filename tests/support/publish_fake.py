"""A service for the programs of the README, in this process, that a test can hold up and ask what it has done."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from threading import Condition, Thread
from typing import Any

from support import PATIENCE


class FakeService:
    """Starts tasks, which all are in `state`, until it has started `hold_after`; then requests to start one wait."""

    def __init__(self) -> None:
        self.state = "running"
        self.hold_after = inf
        self.failing_searches = 0  # so many searches are answered with a 503
        self.starts: Counter[str] = Counter()
        self.searched: set[str] = set()
        self.asked_for: set[str] = set()
        self.cancelled: set[str] = set()
        self.held = 0
        self.url = ""
        self._changed = Condition()
        self._verdict: bool | None = None

    def wait_until(self, reached: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(reached, PATIENCE), (self.held, self.starts, len(self.searched))

    def let_go(self, start: bool) -> None:
        """Start the tasks of the requests that wait, from now on, or refuse them."""
        with self._changed:
            self._verdict = start
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: not self.held, PATIENCE)

    def publish(self, object_id: str) -> Any:
        with self._changed:
            if sum(self.starts.values()) >= self.hold_after:
                self.held += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._verdict is not None, PATIENCE)
                started = self._verdict
                self.held -= 1
                self._changed.notify_all()
                if not started:
                    return None
            self.starts[object_id] += 1
            return {"task_id": f"task-of-{object_id}"}

    def search(self, task_ids: list[str]) -> Any:
        with self._changed:
            if self.failing_searches:
                self.failing_searches -= 1
                return None
            self.searched.update(task_ids)
            self._changed.notify_all()
            return [{"task_id": task_id, "state": self.state} for task_id in task_ids]

    def find(self, object_ids: list[str]) -> Any:
        with self._changed:
            self.asked_for.update(object_ids)
            found = [name for name in object_ids if self.starts.get(name)]
            return [{"object_id": name, "task_id": f"task-of-{name}"} for name in found]

    def cancel(self, task_id: str) -> Any:
        with self._changed:
            self.cancelled.add(task_id)
            self._changed.notify_all()
            return {"task_id": task_id, "cancelled": True}


@contextmanager
def fake_service() -> Iterator[FakeService]:
    service = FakeService()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/tasks/search":
                self.answer(service.search(json.loads(body)))
            elif self.path == "/tasks/find":
                self.answer(service.find(json.loads(body)))
            else:
                self.answer(service.publish(self.path.split("/")[2]))

        def do_DELETE(self) -> None:
            self.answer(service.cancel(self.path.split("/")[2]))

        def answer(self, reply: Any) -> None:
            text = json.dumps(reply).encode()
            try:
                self.send_response(503 if reply is None else 200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except OSError:  # whoever asked was killed
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            """A connection that ended as its program was killed."""

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False
        thread = Thread(target=server.serve_forever)
        thread.start()
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
