"""The type variables, protocols and aliases of annotations. Nothing uses them at run time.

An executor is an `X[A, B]`: it takes callables that return an A, and its futures give a B. One that hands on what the
callable returns, as a thread pool does, is an `X[Anything, Returned[Never]]`; if it may give a C instead, because an
`error_fn` does, an `X[Anything, Returned[C]]`. Bare, an `X` is an `X[Any, Any]`. A `PollExecutor[A, B]` may say with a
third type what its delegate's futures give, and so what may be adopted: it is an A where the delegate hands that on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Hashable, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeAlias, TypeVar

from ._core import PollDescriptor

if TYPE_CHECKING:
    from typing_extensions import Never as Never
    from typing_extensions import TypeVar as TypeVarWithDefault

    A = TypeVarWithDefault("A", bound=Any, default=Any)
    B = TypeVarWithDefault("B", default=Any, covariant=True)
    # Without an upper bound of Any, pyright has the argument of a lambda be an object.
    C = TypeVarWithDefault("C", bound=Any, default=Any)
    D = TypeVarWithDefault("D", default=Any)
    T = TypeVarWithDefault("T", default=Any)
    X = TypeVarWithDefault("X", default=Never)
else:
    from typing import NoReturn as Never

    A = TypeVar("A")
    B = TypeVar("B", covariant=True)
    C = TypeVar("C")
    D = TypeVar("D")
    T = TypeVar("T")
    X = TypeVar("X")

__all__: list[str] = []

P = ParamSpec("P")
E = TypeVar("E")
R = TypeVar("R")
Given = TypeVar("Given", covariant=True)


class Anything:
    """Instead of A: a callable may return what it likes."""


class Returned(Generic[Given]):
    """Instead of B: what the callable returns, or a `Given`."""


class Awaited(Generic[Given]):
    """Instead of B: what the coroutine gives that the callable returns, or a `Given`."""


class Untyped:
    """No executor is one of `Untyped`, so an overload for `X[Untyped, Untyped]` is for `X[Any, Any]`."""


class FutureLike(Protocol[Given]):
    """A future: one of `concurrent.futures`, or anything with these methods."""

    def result(self, timeout: float | None = None) -> Given: ...

    def add_done_callback(self, fn: Callable[[Any], object], /) -> object: ...


class Plain(Protocol):
    """An executor that is not of this library: its futures have the results of the callables."""

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]: ...

    def shutdown(self, wait: bool = True) -> None: ...


Async: TypeAlias = Callable[P, Coroutine[Any, Any, R]]
Count: TypeAlias = int | Callable[[], int | None] | None
Log: TypeAlias = logging.Logger | None
Name: TypeAlias = str | None
OnError: TypeAlias = Callable[[BaseException], D] | None
Delay: TypeAlias = float | None
Poll: TypeAlias = Callable[[list[PollDescriptor[E, D]]], Delay | Coroutine[Any, Any, Delay]]
Cancel: TypeAlias = Callable[[D], object] | None
CancelMany: TypeAlias = Callable[[list[D]], Iterable[object] | Coroutine[Any, Any, Iterable[object]]] | None
GroupBy: TypeAlias = Callable[[D], Hashable] | None
Hook: TypeAlias = Callable[[], Coroutine[Any, Any, object]] | None
