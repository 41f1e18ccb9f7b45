"""A poll function made of a function that gets the status of one id.

Guarantees:

* A request that fails concerns its own task only.
* At most `max_concurrency` requests are under way, in all calls together, and never two for the same task.
* A task that joins is asked about as soon as there is room, whatever else is asked about meanwhile.
* A request that takes long holds up no other task: a call does not wait for it, and its outcome counts all the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, overload
from weakref import WeakKeyDictionary

from .._callables import check_callable, check_optional_callable, done_by, is_async
from .._checks import checked_count
from .._core import PollDescriptor
from .._frames import without_frames
from .._types import C, D, E, R
from ..partial_failure import PartialFailure
from ..rate_limit import Throttled
from ._concurrent_requests import ConcurrentRequests, LeftBehind
from ._missing_tasks import MissingError, MissingTasks
from ._request import resolve_one
from ._request_line import RequestLine
from ._task_unknown import TaskUnknown

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["EachStatus"]

BATCHES = 16  # requests of a call for each that may be under way: so few calls that they cost next to nothing
CALLS = 2  # at a time, so that the end of one leaves nobody idle


class EachStatus(Generic[C, D]):
    """A poll function for a service that is asked about each task by itself, by its id.

        def fetch_one(task_id):
            reply = session.get(f"{URL}/jobs/{task_id}")
            check_reply(reply)  # from more_executors.services.http
            return reply.json()

        poll = EachStatus(fetch_one, resolve, max_concurrency=64, missing_after=60)
        executor = Executors.thread_pool().with_poll(poll)

    `with_poll` has up to `max_concurrency` threads call `fetch_one`, or if that is an `async def`, has as many
    coroutines wait on the executor's event loop. A request that raises concerns its task alone: that is asked about
    again, or fails, as the `retry_policy` of the executor says. After `Throttled`, nothing is asked until the pause is
    over.

    May be used by several executors, if its functions may be called from several threads at a time. A request that
    does nothing costs an async one some 6 µs.
    """

    @overload
    def __new__(
        cls,
        fetch_one: Callable[[E], Awaitable[R]],
        resolve: Callable[[PollDescriptor[C, D], R], object],
        *,
        max_concurrency: int = 64,
        missing_after: float | None = None,
        id: Callable[[C], E] | None = None,
        clock: Callable[[], float] = time.monotonic,
        missing_error: MissingError | None = None,
    ) -> AsyncEachStatus[C, D]: ...
    @overload
    def __new__(
        cls,
        fetch_one: Callable[[E], R],
        resolve: Callable[[PollDescriptor[C, D], R], object],
        *,
        max_concurrency: int = 64,
        missing_after: float | None = None,
        id: Callable[[C], E] | None = None,
        clock: Callable[[], float] = time.monotonic,
        missing_error: MissingError | None = None,
    ) -> Self: ...
    def __new__(
        cls,
        fetch_one: Callable[[Any], Any],
        resolve: Callable[[PollDescriptor[Any, Any], Any], object],
        *,
        max_concurrency: int = 64,
        missing_after: float | None = None,
        id: Callable[[Any], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        missing_error: MissingError | None = None,
    ) -> Any:
        """Make it.

        Args:
            fetch_one: a function, or an `async def`. It gets an id, and returns the status of that task. Raises
                `TaskUnknown` if the service does not know the task, and `Throttled` if there are too many requests.
            resolve: a function that gets a descriptor and a status. It calls `yield_result` or `yield_exception` of
                the descriptor, or does nothing while the task goes on. If it raises, the task fails with that.
            max_concurrency: an int, how many requests may be under way at a time.
            missing_after: a float, the seconds after which a task fails with `TaskMissing` for which `fetch_one` has
                raised `TaskUnknown` all the time; None is never.
            id: a function that gets what the submitted callable returned, and returns the id of the task; by default,
                that is the id. If it raises, the task fails with that.
            clock: a function that returns the time in seconds.
            missing_error: as for `StatusPoll`.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        check_callable("fetch_one", fetch_one, awaited=True)
        check_callable("resolve", resolve)
        check_optional_callable("id", id)
        if is_async(fetch_one) and not issubclass(cls, AsyncEachStatus):
            cls = AsyncEachStatus
        self: Any = object.__new__(cls)
        self._fetch_one = fetch_one
        self._resolve = resolve
        self._id = id
        self._most = checked_count("max_concurrency", max_concurrency)
        self._missing = MissingTasks(missing_after, missing_error, clock)
        self._lines = WeakKeyDictionary()
        self._left_behind = LeftBehind(self._most)
        self._name = getattr(fetch_one, "__qualname__", None) or repr(fetch_one)
        return self

    asks_one_by_one = True  # for PollOptions

    _fetch_one: Callable[[Any], Any]
    _resolve: Callable[[PollDescriptor[Any, Any], Any], object]
    _id: Callable[[Any], object] | None
    _most: int
    _missing: MissingTasks
    _lines: WeakKeyDictionary[asyncio.AbstractEventLoop, RequestLine]  # of each loop that an async one is used on
    _left_behind: LeftBehind
    _name: str

    def __call__(self, descriptors: list[PollDescriptor[C, D]]) -> None:
        """Ask about the tasks of `descriptors` one after the other, and resolve those that are done."""
        errors: dict[PollDescriptor[Any, Any], BaseException] = {}
        descriptor = throttled = None
        try:
            for descriptor in descriptors:
                if throttled is not None:
                    errors[descriptor] = throttled
                elif not descriptor.done:
                    try:
                        self._ended(descriptor, done_by(self._fetch_one, self._fetch_one(self._id_of(descriptor))))
                    except TaskUnknown:
                        self._unknown(descriptor)
                    except Exception as error:
                        throttled = error if isinstance(error, Throttled) else None
                        errors[descriptor] = without_frames(error, 1)
            raise_errors(errors, len(descriptors))
        finally:
            del self, descriptors, descriptor, errors, throttled  # see _frames

    def poll_options(self, *, is_limited: bool = False) -> dict[str, Any]:
        """The arguments of a `PollExecutor` for this poll function, by name; `is_limited` if there is a rate limit."""
        return {"batch_size": 1, "max_concurrency": self._most}

    def _id_of(self, descriptor: PollDescriptor[Any, Any]) -> Any:
        return descriptor.result if self._id is None else self._id(descriptor.result)

    def _ended(self, descriptor: PollDescriptor[Any, Any], status: Any) -> None:
        """A request for it has given `status`. Raises Throttled if `resolve` does."""
        resolve_one(self._resolve, descriptor, status)
        self._missing.since.pop(descriptor, None)

    def _unknown(self, descriptor: PollDescriptor[Any, Any]) -> None:
        """The service does not know its task."""
        self._missing.left_out([(self._id_of(descriptor), (descriptor,))])

    def __reduce__(self) -> Any:
        """Copies have the same functions, and know nothing yet about missing tasks and requests under way."""
        options = {
            "max_concurrency": self._most,
            "missing_after": self._missing.missing_after,
            "id": self._id,
            "clock": self._missing.clock,
            "missing_error": self._missing.missing_error,
        }
        own = {name: value for name, value in vars(self).items() if name not in EachStatus.__annotations__}
        return partial(EachStatus.__new__, type(self), self._fetch_one, self._resolve, **options), (), own or None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._fetch_one!r}>"


