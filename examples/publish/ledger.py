"""The books of the service: its tasks, what they are for, and what went wrong."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from file_lock import lock
from task import Fate, Settings, Task

PATIENCE = 10.0
"""How long a service waits for the one before it to end, in seconds."""


class RefusedError(Exception):
    """There will be no task."""


class Ledger:
    """All tasks, in memory; with a ``path`` also in that file, so that they outlive the process.

    The file is only ever added to: a line of JSON for each thing that happens, handed to the operating system
    before anybody is told. So a process that is killed at any moment loses nothing it has answered. Raises
    OSError if the file cannot be used, or another process uses it, and does not end within ``PATIENCE``.
    """

    def __init__(self, settings: Settings, path: Path | None = None) -> None:
        self.tasks: dict[str, Task] = {}
        self._settings = settings
        self._of_object: dict[str, Task] = {}  # the latest
        self._faults: defaultdict[str, Counter[int]] = defaultdict(Counter)  # by tenths of a second
        self._file: int | None = None
        if path is not None:
            self._file = os.open(
                path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600
            )
            # The service before may still be doing what it was asked by somebody who was killed.
            lock(self._file, PATIENCE)
            self._read(path, self._file)

    def make_task(self, object_id: str) -> Task:
        """Make a task. Raises RefusedError if there is to be none."""
        if Fate.of(object_id, self._settings).refused:
            raise RefusedError("the object is locked")
        task_id = uuid.uuid4().hex
        self._write("task", task_id, object_id, time.time())
        return self.tasks[task_id]

    def find(self, object_ids: Iterable[str]) -> list[Task]:
        """The tasks of these objects; not those that were cancelled or have vanished."""
        now = time.time()
        found = [self._of_object[object_id] for object_id in object_ids if object_id in self._of_object]
        return [task for task in found if task.state(now) not in ("cancelled", "vanished")]

    def cancel(self, task: Task) -> bool:
        """Cancel a task; returns whether it was running."""
        now = time.time()
        if task.state(now) != "running":
            return False
        self._write("cancel", task.task_id, now)
        return True

    def note_fault(self, kind: str, count: int = 1) -> None:
        """Remember that something went wrong."""
        self._write("fault", kind, count, time.time())

    def balance(self) -> dict[str, Any]:
        """All there is: the tasks of each object, and what went wrong when, by tenths of a second."""
        now = time.time()
        objects: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for task in self.tasks.values():
            objects[task.object_id].append(task.status(now))
        faults = {
            kind: [[slot / 10, n] for slot, n in counts.items()] for kind, counts in self._faults.items()
        }
        return {"objects": objects, "faults": faults}

    def _write(self, *entry: Any) -> None:
        if self._file is not None:
            os.write(self._file, f"{json.dumps(entry)}\n".encode())
        self._enter(*entry)

    def _read(self, path: Path, file: int) -> None:
        content = path.read_bytes()
        complete = content.rfind(b"\n") + 1  # What comes after it was never answered.
        os.ftruncate(file, complete)
        for line in content[:complete].splitlines():
            self._enter(*json.loads(line))

    def _enter(self, what: str, *details: Any) -> None:
        if what == "task":
            task_id, object_id, made = details
            task = Task(task_id, object_id, made, Fate.of(object_id, self._settings))
            self.tasks[task_id] = self._of_object[object_id] = task
        elif what == "cancel":
            task_id, now = details
            self.tasks[task_id].cancelled = now
        else:
            kind, count, now = details
            self._faults[kind][int(now * 10)] += count
