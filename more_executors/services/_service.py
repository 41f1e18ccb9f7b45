"""What a remote service is to an executor: how tasks are started, asked about, cancelled and found."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Hashable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._core import PollDescriptor
from ..rate_limit import RateLimit
from ..retry import RetryPolicy
from ..status_poll import EachStatus, StatusPoll, TaskMissing
from ._outages import LivesThroughOutages, StartsWhenThereIsRoom

if TYPE_CHECKING:
    from typing_extensions import Self

__all__: list[str] = []

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R")


class Service(Generic[T, S, R]):
    """A service that starts tasks, and that is asked what became of them. Subclass it, and override what it can do.

    A `Service[T, S, R]` returns a T when it starts a task, says an S of it when it is asked, and its futures give an R.

        class Builds(Service[int, dict, str]):
            interval = 10

            def start(self, branch):
                return api.post("/builds", {"branch": branch})["id"]

            def fetch(self, ids):
                return {build["id"]: build for build in api.get("/builds", {"ids": ids})}

            def resolve(self, descriptor, build):
                if build["state"] == "passed":
                    descriptor.yield_result(build["url"])
                elif build["state"] in ("failed", "stopped"):
                    descriptor.yield_exception(TaskFailed(descriptor.result, build, build["state"]))

        builds = Builds()
        with Executors.for_service(builds) as executor:
            future = executor.submit(builds.start, "main")

    `fetch` or `fetch_one`, and `resolve`, must be overridden. Others that are not stand for what the service cannot do.
    Those that start, ask, cancel and find may be an `async def`: they run on an event loop then. They are called from
    several threads at a time, if the attributes below say so.

    What follows are attributes that may be set in a subclass, or in an instance before an executor is made: what an
    executor uses by default, see `PollExecutor`.

    Attributes:
        interval: seconds between two questions about a task.
        min_interval: seconds between two calls of `fetch`, at the least.
        batch_size: how many tasks one call of `fetch` asks about at most.
        max_concurrency: how many calls of `fetch`, or of `fetch_one`, may go on at a time.
        start_concurrency: how many calls of `start` may go on at a time.
        missing_after: seconds after which a task fails that all replies leave out; None is never.
        rate_limit: a `RateLimit`, or None.
        outage_errors: what asking and cancelling raise if the service is away: exception classes.
        patience: seconds of an outage that tasks live through.
    """

    interval: float = 5.0
    min_interval: float | None = None
    batch_size: int | None = None
    max_concurrency: int | None = None
    start_concurrency: int = 8
    missing_after: float | None = 300.0
    rate_limit: RateLimit | None = None
    outage_errors: tuple[type[BaseException], ...] = (OSError, TimeoutError, asyncio.TimeoutError)
    patience: float = 86_400.0

    start: Any
    """Starts a task, and returns what it is known by. Each service has its own arguments.

    It raises `Throttled` only if nothing was started, and `StartInDoubt` if it cannot know whether something was.
    """

    def fetch(self, ids: list[Any]) -> Mapping[Any, S] | Iterable[S] | Awaitable[Mapping[Any, S] | Iterable[S]]:
        """What the service says of the tasks with these `ids`: a mapping of ids, or an iterable in any order.

        A task may be left out. Raises one of `outage_errors` if the service is away, `Throttled` if there are too many
        calls.
        """
        raise NotImplementedError(f"{type(self).__name__} must have a method fetch, or fetch_one")

    def fetch_one(self, task_id: Any) -> S | Awaitable[S]:
        """For a service that is asked about one task at a time, instead of `fetch`: what it says of that with this id.

        Raises `TaskUnknown` if the service does not know the task, one of `outage_errors` if it is away, and
        `Throttled` if there are too many calls.
        """
        raise NotImplementedError(f"{type(self).__name__} must have a method fetch, or fetch_one")

    def resolve(self, descriptor: PollDescriptor[T, R], status: S) -> object:
        """Call `yield_result` or `yield_exception` of `descriptor` if its task is done; return None if it goes on."""
        raise NotImplementedError(f"{type(self).__name__} must have a method resolve")

    def id_of(self, task: T) -> Hashable:
        """The id of a task, by which the service is asked. By default the task itself."""
        return task

    def key_of(self, status: S) -> Hashable:
        """The id of the task that `status` is of. Must be overridden if `fetch` returns no mapping."""
        raise NotImplementedError(f"{type(self).__name__} must have a method key_of, or fetch must return a mapping")

    def group_of(self, task: T) -> Hashable:
        """What all tasks of one call of `fetch` must have in common, such as a region."""
        raise NotImplementedError

    def cancel(self, task: T) -> object:
        """Have the service cancel a task; whether it has done so. May be slow."""
        raise NotImplementedError

    def cancel_many(self, tasks: list[T]) -> Iterable[object] | Awaitable[Iterable[object]]:
        """Have the service cancel tasks; as many truth values, whether it has done so."""
        raise NotImplementedError

    def find(self, keys: list[Any]) -> Any:
        """Which of `keys` the service has a task for, as `start` was given `tag_of(key)`: a dict of keys to tasks.

        For `submit_once`: it is asked about starts that are in doubt. It must not leave out a task that was accepted: a
        key of which the service cannot say has a `StartInDoubt` there. That future fails; the next run asks again.
        """
        raise NotImplementedError

    def missing(self, task_id: Any, since: datetime, seconds: float) -> BaseException:
        """What a task fails with that all replies have left out since then, for so many seconds."""
        return TaskMissing(task_id, since, seconds)

    async def aopen(self) -> object:
        """Open what coroutines share, on the executor's event loop, before the first of them is awaited."""
        raise NotImplementedError

    async def aclose(self) -> object:
        """Close that, after the last of them."""
        raise NotImplementedError

    def close(self) -> None:
        """Close what the service has open. Called at the end of `with service:`; the executor does not call it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    if TYPE_CHECKING:  # `with_poll` takes it where it takes a poll function

        def __call__(self, descriptors: list[PollDescriptor[T, R]]) -> Any: ...

    def poll_options(self, *, is_limited: bool = False) -> dict[str, Any]:
        """The arguments of a `PollExecutor` for this service, by name. `with_poll(service)` uses them.

        `find_fn` is among them, which is for the `Keys` of a journal. `is_limited` says that there is a rate limit that
        the service does not know of. Raises TypeError or ValueError if a function or an attribute cannot be used.
        """
        options: dict[str, Any] = {
            "default_interval": self.interval,
            "min_interval": self.min_interval,
            "batch_size": self.batch_size,
            "max_concurrency": self.max_concurrency,
            "rate_limit": self.rate_limit,
            "retry_policy": self.retry_policy(),
            "group_by": self.overridden("group_of"),
            "cancel_fn": self.overridden("cancel"),
            "cancel_many_fn": self.overridden("cancel_many"),
            "find_fn": self.overridden("find"),
            "open_fn": self.overridden("aopen"),
            "close_fn": self.overridden("aclose"),
        }
        poll: Any
        fetch: Any = self.overridden("fetch")
        fetch_one: Any = self.overridden("fetch_one")
        common: Any = {
            "missing_after": self.missing_after,
            "missing_error": self.missing,
            "id": self.overridden("id_of"),
        }
        if fetch is None:
            if fetch_one is None:
                raise TypeError(f"{type(self).__name__} must have a method fetch, or fetch_one")
            most = 64 if self.max_concurrency is None else self.max_concurrency
            poll = EachStatus(fetch_one, self.resolve, max_concurrency=most, **common)
            options |= poll.poll_options(is_limited=is_limited or self.rate_limit is not None)
        else:
            poll = StatusPoll(fetch, self.overridden("key_of"), self.resolve, **common)
        return {"poll_fn": poll, **{name: value for name, value in options.items() if value is not None}}

    def retry_policy(self) -> RetryPolicy:
        """Says whether tasks are asked about again after a call of `fetch` that raised."""
        return LivesThroughOutages(self.outage_errors, self.patience, min(1.0, self.interval))

    def start_policy(self) -> RetryPolicy:
        """Says whether a `start` that raised is called again. By default after `Throttled`."""
        return StartsWhenThereIsRoom()

    def overridden(self, method: str) -> Any:
        """The method of that name, or None if it is the one of `Service`."""
        return None if getattr(type(self), method, None) is getattr(Service, method, None) else getattr(self, method)


Service.__module__ = "more_executors.services"  # where everybody has it from
