"""The typed face of `poll`."""

from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, Generic, TypedDict, overload, type_check_only

from .._chaining import Chainable
from .._core import Backoff, PollDescriptor
from .._runtime.executor import ThreadedExecutor
from .._types import A, Anything, B, C, Cancel, CancelMany, D, E, GroupBy, Log, P, Plain, Poll, Returned, T, X
from ..journal import JournalLike
from ..rate_limit import RateLimit
from ..retry import RetryPolicy
from .stats import OutstandingTask, PollStats

__all__ = ["PollDescriptor", "PollExecutor"]

@type_check_only
class PollKeywords(TypedDict, Generic[E], total=False):
    """The keywords for polling at high volume; an E is the `result` of a descriptor."""

    min_interval: float | None
    batch_size: int | None
    group_by: GroupBy[E]
    max_concurrency: int
    rate_limit: RateLimit | None
    retry_policy: RetryPolicy | None
    schedule: Backoff | None
    timeout: float | None
    cancel_many_fn: CancelMany[E]
    journal: JournalLike | None
    open_fn: Callable[[], Coroutine[Any, Any, object]] | None
    close_fn: Callable[[], Coroutine[Any, Any, object]] | None

class PollExecutor(ThreadedExecutor[A, B], Generic[A, B, T]):
    """A T is the `result` of a descriptor: what the delegate makes of an A."""

    @overload
    def __init__(
        self: PollExecutor[C, D, C],
        delegate: Plain,
        poll_fn: Poll[C, D],
        cancel_fn: Cancel[C] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: str = "default",
        *,
        min_interval: float | None = None,
        batch_size: int | None = None,
        group_by: GroupBy[C] = None,
        max_concurrency: int = 1,
        rate_limit: RateLimit | None = None,
        retry_policy: RetryPolicy | None = None,
        schedule: Backoff | None = None,
        timeout: float | None = None,
        cancel_many_fn: CancelMany[C] = None,
        journal: JournalLike | None = None,
        open_fn: Callable[[], Coroutine[Any, Any, object]] | None = None,
        close_fn: Callable[[], Coroutine[Any, Any, object]] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: PollExecutor[C, D, C | X],
        delegate: Chainable[Anything, Returned[X]],
        poll_fn: Poll[C | X, D],
        cancel_fn: Cancel[C | X] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: str = "default",
        *,
        min_interval: float | None = None,
        batch_size: int | None = None,
        group_by: GroupBy[C | X] = None,
        max_concurrency: int = 1,
        rate_limit: RateLimit | None = None,
        retry_policy: RetryPolicy | None = None,
        schedule: Backoff | None = None,
        timeout: float | None = None,
        cancel_many_fn: CancelMany[C | X] = None,
        journal: JournalLike | None = None,
        open_fn: Callable[[], Coroutine[Any, Any, object]] | None = None,
        close_fn: Callable[[], Coroutine[Any, Any, object]] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        delegate: Chainable[A, T],
        poll_fn: Poll[T, B],
        cancel_fn: Cancel[T] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: str = "default",
        *,
        min_interval: float | None = None,
        batch_size: int | None = None,
        group_by: GroupBy[T] = None,
        max_concurrency: int = 1,
        rate_limit: RateLimit | None = None,
        retry_policy: RetryPolicy | None = None,
        schedule: Backoff | None = None,
        timeout: float | None = None,
        cancel_many_fn: CancelMany[T] = None,
        journal: JournalLike | None = None,
        open_fn: Callable[[], Coroutine[Any, Any, object]] | None = None,
        close_fn: Callable[[], Coroutine[Any, Any, object]] | None = None,
    ) -> None: ...
    def _work(self) -> float | None: ...
    @classmethod
    def __class_getitem__(cls, types: Any) -> Any: ...
    def submit(  # type: ignore[override]  # its futures never give what a callable returns: nothing to choose from
        self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[B]: ...
    def map(  # type: ignore[override]
        self,
        fn: Callable[..., A],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[B]: ...
    def notify(self) -> None: ...
    def adopt(self, result: T, *, timeout: float | None = None) -> Future[B]: ...
    def adopt_many(self, results: Iterable[T], *, timeout: float | None = None) -> list[Future[B]]: ...
    def resume(self) -> list[tuple[T, Future[B]]]: ...
    def flush_journal(self, timeout: float | None = None) -> bool: ...
    def cancel_all(self) -> int: ...
    def cancel_many(self, futures: Iterable[Future[Any]]) -> int: ...
    def outstanding(self) -> list[OutstandingTask]: ...
    def stats(self) -> PollStats: ...
    def _repr_html_(self) -> str: ...
