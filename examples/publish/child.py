"""Another process, which cannot be left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO, Any

GRACE = 5.0
"""How long a process may take to end by itself, in seconds."""


class ServiceError(Exception):
    """A process did not start or ended too early."""


class Child:
    """A process of a ``program`` of this folder, which is called ``name`` in messages.

    It ends when this process does, however that happens, because it watches the pipe that is its standard
    input. It has a session of its own: Ctrl-C in the terminal must not end it before its tasks have been
    cancelled.
    """

    def __init__(self, name: str, program: str, *arguments: str, errors: IO[Any] | None = None) -> None:
        self._name = name
        with _interrupts_held():
            self._process = subprocess.Popen(
                [sys.executable, program, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )

    def news(self) -> dict[str, Any]:
        """What it says once it has started. Raises ServiceError if it does not start."""
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(
            self._process.stdout.readline() or '{"error": "it ended without a word"}'
        )
        if "error" in answer:
            self.end()
            raise ServiceError(f"the {self._name} did not start: {answer['error']}")
        return answer

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill it, and wait for that."""
        self._process.kill()
        self.end()

    def end(self) -> None:
        """Have it end, and wait for that."""
        self.ask_to_end()
        process = self._process
        assert process.stdout is not None
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def ask_to_end(self) -> None:
        """Have it end some time soon."""
        assert self._process.stdin is not None
        self._process.stdin.close()


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
