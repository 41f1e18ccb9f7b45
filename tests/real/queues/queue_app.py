"""What workers of all queues run; the tests start them with this folder as their own, and with the address of Redis."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import celery
import dramatiq
import huey
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

URL = os.environ["QUEUES_URL"]


def add(first: int, second: int) -> int:
    return first + second


def none() -> None:
    return None


def fail() -> None:
    raise KeyError("the key")


def sleep(seconds: float) -> str:
    time.sleep(seconds)
    return "slept"


def die() -> None:
    """Kill the process that runs this."""
    os.kill(os.getpid(), signal.SIGKILL)


def lock() -> Any:
    return threading.Lock()


app = celery.Celery("queue_app", broker=URL, backend=URL, set_as_current=False)
app.conf.update(task_track_started=True, worker_prefetch_multiplier=1)
in_celery = {fn.__name__: app.task(fn, shared=False) for fn in (add, none, fail, sleep, die)}

a_huey = huey.RedisHuey("tests", url=URL, store_none=True)
in_huey = {fn.__name__: a_huey.task()(fn) for fn in (add, none, fail, sleep)}
runs: list[None] = []


@a_huey.task(retries=1)
def fail_once() -> str:
    runs.append(None)
    if len(runs) == 1:
        raise KeyError("once")
    return "at last"


in_huey["fail_once"] = fail_once

broker = RedisBroker(url=URL, heartbeat_timeout=1000, maintenance_chance=1_000_000)  # so that a killed worker shows
broker.add_middleware(Results(backend=RedisBackend(url=URL)))
dramatiq.set_broker(broker)
in_dramatiq = {
    fn.__name__: dramatiq.actor(fn, store_results=True, max_retries=0) for fn in (add, none, fail, sleep, lock)
}
