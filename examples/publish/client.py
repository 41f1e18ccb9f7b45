"""The client of the task service: start a task, follow many of them with one request, cancel one.

``PublishClient.publish``, ``poll_tasks`` and ``cancel_task`` are what an executor with polling wants:

    client = PublishClient("http://localhost:8080")
    executor = Executors.threadpool(max_workers=16).with_poll(client.poll_tasks, client.cancel_task)
    future = executor.submit(client.publish, "object-1")
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import CancelledError
from typing import TypedDict

import requests
from more_executors import PollDescriptor

log = logging.getLogger(__name__)

TIMEOUT = 30.0
"""How long a request may take, in seconds."""

SEARCH_SIZE = 5_000
"""How many task ids one search request asks for at most."""


class TaskError(Exception):
    """The service refused to start a task, ended it with an error, or does not know it."""


class _TaskState(TypedDict):
    task_id: str
    state: str


class TaskStatus(_TaskState, total=False):
    """A task as the service reports it; ``ended`` is in seconds since the epoch, missing while running."""

    error: str
    ended: float


Descriptor = PollDescriptor[str, TaskStatus]
"""A task that is polled: ``result`` is the task id from ``publish``."""


class PublishClient:
    """Publishes objects through the service at ``url``, searching at most once in ``interval`` seconds.

    It may be used from any number of threads: each has a session, and so a connection, of its own.
    """

    def __init__(self, url: str, interval: float = 1.0) -> None:
        self._url = url
        self._interval = interval
        self._next_search = 0.0
        self._hurried = threading.Event()
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def publish(self, object_id: str) -> str:
        """Start publishing an object and return the id of the task that does it.

        Raises TaskError with the service's message if it refuses, and requests.RequestException if there is
        no proper answer.
        """
        response = self._session.post(f"{self._url}/object/{object_id}/publish", timeout=TIMEOUT)
        answer = response.json()
        if not response.ok:
            raise TaskError(answer["error"])
        return str(answer["task_id"])

    def poll_tasks(self, descriptors: list[Descriptor]) -> None:
        """Look up all tasks and resolve those that have ended: one with its TaskStatus, or with TaskError.

        A failed look-up leaves its tasks for the next poll.
        """
        self._pace()
        by_id = {descriptor.result: descriptor for descriptor in descriptors}
        task_ids = list(by_id)
        for start in range(0, len(task_ids), SEARCH_SIZE):
            chunk = task_ids[start : start + SEARCH_SIZE]
            try:
                tasks = self._search(chunk)
            except requests.RequestException as error:
                log.warning("cannot look up %d tasks, trying again: %s", len(chunk), error)
                continue
            self._resolve([(by_id[task["task_id"]], task) for task in tasks if task["state"] != "running"])
            for task_id in set(chunk).difference(task["task_id"] for task in tasks):
                by_id[task_id].yield_exception(TaskError("task unknown to the service"))

    def cancel_task(self, task_id: str) -> bool:
        """Cancel a running task; return whether that was done."""
        try:
            response = self._session.delete(f"{self._url}/tasks/{task_id}", timeout=TIMEOUT)
            return response.ok and bool(response.json()["cancelled"])
        except requests.RequestException as error:
            log.warning("cannot cancel task %s: %s", task_id, error)
            return False

    def hurry(self) -> None:
        """Pace polls no more, beginning with one that is waiting right now."""
        self._hurried.set()

    def close(self) -> None:
        """Close all connections. No other thread may be using the client."""
        for session in self._sessions:
            session.close()

    @property
    def _session(self) -> requests.Session:
        try:
            session: requests.Session = self._local.session
        except AttributeError:
            session = self._local.session = requests.Session()
            session.trust_env = False  # A local service needs no proxy or .netrc; looking for them is slow.
            self._sessions.append(session)
        return session

    def _pace(self) -> None:
        # While tasks keep joining, the executor polls without a pause.
        self._hurried.wait(max(0.0, self._next_search - time.monotonic()))
        self._next_search = time.monotonic() + self._interval

    def _search(self, task_ids: list[str]) -> list[TaskStatus]:
        response = self._session.post(f"{self._url}/tasks/search", json=task_ids, timeout=TIMEOUT)
        response.raise_for_status()
        tasks: list[TaskStatus] = response.json()
        return tasks

    def _resolve(self, ended: Iterable[tuple[Descriptor, TaskStatus]]) -> None:
        for descriptor, task in ended:
            if task["state"] == "finished":
                descriptor.yield_result(task)
            elif task["state"] == "cancelled":
                descriptor.yield_exception(CancelledError())
            else:
                descriptor.yield_exception(TaskError(task.get("error", "no reason given")))
