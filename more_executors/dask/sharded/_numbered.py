"""Messages that are numbered, kept until the other side has them, and taken once, whatever is lost or comes twice."""

from __future__ import annotations

from collections import deque

__all__: list[str] = []

MOST_BYTES = 4 << 20  # that are sent at once, but for a single message


class Outbox:
    """Messages on their way. One thread may `add` while another does the rest."""

    def __init__(self) -> None:
        self._first = 1  # the number of the first that is kept
        self._kept: deque[bytes] = deque()

    def add(self, message: bytes) -> None:
        self._kept.append(message)

    def forget(self, last: int) -> None:
        """The other side has dealt with all up to the number `last`."""
        while self._kept and self._first <= last:
            self._kept.popleft()
            self._first += 1

    def after(self, last: int) -> tuple[int, list[bytes]]:
        """The messages after the number `last`, or the first of them; and the number of the first."""
        first = max(self._first, last + 1)
        found: list[bytes] = []
        size = 0
        for message in list(self._kept.copy())[first - self._first :]:
            size += len(message)
            if found and size > MOST_BYTES:
                break
            found.append(message)
        return first, found

    def has_after(self, last: int) -> bool:
        """Whether there are any."""
        return self._first + len(self._kept) - 1 > last


class Inbox:
    """For one thread at a time."""

    def __init__(self) -> None:
        self.last = 0  # the number of the last message that was taken

    def new(self, first: int, messages: list[bytes]) -> list[bytes]:
        """Those of `messages`, the first of which has the number `first`, that were not here before."""
        fresh = messages[max(self.last + 1 - first, 0) :] if first <= self.last + 1 else []
        self.last += len(fresh)
        return fresh
