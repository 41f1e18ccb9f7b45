"""What is called on workers, and the requests that it makes. Workers import this module."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from more_executors import Executors

THREADS_OF_A_SHARD = 4
SECONDS_BETWEEN_POLLS = 0.1

_local = threading.local()


class Poison(NamedTuple):
    """A call that kills its worker: that for `key`, before the task is created or after that."""

    key: str
    is_before: bool

    def kill(self, key: str, is_before: bool) -> None:
        if (key, is_before) == self:
            os.kill(os.getpid(), signal.SIGKILL)


def request(port: int, method: str, path: str, body: Any = None) -> Any:
    """Ask the service on `port`. Each thread has a connection of its own."""
    connection = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
    except BaseException:
        del _local.connection  # the answer to this must not be taken for that to the next one
        raise
    if answer.status != 200:
        raise RuntimeError(f"{method} {path}: {answer.status} {text!r}")
    return json.loads(text)


def start(port: int, poison: Poison | None, key: str, *, token: str | None = None) -> str:
    """Start the task of `key`; returns its id."""
    if poison is not None:
        poison.kill(key, True)
    task_id: str = request(port, "POST", "/tasks", {"key": key, "token": token})["id"]
    if poison is not None:
        poison.kill(key, False)
    return task_id


def start_without(port: int, poison: Poison | None, key: str) -> str:
    """The same, where there are no tokens."""
    return start(port, poison, key)


def poll(port: int, descriptors: Sequence[Any]) -> None:
    states = request(port, "POST", "/status", [descriptor.result for descriptor in descriptors])
    for descriptor, state in zip(descriptors, states, strict=True):
        if state == "ended":
            descriptor.yield_result(descriptor.result)
        elif state != "running":
            descriptor.yield_exception(RuntimeError(f"{descriptor.result} is {state}"))


def cancel(port: int, task_id: str) -> bool:
    return bool(request(port, "DELETE", f"/tasks/{task_id}")["cancelled"])


def find(port: int, keys: list[str]) -> dict[str, str]:
    found: dict[str, str] = request(port, "POST", "/find", keys)
    return found


def make(port: int) -> Any:
    """The poll executor of a shard."""
    pool = Executors.thread_pool(THREADS_OF_A_SHARD)
    return pool.with_poll(
        partial(poll, port), partial(cancel, port), batch_size=500, default_interval=SECONDS_BETWEEN_POLLS
    )
