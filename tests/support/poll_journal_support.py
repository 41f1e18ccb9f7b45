"""A journal in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any


class Record:
    """A journal in memory; `writes` has what each write was given."""

    def __init__(self, on_record: Sequence[tuple[int, Any]] = ()) -> None:
        self.on_record = dict(on_record)
        self.writes: list[tuple[list[tuple[int, Any]], list[int]]] = []
        self.threads: set[str] = set()

    def write(self, joined: Sequence[tuple[int, Any]], ended: Sequence[int]) -> None:
        self.threads.add(threading.current_thread().name)
        self.writes.append((list(joined), list(ended)))
        self.on_record.update(joined)
        for key in ended:
            self.on_record.pop(key, None)

    def outstanding(self) -> list[tuple[int, Any]]:
        return sorted(self.on_record.items())
