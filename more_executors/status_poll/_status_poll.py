"""A poll function made of a function that gets the statuses of ids.

Guarantees:

* An error in one entry of a reply, or for one task, concerns that one only. The call raises what `fetch` raises, and
  `Throttled` whichever function raises it.
* Only replies that could be read count for `TaskMissing`: not a call that failed, and not a reply without any readable
  entry.
* No lock is held while `fetch`, `key`, `id`, `resolve` or `clock` is called.
* Between calls it keeps only the times when missing tasks were left out first, and without `missing_after` nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, cast, overload

from .._callables import check_callable, check_optional_callable, done_by, is_async
from .._checks import chosen_logger, shown
from .._core import PollDescriptor, log
from .._types import C, D, E, Log, R
from ..rate_limit import Throttled
from ._missing_tasks import MissingError, MissingTasks
from ._request import StatusRequest, check_reply, fail, resolve_one

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["StatusPoll"]


class StatusPoll(Generic[C, D]):
    """A poll function for a service that returns the statuses of many tasks at once, by their ids.

        def resolve(descriptor, status):
            if status["state"] == "finished":
                descriptor.yield_result(status["output"])
            elif status["state"] == "failed":
                descriptor.yield_exception(RuntimeError(status["reason"]))

        poll = StatusPoll(service.statuses, key=lambda status: status["id"], resolve=resolve, missing_after=60)
        with Executors.thread_pool().with_poll(poll, batch_size=100) as executor:
            futures = [executor.submit(service.start, job) for job in jobs]

    Each call calls `fetch` once, with the ids of all its tasks, and then `resolve` for each status. Without tasks it
    calls nothing. If several tasks have the same id, it is asked for once, and each of them is resolved.

    It may be called from several threads at a time, and used by several executors, if its functions may. A task costs a
    lookup in a dict, and the calls of the functions.

    If `fetch` is an `async def`, this has to be awaited too.
    """

    _fetch: Callable[[list[Any]], Any]
    _key: Callable[[Any], object] | None
    _resolve: Callable[[PollDescriptor[Any, Any], Any], object]
    _id: Callable[[Any], object] | None
    _logger: logging.Logger
    _missing: MissingTasks
    _reported: dict[str, object]

    @overload
    def __new__(
        cls,
        fetch: Callable[[list[E]], Awaitable[Mapping[E, R]]],
        key: None,
        resolve: Callable[[PollDescriptor[C, D], R], object],
        *,
        missing_after: float | None = None,
        id: Callable[[C], E] | None = None,
        logger: Log = None,
        clock: Callable[[], float] = time.monotonic,
        missing_error: MissingError | None = None,
    ) -> AsyncStatusPoll[C, D]: ...
    @overload
    def __new__(
        cls,
        fetch: Callable[[list[E]], Awaitable[Iterable[R]]],
        key: Callable[[R], E],
        resolve: Callable[[PollDescriptor[C, D], R], object],
        *,
        missing_after: float | None = None,
        id: Callable[[C], E] | None = None,
        logger: Log = None,
        clock: Callable[[], float] = time.monotonic,
        missing_error: MissingError | None = None,
    ) -> AsyncStatusPoll[C, D]: ...
    @overload
    def __new__(
        cls,
        fetch: Callable[[list[E]], Mapping[E, R]],
        key: None,
        resolve: Callable[[PollDescriptor[C, D], R], object],
        *,
        missing_after: float | None = None,
        id: Callable[[C], E] | None = None,
        logger: Log = None,
        clock: Callable[[], float] = time.monotonic,
        missing_error: MissingError | None = None,
    ) -> Self: ...
    @overload
    def __new__(
        cls,
        fetch: Callable[[list[E]], Iterable[R]],
        key: Callable[[R], E],
        resolve: Callable[[PollDescriptor[C, D], R], object],
        *,
        missing_after: float | None = None,
        id: Callable[[C], E] | None = None,
        logger: Log = None,
        clock: Callable[[], float] = time.monotonic,
        missing_error: MissingError | None = None,
    ) -> Self: ...
    def __new__(
        cls,
        fetch: Callable[[list[Any]], Any],
        key: Callable[[Any], object] | None,
        resolve: Callable[[PollDescriptor[Any, Any], Any], object],
        *,
        missing_after: float | None = None,
        id: Callable[[Any], object] | None = None,
        logger: Log = None,
        clock: Callable[[], float] = time.monotonic,
        missing_error: MissingError | None = None,
    ) -> Any:
        """Make it.

        Args:
            fetch: a function, or an `async def`. It gets a new list of different ids, and returns an iterable of
                statuses, or a mapping of ids to statuses. If it raises, the call raises the same.
            key: a function that gets a status and returns its id. It is not called for mappings, and may be None if
                `fetch` always returns mappings.
            resolve: a function that gets a descriptor and a status. It calls `yield_result` or `yield_exception` of
                the descriptor, or does nothing while the task goes on. If it raises, the task fails with that.
            missing_after: a float, the seconds after which a task that all replies leave out fails with `TaskMissing`;
                None is never.
            id: a function that gets what the submitted callable returned, and returns the id of the task, which must be
                hashable. If it raises, the task fails with that. By default, what the callable returned is the id.
            logger: a `logging.Logger`, by default the logger "StatusPoll". It gets one warning each for the first entry
                that `key` cannot read, the first id that was not asked for, and the first id that comes twice in a
                reply, where the first status counts.
            clock: a function that returns the time in seconds.
            missing_error: a function that gets an id, a `datetime` and a float, the time of the first reply without the
                task and how many seconds ago that was, and returns the exception that the task fails with, instead of
                `TaskMissing`: for a service of which more is known.

        Raises TypeError or ValueError if one of these cannot be used.

        A call raises what `fetch` raises, `Throttled` if any of the functions raises it, and TypeError if `fetch`
        returns no iterable, or without a `key` no mapping.
        """
        check_callable("fetch", fetch, awaited=True, iterated=True)
        check_optional_callable("key", key)
        check_callable("resolve", resolve)
        check_optional_callable("id", id)
        missing = MissingTasks(missing_after, missing_error, clock)
        if is_async(fetch) and not issubclass(cls, AsyncStatusPoll):
            if cls is not StatusPoll:
                raise TypeError(f"fetch of a {cls.__name__} must not be async, not {shown(fetch)}")
            cls = AsyncStatusPoll
        self: Any = object.__new__(cls)
        self._fetch = fetch
        self._key = key
        self._resolve = resolve
        self._id = id
        self._logger = chosen_logger(logger, "StatusPoll")
        self._missing = missing
        self._reported = {}
        return self

    def __call__(self, descriptors: list[PollDescriptor[C, D]]) -> None:
        """Ask about the tasks of `descriptors`, and resolve those that are done."""
        asked: StatusRequest | None = None
        try:
            asked = StatusRequest(descriptors, self._id)
            if asked.ids:
                self._read(asked, self._fetch(asked.ids.copy()))
        finally:
            del self, descriptors, asked  # see _frames

    def __reduce__(self) -> Any:
        """Copies have the same functions, and know nothing yet about missing tasks."""
        options = {
            "missing_after": self._missing.missing_after,
            "id": self._id,
            "logger": self._logger,
            "clock": self._missing.clock,
            "missing_error": self._missing.missing_error,
        }
        own = {name: value for name, value in vars(self).items() if name not in StatusPoll.__annotations__}
        make = partial(StatusPoll.__new__, type(self), self._fetch, self._key, self._resolve, **options)
        return make, (), own or None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._fetch!r}>"

    def _read(self, asked: StatusRequest, reply: Any) -> None:
        """Resolve the tasks whose statuses are in `reply`, and note which ones are missing."""
        key, resolve, missing, waiting = self._key, self._resolve, self._missing.since, asked.waiting
        mapping = isinstance(reply, Mapping)
        if not mapping:
            check_reply(reply, self._fetch, key)
        entries = cast("Mapping[Any, Any]", reply).items() if mapping else reply
        readable, empty = False, True
        entry = task_id = status = descriptor = twin = None
        try:
            for entry in entries:
                empty = False
                try:
                    task_id, status = entry if mapping else (key(entry), entry)  # type: ignore[misc]  # there is a key then
                    descriptor = waiting.pop(task_id, None)
                except Throttled:
                    raise
                except Exception as error:
                    self._report("an entry whose id cannot be read: %r", entry, error=error)
                    continue
                readable = True
                if descriptor is None:
                    self._report_odd_id(asked, task_id)
                    continue
                try:  # as `resolve_one`, which would cost a call for each
                    if (answer := resolve(descriptor, status)) is not None:
                        done_by(resolve, answer)
                except Throttled:
                    raise
                except Exception as error:
                    fail(descriptor, error)
                if missing:
                    missing.pop(descriptor, None)
                if asked.twins:
                    for twin in asked.twins.pop(task_id, ()):
                        resolve_one(resolve, twin, status)
                        missing.pop(twin, None)
            if waiting and (readable or empty):
                log(self._logger, logging.DEBUG, "the reply leaves out %d ids", len(waiting))
                self._missing.left_out((one, (waiting[one], *asked.twins.get(one, ()))) for one in waiting)
        finally:
            del self, asked, reply, entries, entry, task_id, status, waiting, missing, descriptor, twin

    def _report_odd_id(self, asked: StatusRequest, task_id: object) -> None:
        if task_id in asked.known():
            self._report("two statuses of %r, of which the first counts", task_id)
        else:
            self._report("a status of %r, which was not asked for", task_id)

    def _report(self, what: str, about: object, error: Exception | None = None) -> None:
        """Log something odd about a reply, the first time that it happens."""
        this = object()
        if self._reported.setdefault(what, this) is this:
            message = f"%r returned {what}; the like is not reported again"
            log(self._logger, logging.WARNING, message, self._fetch, about, error=error)


class AsyncStatusPoll(StatusPoll[C, D]):
    """A `StatusPoll` whose `fetch` is an `async def`."""

    async def __call__(  # type: ignore[override]  # so that it is awaited
        self, descriptors: list[PollDescriptor[C, D]]
    ) -> None:
        """Ask about the tasks of `descriptors`, and resolve those that are done."""
        asked: StatusRequest | None = None
        try:
            asked = StatusRequest(descriptors, self._id)
            if asked.ids:
                self._read(asked, await self._fetch(asked.ids.copy()))
        finally:
            del self, descriptors, asked
