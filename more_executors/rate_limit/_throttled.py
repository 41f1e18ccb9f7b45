"""How a service says that there are too many calls."""

from __future__ import annotations

from ._checks import checked_pause

__all__ = ["Throttled"]


class Throttled(Exception):  # noqa: N818
    """Raised by a call to a service that did nothing, because there are too many calls.

    `retry_after` is how many seconds the service asks to be left alone, or None if it did not say. Raises TypeError if
    that is neither, ValueError if it is negative or not finite.
    """

    retry_after: float | None = None

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__(retry_after)
        self.retry_after = None if retry_after is None else checked_pause(retry_after)

    def __str__(self) -> str:
        return "too many calls" + ("" if self.retry_after is None else f": try again after {self.retry_after:g} s")
