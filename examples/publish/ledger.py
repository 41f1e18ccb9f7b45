"""The books of the service: its tasks, who asked for them, and what went wrong."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from task import Fate, Settings, Task


class RefusedError(Exception):
    """There will be no task."""


class Ledger:
    """All tasks, in memory; with a ``path`` also in that file, so that they outlive the process.

    The file is only ever added to: a line of JSON for each thing that happens, handed to the operating system
    before anybody is told. So a process that is killed at any moment loses nothing it has answered.
    """

    def __init__(self, settings: Settings, path: Path | None = None) -> None:
        self.tasks: dict[str, Task] = {}
        self._settings = settings
        self._by_request: dict[str, Task | None] = {}  # None: withdrawn before there was a task
        self._withdrawn: set[str] = set()
        self._faults: defaultdict[str, Counter[int]] = defaultdict(Counter)  # by tenths of a second
        self._file: int | None = None
        if path is not None:
            if path.exists():
                self._read(path)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def make_task(self, object_id: str, request_id: str | None) -> Task:
        """Make a task, unless that request has made one already: then that is it.

        Raises RefusedError if there is to be none, LookupError if the request was about another object.
        """
        if request_id is not None and request_id in self._by_request:
            known = self._by_request[request_id]
            if known is None:
                raise RefusedError("the request was withdrawn")
            if known.object_id != object_id:
                raise LookupError("that request was about another object")
            return known
        if Fate.of(object_id, self._settings).refused:
            raise RefusedError("the object is locked")
        task_id = uuid.uuid4().hex
        self._write("task", task_id, object_id, request_id, time.time())
        return self.tasks[task_id]

    def cancel(self, task: Task) -> bool:
        """Cancel a task; returns whether it was running."""
        now = time.time()
        if task.state(now) != "running":
            return False
        self._write("cancel", task.task_id, now)
        return True

    def withdraw(self, request_id: str) -> Task | None:
        """Cancel the task that a request made, and let it make none from now on; returns the task."""
        if request_id not in self._withdrawn:
            self._write("withdraw", request_id)
        task = self._by_request[request_id]
        if task is not None:
            self.cancel(task)
        return task

    def note_fault(self, kind: str, count: int = 1) -> None:
        """Remember that something went wrong."""
        self._write("fault", kind, count, time.time())

    def balance(self) -> dict[str, Any]:
        """All there is: the tasks of each object, and what went wrong when, by tenths of a second."""
        now = time.time()
        objects: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for task in self.tasks.values():
            objects[task.object_id].append(task.status(now))
        for request_id in self._withdrawn:
            withdrawn = self._by_request[request_id]
            if withdrawn is not None:
                for status in objects[withdrawn.object_id]:
                    status["withdrawn"] = True
        faults = {
            kind: [[slot / 10, n] for slot, n in counts.items()] for kind, counts in self._faults.items()
        }
        return {"objects": objects, "faults": faults}

    def _write(self, *entry: Any) -> None:
        if self._file is not None:
            os.write(self._file, f"{json.dumps(entry)}\n".encode())
        self._enter(*entry)

    def _read(self, path: Path) -> None:
        content = path.read_bytes()
        complete = content.rfind(b"\n") + 1  # What comes after it was never answered.
        os.truncate(path, complete)
        for line in content[:complete].splitlines():
            self._enter(*json.loads(line))

    def _enter(self, what: str, *details: Any) -> None:
        if what == "task":
            task_id, object_id, request_id, made = details
            task = Task(task_id, object_id, made, Fate.of(object_id, self._settings))
            self.tasks[task_id] = task
            if request_id is not None:
                self._by_request[request_id] = task
        elif what == "cancel":
            task_id, now = details
            self.tasks[task_id].cancelled = now
        elif what == "withdraw":
            (request_id,) = details
            self._withdrawn.add(request_id)
            self._by_request.setdefault(request_id, None)
        else:
            kind, count, now = details
            self._faults[kind][int(now * 10)] += count
