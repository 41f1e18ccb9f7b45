"""The typed face of `status_poll`."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, overload

from typing_extensions import Self

from .._core import PollDescriptor
from .._types import C, D, E, Log, R

__all__ = ["StatusPoll", "TaskMissing"]

class TaskMissing(LookupError):  # noqa: N818
    task_id: Any
    since: datetime
    seconds: float
    def __init__(self, task_id: Any, since: datetime, seconds: float) -> None: ...

class StatusPoll(Generic[C, D]):
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
        clock: Callable[[], float] = ...,
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
        clock: Callable[[], float] = ...,
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
        clock: Callable[[], float] = ...,
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
        clock: Callable[[], float] = ...,
    ) -> Self: ...
    def __call__(self, descriptors: list[PollDescriptor[C, D]]) -> None: ...

class AsyncStatusPoll(StatusPoll[C, D]):
    async def __call__(self, descriptors: list[PollDescriptor[C, D]]) -> None: ...  # type: ignore[override]
