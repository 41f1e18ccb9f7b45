"""The client of the task service: start a task, follow many of them with one request, cancel one or many.

``PublishClient.publish``, ``poll``, ``cancel_task`` and ``find`` are what an executor with polling wants:

    client = PublishClient("http://localhost:8080")
    pool = Executors.thread_pool(max_workers=16)
    with Journal("publish.db") as journal, pool.with_poll(
        client.poll, client.cancel_task, batch_size=1_000, journal=journal, keys=Keys(find_fn=client.find)
    ) as executor:
        future = executor.submit_once("object-1", client.publish, "object-1")

Whatever raises UnavailableError or Throttled may be tried again without harm.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from functools import partial
from operator import itemgetter
from typing import Any, TypedDict

import requests
from more_executors import PollDescriptor, RateLimit, StartInDoubt, StatusPoll, Throttled
from urllib3.exceptions import NewConnectionError

from patience import Patience, UnavailableError

log = logging.getLogger("publish")

TIMEOUT = 30.0
"""How long a request may take, in seconds."""

AT_ONCE = 1_000
"""How many objects or tasks a request may be about that is not made by an executor."""


class TaskError(Exception):
    """The service refused to start a task, or ended it with an error."""


class NotSentError(UnavailableError):
    """There is no connection to the service, so it was asked nothing."""


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
    """Publishes objects through the service at ``url``.

    ``publish_limit`` is kept by those who publish. ``poll``, a poll function, resolves the tasks that have
    ended: one with its TaskStatus, or with TaskError; one that the service has not known for
    ``missing_after`` seconds with TaskMissing.

    It may be used from any number of threads: each has a session, and so a connection, of its own.
    """

    def __init__(
        self, url: str, *, publish_limit: RateLimit, patience: Patience, missing_after: float | None = None
    ) -> None:
        self.poll: StatusPoll[str, TaskStatus] = StatusPoll(
            self.search, itemgetter("task_id"), self.resolve, missing_after=missing_after
        )
        self._url = url
        self._publish_limit = publish_limit
        self.patience = patience
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def publish(self, object_id: str) -> str:
        """Start publishing an object and return the id of the task that does it.

        Raises TaskError with the service's message if it refuses, Throttled if it has had too many requests,
        UnavailableError if it cannot be reached, and StartInDoubt if there was no proper answer.
        """
        self._publish_limit.take()
        began = time.monotonic()
        try:
            answer = self._ask("POST", f"/object/{object_id}/publish")
        except Throttled as throttled:
            self._publish_limit.throttled(began, throttled.retry_after)
            raise
        except NotSentError:
            raise
        except UnavailableError as error:
            raise StartInDoubt(object_id) from error
        self._publish_limit.succeeded(began)
        return str(answer["task_id"])

    def find(self, object_ids: list[str]) -> dict[str, str]:
        """Which of these objects have a task, and its id. Raises Throttled or UnavailableError.

        One that was cancelled, or that the service has lost, is none.
        """
        tasks = self._ask("POST", "/tasks/find", json=object_ids)
        return {task["object_id"]: task["task_id"] for task in tasks}

    def search(self, task_ids: list[str]) -> list[TaskStatus]:
        """Look up many tasks. Raises Throttled or UnavailableError."""
        tasks: list[TaskStatus] = self._ask("POST", "/tasks/search", json=task_ids)
        return tasks

    def resolve(self, descriptor: Descriptor, task: TaskStatus) -> None:
        """Resolve the future of a task that has ended."""
        state = task["state"]
        if state == "finished":
            descriptor.yield_result(task)
        elif state == "cancelled":
            descriptor.yield_exception(CancelledError())
        elif state == "error":
            descriptor.yield_exception(TaskError(task.get("error", "no reason given")))

    def cancel_task(self, task_id: str) -> bool:
        """Cancel a running task; return whether that was done."""
        answer = self._insist(f"cancel task {task_id}", lambda: self._ask("DELETE", f"/tasks/{task_id}"))
        return answer is not None and bool(answer["cancelled"])

    def cancel_tasks(self, task_ids: list[str]) -> list[bool]:
        """Cancel many tasks with one request; return for each whether that was done."""
        what = f"cancel {len(task_ids)} tasks"
        answers: list[Any] = (
            self._insist(what, lambda: self._ask("POST", "/tasks/cancel", json=task_ids)) or []
        )
        cancelled = {answer["task_id"] for answer in answers if answer["cancelled"]}
        return [task_id in cancelled for task_id in task_ids]

    def withdraw(self, object_ids: list[str]) -> None:
        """Cancel the tasks of these objects, where there are any."""
        for first in range(0, len(object_ids), AT_ONCE):
            some = object_ids[first : first + AT_ONCE]
            found: dict[str, str] = self._insist(f"find {len(some)} tasks", partial(self.find, some)) or {}
            if found:
                self.cancel_tasks(list(found.values()))

    def books(self) -> Any:
        """All that the service knows."""
        return self._ask("GET", "/books")

    def close(self) -> None:
        """Close all connections. No other thread may be using the client."""
        for session in self._sessions:
            session.close()

    def _insist(self, what: str, ask: Callable[[], Any]) -> Any:
        """What ``ask()`` returns, tried again while there is patience; None if refused, or if all fails."""
        try:
            return self.patience.call(ask)
        except TaskError:
            return None
        except (Throttled, UnavailableError) as error:
            log.warning("cannot %s: %s", what, error)
            return None

    def _ask(self, method: str, path: str, **details: Any) -> Any:
        try:
            response = self._session.request(method, self._url + path, timeout=TIMEOUT, **details)
            answer = response.json()
        except requests.RequestException as error:
            kind = NotSentError if _is_not_sent(error) else UnavailableError
            raise kind(f"no answer: {type(error).__name__}") from None
        return checked(response.status_code, response.headers, answer)

    @property
    def _session(self) -> requests.Session:
        try:
            session: requests.Session = self._local.session
        except AttributeError:
            session = self._local.session = requests.Session()
            session.trust_env = False  # A local service needs no proxy or .netrc; looking for them is slow.
            self._sessions.append(session)
        return session


def checked(status: int, headers: Mapping[str, str], answer: Any) -> Any:
    """What the service has answered. Raises Throttled, UnavailableError or TaskError if that is an error."""
    if status == requests.codes.too_many_requests:
        raise Throttled(float(headers.get("Retry-After", 1)))
    if status >= 500:
        raise UnavailableError(answer["error"])
    if status >= 400:
        raise TaskError(answer["error"])
    return answer


def _is_not_sent(error: requests.RequestException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)
