"""A service whose books are a file that it appends to: they outlive whoever calls it.

A line is `start KEY TOKEN ID`, `failed ID` or `cancelled ID`. A token that is known starts nothing. One process at a
time uses it.
"""

from __future__ import annotations

import os
import threading
from typing import Any


class Ledger:
    """The books, read once, and kept."""

    def __init__(self, path: str, name: str) -> None:
        """Tasks have ids that begin with `name`."""
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600)
        self._name = name
        self._lock = threading.Lock()
        self._count = 0
        self.ids: dict[str, str] = {}  # by key, the last
        self.by_token: dict[str, str] = {}
        self.over: dict[str, str] = {}
        self.again: list[str] = []  # keys of tasks that were started while the one before went on
        with open(path) as lines:
            for line in lines:
                self._enter(line.split())

    def _enter(self, words: list[str]) -> None:
        if words[0] == "start":
            _, key, token, task_id = words
            before = self.ids.get(key)
            if before is not None and before not in self.over:
                self.again.append(key)
            self.ids[key] = self.by_token[token] = task_id
        else:
            self.over[words[1]] = words[0]

    def _append(self, *words: str) -> None:
        line = " ".join(words)
        assert os.write(self._file, f"{line}\n".encode()) == len(line) + 1
        self._enter(list(words))

    def start(self, key: str, token: str | None) -> dict[str, Any]:
        with self._lock:
            if token is None or token not in self.by_token:
                self._count += 1
                task_id = f"{self._name}-{self._count}"
                self._append("start", key, token or task_id, task_id)
            return {"id": self.ids[key] if token is None else self.by_token[token]}

    def end(self, task_id: str, how: str) -> None:
        with self._lock:
            if task_id not in self.over:
                self._append(how, task_id)

    def close(self) -> None:
        os.close(self._file)
