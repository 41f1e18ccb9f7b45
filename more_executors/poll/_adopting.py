"""Tasks that exist already: adopted one by one, or found in a journal."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from threading import TIMEOUT_MAX
from typing import Any, Generic, cast

from .._checks import checked_seconds, iterated
from .._core import PollTable
from .._types import A, B, T
from ._engine import PollEngine
from ._leaving import LeavingExecutor

__all__: list[str] = []


class AdoptingExecutor(LeavingExecutor[A, B, T], Generic[A, B, T]):
    """A LeavingExecutor with a `PollEngine`, whose table takes tasks that the delegate has not begun.

    A T is the `result` of a descriptor: what the delegate makes of an A.
    """

    _engine: PollEngine
    _poll_table: PollTable

    def __class_getitem__(cls: Any, types: Any) -> Any:
        """For annotations: the third type may be left out."""
        if isinstance(types, tuple) and len(cast("tuple[object, ...]", types)) == len(cls.__parameters__) - 1:
            types = (*types, Any)
        return super().__class_getitem__(types)  # type: ignore[misc]  # mypy does not know that of Generic

    def adopt(self, result: T, *, timeout: float | None = None) -> Future[B]:
        """Poll a task that exists already, and return a future for it. `result` is what a callable would have returned.

        It is polled from now on; the delegate is not asked. `timeout`, in seconds, is instead of the executor's. Raises
        TypeError or ValueError if that cannot be used, RuntimeError after `shutdown`. Costs less than a microsecond.
        """
        return self._poll_table.adopt(self, result, seconds_or_none(timeout))

    def adopt_many(self, results: Iterable[T], *, timeout: float | None = None) -> list[Future[B]]:
        """`adopt` for each of `results`; returns the futures in the same order. A million take about a second.

        Raises what iterating over `results` raises, and what `adopt` does; then none of them is polled.
        """
        found = list(iterated("results", results, "results of callables (for one of them there is `adopt`)"))
        return self._poll_table.adopt_many(self, found, seconds_or_none(timeout))

    def resume(self) -> list[tuple[T, Future[B]]]:
        """Poll the tasks that `journal` has from an earlier run. Returns the `result` of each, and a future for it.

        They are in the order in which the tasks began to be polled. What was returned once is not returned again; when
        it raises, a Ctrl-C say, nothing was taken up, and it can be called again. Raises ValueError if the executor has
        no journal, RuntimeError after `shutdown`.
        """
        if self._engine.recorder is None:
            raise ValueError(f"resume: {self!r} has no journal")
        recovery, claimant = self._engine.recorder.recovery, object()
        keys: list[int] = []
        results: list[Any] = []
        futures: list[Future[Any]] = []
        try:
            if not recovery.claim(claimant):
                return []
            keys, results = recovery.keys, recovery.values
            self._poll_table.adopt_many(self, results, keys=keys, futures=futures)
            resumed = list(zip(results, futures, strict=True))
            recovery.keys, recovery.values = [], []
            return resumed
        except BaseException:  # a Ctrl-C: the next call is to find it all
            if recovery.is_claimed_by(claimant):
                self._poll_table.retract_adopted(futures, results, keys)
                recovery.give_back(claimant, keys or recovery.keys, results or recovery.values)
            raise

    def flush_journal(self, timeout: float | None = None) -> bool:
        """Wait until all tasks that have joined or ended so far are recorded in `journal`. Returns whether they are.

        True means on disk, whatever else goes on. `timeout` is how many seconds to wait at most, None for as long as it
        takes. Without waiting it is False while a task is outstanding that could not be encoded, when the journal's
        file was deleted, moved or replaced, and when something was not recorded, as the interpreter was ending. Raises
        ValueError if the executor has no journal.
        """
        if self._engine.recorder is None:
            raise ValueError(f"flush_journal: {self!r} has no journal")
        seconds = None if timeout is None else min(checked_seconds("timeout", timeout), TIMEOUT_MAX)
        return self._engine.recorder.flush(seconds)


def seconds_or_none(timeout: float | None) -> float:
    """`timeout`, checked, or a negative number for None."""
    return -1.0 if timeout is None else checked_seconds("timeout", timeout)
