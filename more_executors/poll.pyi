"""The typed face of `poll`."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, overload

from ._chaining import Chainable
from ._core import PollDescriptor
from ._delegating import WorkingExecutor
from ._types import A, Anything, B, Cancel, E, Log, P, Plain, Poll, Returned

__all__ = ["PollDescriptor", "PollExecutor"]

class PollExecutor(WorkingExecutor[A, B]):
    @overload
    def __init__(
        self,
        delegate: Plain,
        poll_fn: Poll[A, B],
        cancel_fn: Cancel[A] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: str = "default",
    ) -> None: ...
    @overload
    def __init__(
        self,
        delegate: Chainable[Anything, Returned[E]],
        poll_fn: Poll[A | E, B],
        cancel_fn: Cancel[A | E] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: str = "default",
    ) -> None: ...
    @overload
    def __init__(
        self,
        delegate: Chainable[A, E],
        poll_fn: Poll[E, B],
        cancel_fn: Cancel[E] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: str = "default",
    ) -> None: ...
    def notify(self) -> None: ...
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
