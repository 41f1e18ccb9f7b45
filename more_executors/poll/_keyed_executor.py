"""Tasks with keys: a program that is run again starts what it has not started yet, and waits for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Generic

from .._checks import iterated
from .._types import A, B, P, T
from ._adopting import AdoptingExecutor, seconds_or_none
from ._keyed_submits import KeyedSubmits

__all__: list[str] = []

NO_KEY: Any = object()


class KeyedExecutor(AdoptingExecutor[A, B, T], Generic[A, B, T]):
    """An AdoptingExecutor whose tasks can have keys, if it has a journal that keeps those."""

    _keyed_submits: KeyedSubmits | None

    def adopt(self, result: T, *, timeout: float | None = None, key: Any = NO_KEY) -> Future[B]:
        """Poll a task that exists already, and return a future for it. `result` is what a callable would have returned.

        It is polled from now on; the delegate is not asked. `timeout`, in seconds, is instead of the executor's. Costs
        less than a microsecond.

        With a `key`, as for `submit_once`, it is the task of that key, unless there was one that goes on or has ended:
        then the future is that of this one. A start that was in doubt is so no more. It returns when it is on disk that
        there is such a task; `timeout` cannot be given then.

        Raises TypeError or ValueError if one of these cannot be used, RuntimeError after `shutdown`; with a key, what
        `submit_once` does.
        """
        if key is not NO_KEY:
            return self.adopt_many((result,), timeout=timeout, keys=(key,))[0]
        # Not by `super`, which costs half as much again.
        return self._poll_table.adopt(self, result, seconds_or_none(timeout))

    def adopt_many(
        self, results: Iterable[T], *, timeout: float | None = None, keys: Iterable[Any] | None = None
    ) -> list[Future[B]]:
        """`adopt` for each of `results`; returns the futures in the same order. A million take about a second.

        `keys` are those of the tasks, as many. Raises what iterating over `results` and `keys` raises, and what `adopt`
        does; then none of them is polled, unless it is because the journal cannot be read.
        """
        if keys is None:
            return super().adopt_many(results, timeout=timeout)
        submits = self._keys("adopt_many")
        if timeout is not None:
            raise ValueError("timeout cannot be given for tasks with keys: they have that of the executor")
        found = list(iterated("results", results, "results of callables"))
        given = list(iterated("keys", keys, "keys"))
        if len(found) != len(given):
            raise ValueError(f"keys must be as many as results, {len(found)}, not {len(given)}")
        return submits.adopt_many(self, given, found)

    def resume_keys(self) -> dict[Any, Future[B]]:
        """Poll the tasks with keys that the journal has from an earlier run as going on; returns futures by key.

        What is waited for already, as `submit_once` was called for it, is not among them, nor what is in doubt. A key
        that is a list is a tuple here. Raises ValueError if the executor has no journal that keeps keys, RuntimeError
        after `shutdown`.
        """
        return self._keys("resume_keys").resume(self)

    def submit_once(self, key: Any, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Future[B]:
        """As `submit`, unless there was a task for `key`: then the future is that of this one.

        A task that has ended, in this run or an earlier one, gives a future that is done. One that goes on is waited
        for. `fn` is called for others alone, after it is on disk that it will be; how often depends on what is below,
        such as a retry. What is to become of a task for which that is all that is known, `keys` of the executor says.
        If `fn` raises, no task was started, unless it raises `StartInDoubt`: then it is not called again, even if what
        is below retries. A future may fail without its task: if a call of the poll function raises, or the task is late
        and nothing cancels it. Such a task goes on, and is waited for by the next call of this.

        Args:
            key: a str, a number, None, or a list of these: one that is used by nobody else for something else.
            fn: starts a task, as for `submit`.

        Raises TypeError or ValueError if one of these cannot be used, or the executor has no journal that keeps keys;
        JournalError if that cannot be read; and what `submit` does. Costs some 10 µs, and reads the file for keys that
        have ended.
        """
        try:
            return self._keys("submit_once").submit(self, key, fn, args, kwargs)
        finally:
            del self, key, fn, args, kwargs  # see _frames

    def submit_many_once(self, fn: Callable[[Any], A], keys: Iterable[Any]) -> list[Future[B]]:
        """`submit_once(key, fn, key)` for each of `keys`; returns the futures in the same order.

        Reads the file once. Raises what `submit_once` does; before anything is started, if it is about a key. If
        submitting fails later, those before go on, and another call finds them.
        """
        found = list(iterated("keys", keys, "keys (for one of them there is `submit_once`)"))
        return self._keys("submit_many_once").submit_many(self, fn, found)

    def _keys(self, what: str) -> KeyedSubmits:
        if self._keyed_submits is None:
            raise ValueError(f"{what}: {self!r} has no journal that keeps keys")
        return self._keyed_submits
