"""What a poll sees of a task while it is being cancelled: that it is over may be what the cancel has done."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager

__all__: list[str] = []


class WhileCancelling:
    """For services that ask after a cancel what came of it: meanwhile `resolve` is to leave those tasks alone.

    Else a poll that sees a task end as it was told to would have its future fail, and `cancel()` be False.
    """

    cancelling: set[str]

    @contextmanager
    def being_cancelled(self, tasks: Iterable[str]) -> Generator[None]:
        """While this lasts, `tasks` are in `cancelling`: whether they are cancelled is about to be known."""
        self.cancelling.update(tasks)
        try:
            yield
        finally:
            self.cancelling.difference_update(tasks)
