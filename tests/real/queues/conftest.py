"""A Redis, and workers of the queues, each in a session of its own so that it can be killed with all it has started."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from debian_support import install
from redis_support import redis_server

HERE = Path(__file__).parent
COMMANDS = {
    "celery": ("celery", "-A", "queue_app:app", "worker", "-c", "2", "--loglevel", "warning"),
    "rq": ("rq.cli", "worker", "--quiet", "--url", "{url}"),
    "huey": ("huey.bin.huey_consumer", "queue_app.a_huey", "-w", "2"),
    "dramatiq": ("dramatiq", "queue_app", "-p", "1", "-t", "2"),
}


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    for package in ("celery", "rq", "huey", "dramatiq"):
        pytest.importorskip(package, reason="needs the extra `queues`")
    install(("redis-server",), ("redis-server",))
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def queue_app(url: str) -> Iterator[Any]:
    os.environ["QUEUES_URL"] = url
    sys.path.insert(0, str(HERE))
    yield importlib.import_module("queue_app")
    sys.path.remove(str(HERE))


Workers = Callable[[str], AbstractContextManager[Callable[[], None]]]


@pytest.fixture
def workers(url: str, tmp_path: Path) -> Workers:
    """Runs a worker of a queue while the context lasts; the context gives a function that kills it by `kill -9`."""

    @contextlib.contextmanager
    def run(queue: str) -> Iterator[Callable[[], None]]:
        command = [part.format(url=url) for part in COMMANDS[queue]]
        environment = {**os.environ, "QUEUES_URL": url, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
        with open(tmp_path / f"{queue}.log", "a") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=tmp_path,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

        def kill() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()

        try:
            yield kill
        finally:
            kill()

    return run
