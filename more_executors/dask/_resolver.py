"""The thread that ends futures: callbacks run there, and so on none of Dask's, nor on that which sends.

Guarantees:

* Who takes a pack out of those that were sent ends its calls, or sends them again: nobody else does.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable, Iterable
from concurrent.futures import InvalidStateError
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Any

from .._core import RemoteCall, log
from .._runtime.nested_calls import start_thread
from ._errors import ClusterLost, WorkerLost, another
from ._outcomes import without_frames
from ._pack import resolve
from ._workers import Worker

__all__: list[str] = []

SECONDS_FOR_OUTCOME = 2.0  # to get it from its worker, before looking whether that is still there


class Pack:
    """Calls that were sent as one task, or are to be sent again."""

    def __init__(self, calls: list[RemoteCall], losses: int = 0) -> None:
        self.calls = calls
        self.losses = losses  # of workers, since it is a single call
        self.name = ""
        self.is_made = False  # all of it
        self.worker: Worker
        self.task: Any = None  # the future of Dask

    def take(self) -> list[RemoteCall]:
        """The calls, of which no more is kept here: Dask may keep this for longer."""
        calls, self.calls = self.calls, []
        return calls


class Resolver:
    """All methods may be called from any thread."""

    def __init__(
        self,
        sent: dict[str, Pack],
        learn: Callable[[float, int, int], object],
        fetched: Callable[[Pack], object],
        lose: Callable[[str, bool], object],
        logger: logging.Logger,
        name: str,
    ) -> None:
        """Start. `learn` is told how long so many calls took, and of how many bytes the outcomes are; `fetched` which
        pack is on its worker no more; `lose` the name of one that was cancelled, or which another worker got."""
        self._sent = sent
        self._learn = learn
        self._fetched = fetched
        self._lose = lose
        self._logger = logger
        self._items: SimpleQueue[Any] = SimpleQueue()
        self._thread = Thread(target=self._run, name=f"{name}-resolver", daemon=True)
        start_thread(self._thread)

    def resolve(self, pack: Pack) -> None:
        """Get the outcome of `pack`, of which there is one, or will be none, and end the futures of its calls."""
        self._items.put(pack)

    def fail(self, failed: Iterable[tuple[RemoteCall, BaseException]]) -> None:
        """End the future of each call with its error."""
        if found := list(failed):
            self._items.put(found)

    def lose(self, calls: Iterable[RemoteCall], error: ClusterLost | WorkerLost) -> None:
        """End the futures of `calls` with `error`, each with one of its own."""
        self.fail((call, another(error)) for call in calls)

    def end(self) -> None:
        """Have the thread end after what it was given."""
        self._items.put(None)

    def is_current(self) -> bool:
        """Whether the caller is on the thread."""
        return current_thread() is self._thread

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def _run(self) -> None:
        while (item := self._items.get()) is not None:
            try:
                if isinstance(item, Pack):
                    self._fetch(item)
                else:
                    for call, error in item:
                        with suppress(InvalidStateError):  # by who abandons all
                            call.future.set_exception(error)
            except Exception as error:
                log(self._logger, logging.ERROR, "%s goes on after an error", current_thread().name, error=error)
            finally:
                item = call = None

    def _fetch(self, pack: Pack) -> None:
        if pack.name not in self._sent:
            return
        try:
            reply = pack.task.result(SECONDS_FOR_OUTCOME)
        except asyncio.TimeoutError:  # in Python 3.10 it is another one, and Dask's
            self._items.put(pack)  # unless its worker turns out to be gone
            return
        except Exception as error:
            if pack.task.status in ("cancelled", "lost"):
                self._lose(pack.name, True)
            elif self._sent.pop(pack.name, None) is not None:
                self._fetched(pack)
                lost = WorkerLost(f"{pack.worker.address} could not run a pack: calls may have been made, or not")
                lost.__cause__ = error
                self.lose(pack.take(), lost)
            return
        if reply is None:
            self._lose(pack.name, False)
        elif self._sent.pop(pack.name, None) is not None:
            pack.task.release()
            calls = pack.take()
            try:
                seconds, outcomes, unlike = pickle.loads(reply)
                self._learn(seconds, len(outcomes), len(reply))
            except Exception as error:  # a lack of memory
                lost = WorkerLost(f"{pack.worker.address} has made calls whose outcomes could not be read here")
                lost.__cause__ = without_frames(error)  # in which the calls are, that the collector does not see
                self.lose(calls, lost)
                return
            finally:
                self._fetched(pack)  # after `learn`, as the next pack is sent then; before a callback submits more
            del reply
            resolve(calls, outcomes, unlike)
