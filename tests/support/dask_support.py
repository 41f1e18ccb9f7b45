"""Clusters of Dask as they are started from the command line, and what their workers are given to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock as Lock
from typing import Any

from support import PATIENCE

SUPPORT = str(Path(__file__).parent)


class Cluster:
    """A scheduler and its workers, each a process without a nanny."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        try:
            wait_until(lambda: self._file.exists() and self._file.read_text().rstrip().endswith("}"))
        except BaseException:
            self.end()
            raise
        self.address: str = json.loads(self._file.read_text())["address"]

    def _start(self, what: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--scheduler-file", str(self._file), *options]
        log = (self._folder / f"{what}-{len(self.workers)}.log").open("wb")
        path = os.pathsep.join([SUPPORT, os.environ.get("PYTHONPATH", "")])
        known = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore", **environment}
        with log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder, env=known)

    def add_worker(self, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        given = ("--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
        worker = self._start("worker", *given, *options, **environment)
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        for process in (*self.workers, self.scheduler):
            process.wait(PATIENCE)


@contextmanager
def cluster_of(folder: Path, workers: int) -> Iterator[Cluster]:
    cluster = Cluster(folder)
    try:
        for _ in range(workers):
            cluster.add_worker()
        yield cluster
    finally:
        cluster.end()


def wait_until(holds: Any) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "this does not come about"
        time.sleep(0.02)


# -- what workers do; they import this module --------------------------------------------------------------------------


def echo(*args: Any, **kwargs: Any) -> Any:
    return args[0] if len(args) == 1 and not kwargs else [*args, *([kwargs] if kwargs else [])]


def process_id(*args: Any) -> int:
    return os.getpid()


def raise_new(kind: type[BaseException], *args: Any) -> None:
    raise kind(*args)


def raise_from(number: int) -> None:
    try:
        raise KeyError(number)
    except KeyError as error:
        raise OddError("odd", number) from error


def raise_key_error(*args: Any) -> None:
    raise KeyError(args)


def refuse_pack(name: str, worker: str, calls: bytes) -> None:
    """What `run_pack` returns on another worker than the pack is for."""


def exit_with(code: int) -> None:
    raise SystemExit(code)


def append(to: list[int], number: int) -> list[int]:
    to.append(number)
    return to


def kill_yourself(*args: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_if(number: int, unlucky: int) -> int:
    if number == unlucky:
        kill_yourself()
    return number


def wait_for(path: str) -> str:
    """Say in a file of that name that this goes on, and go on until there is one with `.go` at its end.

    Not for ever, as the executor of a test that has failed waits for it.
    """
    until = time.monotonic() + 2 * PATIENCE
    Path(path + ".new").write_text(str(os.getpid()))
    Path(path + ".new").rename(path)  # so nobody finds it empty
    while not Path(path + ".go").exists() and time.monotonic() < until:
        time.sleep(0.01)
    return path


class OddError(Exception):
    """Its constructor takes other arguments than it keeps."""

    def __init__(self, what: str, number: int) -> None:
        super().__init__(f"{what} {number}")
        self.number = number


class NotThere:
    """Can be pickled, but not loaded."""

    def __reduce__(self) -> Any:
        return refuse, ("loading this is refused",)


def refuse(why: str) -> None:
    raise ValueError(why)


def make_unloadable() -> NotThere:
    return NotThere()


def make_unpicklable() -> Any:
    return (number for number in range(3))


def wait_for_workers(cluster: Cluster, workers: int) -> None:
    """Return when `cluster` has so many."""
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=PATIENCE)
