"""An event loop that several executors of a chain use: one that starts tasks there, and those that poll and cancel.

Guarantees:

* The loop takes coroutines until the last of them needs it no more, and ends then, after `close_fn`.
* `open_fn` and `close_fn` are those of one of them, and serve all.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from threading import RLock

from .._types import Hook
from .loop_resource import LoopResource
from .loop_thread import LoopThread

__all__: list[str] = []


class SharedLoop:
    """A `LoopThread` called `name`, and what is open while it runs. It ends when each `LoopUse` of it is closed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.thread = LoopThread(name)
        self.resource = LoopResource(self.thread)
        self._lock = RLock()  # guards what follows; a garbage collection inside may close a `LoopUse`
        self._uses: set[object] = set()
        self._is_closed = False

    def used(self, open_fn: Hook, close_fn: Hook, logger: logging.Logger) -> LoopUse | None:
        """A `LoopUse`, with the functions that are not None to open and close; None if the loop has ended, or will.

        Raises ValueError if there are such functions already.
        """
        token = object()
        with self._lock:
            self._uses.add(token)  # first: what is closed in the midst of this is not the last
            if self._is_closed:
                self._uses.discard(token)
                return None
        use = LoopUse(self, token)
        try:
            if open_fn is not None or close_fn is not None:
                self.resource.set_hooks(open_fn, close_fn, logger, self.name)
                use.has_hooks = True
        except BaseException:
            use.close()
            raise
        return use

    def leave(self, token: object) -> None:
        """Do without that one; the last closes the loop. Does not wait."""
        with self._lock:
            self._uses.discard(token)
            is_last = not (self._uses or self._is_closed)
            self._is_closed = self._is_closed or is_last
        if is_last:
            self.resource.close_with_loop()

    def join(self) -> None:
        """Wait until the thread has ended, unless others still use it."""
        if self._is_closed:
            self.thread.join()

    def forget(self) -> None:
        """Call this in a forked child."""
        self._lock = RLock()
        self.thread.forget()


class LoopUse:
    """What an executor has of a loop, until it closes this. All methods may be called from any thread."""

    def __init__(self, shared: SharedLoop, token: object) -> None:
        self.shared = shared
        self.has_hooks = False
        self._token = token

    def close(self) -> None:
        """Need the loop no more, and have nothing opened there any more, if that has not been. Does not wait."""
        if self.has_hooks:
            self.shared.resource.withdraw_hooks()
        self.shared.leave(self._token)

    def shutdown(self, wait: bool = True) -> None:
        """Close it, and wait for the end of the loop if nobody else uses that."""
        self.close()
        if wait:
            self.shared.join()


def new_loop(name: str, open_fn: Hook, close_fn: Hook, logger: logging.Logger) -> LoopUse:
    """A use of a loop that nobody has yet."""
    use = SharedLoop(name).used(open_fn, close_fn, logger)
    assert use is not None
    return use


class ClosedWhenDropped:
    """Closes a LoopUse when nobody refers to this any more.

    No `weakref.finalize`: that would keep the functions of the resource alive, which may refer to the executor. When a
    garbage collection finds both, `__del__` still has them whole.
    """

    _use: LoopUse | None = None  # a Ctrl-C may come before it is there

    def __init__(self, use: LoopUse) -> None:
        self._use = use

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if self._use is not None and not _is_finalizing():  # else modules may have lost what is in them
            self._use.close()
