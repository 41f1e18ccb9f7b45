"""Ctrl-C as a number to look at, not as an exception that may strike between any two lines."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupts:
    """Counts the SIGINTs of this process.

    ``count`` is how many arrived since ``install``: 1 asks to cancel everything, 2 not to be thorough about
    it.
    """

    def __init__(self) -> None:
        self.count = 0

    def install(self) -> None:
        """Count from now on. Call it in the main thread."""
        signal.signal(signal.SIGINT, self._note)

    def ignore(self) -> None:
        """Count no more: the exit code is about to be read from ``count``."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    # No lock and no threading.Event: a handler may interrupt the very code that holds their lock.
    def _note(self, _signal_number: int, _frame: FrameType | None) -> None:
        self.count += 1
