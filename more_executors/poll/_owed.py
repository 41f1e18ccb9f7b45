"""What an executor has promised to do in the background, so that nobody ends its threads before."""

from __future__ import annotations

from collections.abc import Callable

__all__: list[str] = []


class Owed:
    """The things that are owed, whatever they are. May be used from any thread, and from a signal handler.

    No lock: adding to a set and taking out of it are atomic.
    """

    def __init__(self) -> None:
        self.when_none: Callable[[], object] = bool  # called when the last is done
        self._pending: set[object] = set()

    def __len__(self) -> int:
        return len(self._pending)

    def begin(self, what: object) -> None:
        """This is owed."""
        self._pending.add(what)

    def end(self, what: object) -> None:
        """This is done, or will never be; to say so twice does no harm."""
        self._pending.discard(what)
        if not self._pending:
            self.when_none()
