"""The service as a child process that cannot be left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from options import Options

SERVICE = Path(__file__).with_name("service.py")
GRACE = 5.0
"""How long the service may take to end by itself, in seconds."""


class ServiceError(Exception):
    """The service did not start or ended too early."""


class ServiceProcess:
    """A running service, whose books are in the file ``ledger``; leaving the ``with`` block ends it.

    It ends when this process does, however that happens, because it watches the pipe that is its standard
    input. It has a session of its own: Ctrl-C in the terminal must not end it before its tasks have been
    cancelled.

    Raises ServiceError if it does not start.
    """

    def __init__(self, options: Options, ledger: Path) -> None:
        names = ("duration", "distribution", "failure_rate", "reject_rate", "latency", "seed")
        self._arguments = [f"--{name.replace('_', '-')}={getattr(options, name)}" for name in names]
        self._arguments.append(f"--faults={options.service_faults.as_argument()}")
        self._arguments.append(f"--state={ledger}")
        self._restarting = False
        self._port = self._start(options.port)
        self.url = f"http://127.0.0.1:{self._port}"

    @property
    def running(self) -> bool:
        """Whether the process is alive, or about to be again."""
        return self._restarting or self._process.poll() is None

    def restart(self, pause: threading.Event, seconds: float) -> None:
        """Kill the process, and ``seconds`` later, or when ``pause`` is set, start it again on the same port.

        If it does not start again, it is not ``running``.
        """
        self._restarting = True
        try:
            self._process.kill()
            self._end()
            pause.wait(seconds)
            self._start(self._port)
        except ServiceError:
            pass
        finally:
            self._restarting = False

    def close(self) -> None:
        """End the process and wait for that."""
        self._end()

    def _start(self, port: int) -> int:
        with _interrupts_held():
            self._process = subprocess.Popen(
                [sys.executable, str(SERVICE), f"--port={port}", *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        assert self._process.stdout is not None
        answer = json.loads(self._process.stdout.readline() or '{"error": "it ended without a word"}')
        if "error" in answer:
            self._end()
            raise ServiceError(f"the service did not start: {answer['error']}")
        return int(answer["port"])

    def _end(self) -> None:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def __enter__(self) -> ServiceProcess:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _interrupts_held() -> Generator[None, None, None]:
    """Hold SIGINT back meanwhile, in this thread and, for good, in a process started by it."""
    # A child that has not got to its own session yet would die of Ctrl-C.
    if sys.platform == "win32":
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
