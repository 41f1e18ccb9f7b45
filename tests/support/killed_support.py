"""Processes that are killed, and what they said before."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, cast

from support import CHILD_PATIENCE, InThread

import more_executors


class KilledProcess:
    """A process that runs a script of `tests/killed`, and what it says while nobody asks."""

    def __init__(self, name: str, *arguments: object, marks: tuple[str, ...] = ("open",)) -> None:
        """`marks` are beginnings of lines that can be waited for."""
        script = Path(__file__).parents[1] / "killed" / f"{name}.py"
        environment = {**os.environ, "PYTHONPATH": str(Path(more_executors.__file__).parent.parent)}
        command = [sys.executable, str(script), *map(str, arguments)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdout=pipe, stderr=pipe, stdin=pipe, text=True, env=environment)
        self._said = {mark: threading.Event() for mark in marks}
        self._output = InThread(self._read, self._process.stdout)
        self._errors = InThread(self._process.stderr.read)  # type: ignore[union-attr]

    def _read(self, output: IO[str]) -> list[str]:
        lines = []
        for line in output:
            lines.append(line.strip())
            for mark, event in self._said.items():
                if line.startswith(mark):
                    event.set()
        for event in self._said.values():
            event.set()
        return lines

    def wait_until_said(self, mark: str) -> None:
        assert self._said[mark].wait(CHILD_PATIENCE), f"it does not say {mark!r}"

    def kill(self) -> list[str]:
        """End it here and now; returns the lines it said."""
        ended = self._process.poll()
        self._process.kill()
        with self._process:
            lines, errors = self._output.outcome(), self._errors.outcome()
        assert (ended, errors) == (None, "")
        return cast("list[str]", lines)

    def end(self) -> list[str]:
        """Wait until it ends by itself; returns the lines it said."""
        assert self._process.wait(CHILD_PATIENCE) == 0, self._errors.outcome()
        with self._process:
            lines, errors = self._output.outcome(), self._errors.outcome()
        assert errors == ""
        return cast("list[str]", lines)
