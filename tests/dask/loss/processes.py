"""The processes of a run: a cluster, the service, the client."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import dask_support
from dask_support import wait_until

HERE = Path(__file__).parent
SECONDS_TO_END = 180.0


class Worker:
    """A worker without a nanny; `address` is that by which the scheduler knows it."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, log: Path) -> None:
        self.process = process
        self.address = address
        self._log = log

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def wait_until_known(self) -> None:
        wait_until(lambda: "Registered to" in self._log.read_text() or not self.is_alive())

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


class Cluster(dask_support.Cluster):
    """A scheduler, and workers whose addresses are known; another scheduler may come in the place of the first."""

    def __init__(self, folder: Path, workers: int) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.known: list[Worker] = []
        self.add(workers)

    def add(self, workers: int = 1) -> None:
        """Start so many workers, and wait until the scheduler has them."""
        fresh = []
        for _ in range(workers):
            port = free_port()
            log = self._folder / f"worker-{len(self.workers)}.log"
            process = self.add_worker("--worker-port", str(port))
            fresh.append(Worker(process, f"tcp://127.0.0.1:{port}", log))
        for worker in fresh:
            worker.wait_until_known()
        self.known += fresh

    def alive(self) -> list[Worker]:
        return [worker for worker in self.known if worker.is_alive()]

    def has_scheduler(self) -> bool:
        return self.scheduler.poll() is None

    def kill_scheduler(self) -> None:
        self.scheduler.kill()
        self.scheduler.wait()

    def restart_scheduler(self) -> None:
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Service:
    """The service, which ends with this process."""

    def __init__(self, dedupe: bool, seed: int) -> None:
        command = [sys.executable, str(HERE / "service.py"), "--seed", str(seed), *(["--dedupe"] if dedupe else [])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def get(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def end(self) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(60)


class Client:
    """A run of the client; `account` is what it wrote, if it came to that."""

    def __init__(self, folder: Path, number: int, *arguments: object) -> None:
        self._account = folder / f"account-{number}.json"
        head = [arguments[0], arguments[1], folder / "journal.db", self._account]
        command = [sys.executable, "-X", "faulthandler", str(HERE / "client.py"), *map(str, [*head, *arguments[2:]])]
        pipe = subprocess.PIPE
        self._log = folder / f"client-{number}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True)
        self.said: list[str] = []
        self.was_killed = False
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, output: IO[str]) -> None:
        for line in output:
            self.said.append(line.strip())

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.was_killed = True
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    def end(self) -> bool:
        """Wait until it ends; whether it did, with all futures done. What it ended with else is in its log."""
        try:
            status = self.process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # faulthandler shows where its threads are
            status = self.process.wait()
        if status != 0:
            with self._log.open("a") as log:
                log.write(f"ended with {status}\n")
        return status == 0

    def account(self) -> dict[str, list[str]]:
        if not self._account.exists():
            return {}
        found: dict[str, list[str]] = json.loads(self._account.read_text())
        return found


def set_path() -> None:
    """Have the processes find the modules here, and the library where this process finds it."""
    import more_executors

    library = Path(more_executors.__file__).parents[1]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), str(library)])