class AsyncEachStatus(EachStatus[C, D]):
    """An `EachStatus` whose `fetch_one` is an `async def`."""

    async def __call__(  # type: ignore[override]  # so that it is awaited
        self, descriptors: list[PollDescriptor[C, D]]
    ) -> None:
        """Ask about the tasks of `descriptors`, up to `max_concurrency` at a time, and resolve those that are done."""
        if not descriptors:
            return
        errors: dict[PollDescriptor[Any, Any], BaseException] = {}
        try:
            loop = asyncio.get_running_loop()
            line = self._lines.get(loop)
            if line is None:
                line = self._lines.setdefault(loop, RequestLine(self._most))
            requests = ConcurrentRequests(self._ask, line, self._left_behind, descriptors, self._name)
            errors = await requests.make()
            raise_errors(errors, len(descriptors))
        finally:
            del self, descriptors, errors

    async def _ask(self, descriptor: PollDescriptor[Any, Any]) -> BaseException | None:
        """Ask about one task; returns what went wrong, or None."""
        try:
            self._ended(descriptor, await self._fetch_one(self._id_of(descriptor)))
        except TaskUnknown:
            self._unknown(descriptor)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:  # SystemExit as well, which would end the loop
            return without_frames(error, 1)
        finally:
            del self, descriptor
        return None

    def poll_options(self, *, is_limited: bool = False) -> dict[str, Any]:
        """The arguments of a `PollExecutor` for this poll function, by name.

        With a rate limit, a call makes one request, so that the limit is one of requests.
        """
        if is_limited:
            return super().poll_options()
        return {"batch_size": BATCHES * self._most, "max_concurrency": CALLS}


def raise_errors(errors: dict[PollDescriptor[Any, Any], BaseException], count: int) -> None:
    """Raise what went wrong with some of `count` tasks, if anything did."""
    try:
        if count == 1 and errors:
            raise next(iter(errors.values()))
        if errors:
            raise PartialFailure(errors)
    finally:
        del errors
