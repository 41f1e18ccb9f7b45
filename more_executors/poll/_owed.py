"""What an executor still has to do in the background, before its threads may end."""

from __future__ import annotations

from collections.abc import Callable

__all__: list[str] = []


class Owed:
    """The things that are still to be done. May be used from any thread, and from a signal handler.

    No lock: adding to a set and taking out of it are atomic.
    """

    def __init__(self) -> None:
        self.when_none: Callable[[], object] = bool  # called when the last is done
        self._pending: set[object] = set()

    def __len__(self) -> int:
        return len(self._pending)

    def begin(self, what: object) -> None:
        """Count `what` from now on."""
        self._pending.add(what)

    def end(self, what: object) -> None:
        """`what` is done, or will never be. May be called twice. Calls `when_none` if nothing is left."""
        self._pending.discard(what)
        if not self._pending:
            self.when_none()
