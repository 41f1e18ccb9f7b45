"""A thread that does something in the middle, once."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Once:
    """While in its ``with`` block, calls ``act`` as soon as ``now()`` is true.

    ``act`` gets an event that is set when the block is left.
    """

    def __init__(self, now: Callable[[], bool], act: Callable[[threading.Event], object]) -> None:
        self._now = now
        self._act = act
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="once", daemon=True)

    def __enter__(self) -> Once:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._left.wait(0.02):
            if self._now():
                self._act(self._left)
                break
