"""The first of many futures that decides."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, overload

from .._core import check_futures, chosen
from .._types import FutureLike
from ._sources import future_source

if TYPE_CHECKING:
    from ._types import T0, T1, T2, T3, T4

__all__ = ["f_and", "f_or"]

_or = future_source("or")
_and = future_source("and")


@overload
def f_or(f: FutureLike[T0], /) -> Future[T0]: ...
@overload
def f_or(f: FutureLike[T0], f1: FutureLike[T1], /) -> Future[T0 | T1]: ...
@overload
def f_or(f: FutureLike[T0], f1: FutureLike[T1], f2: FutureLike[T2], /) -> Future[T0 | T1 | T2]: ...
@overload
def f_or(
    f: FutureLike[T0], f1: FutureLike[T1], f2: FutureLike[T2], f3: FutureLike[T3], /
) -> Future[T0 | T1 | T2 | T3]: ...
@overload
def f_or(
    f: FutureLike[T0], f1: FutureLike[T1], f2: FutureLike[T2], f3: FutureLike[T3], f4: FutureLike[T4], /
) -> Future[T0 | T1 | T2 | T3 | T4]: ...
@overload
def f_or(f: FutureLike[T0], *fs: FutureLike[T0]) -> Future[T0]: ...
def f_or(f: Any, *fs: FutureLike[Any]) -> Future[Any]:
    """A future of the first true result to arrive; if there is none, it ends as the last future does.

    What is not needed any more is cancelled, and all when the future is that this returns. With one argument, that is
    returned. A result whose truth cannot be told, because asking raises, counts as failed with that. Raises TypeError
    if one is no future.
    """
    check_futures(f_or.__name__, (f, *fs))
    return chosen(_or, [f, *fs], True) if fs else f


@overload
def f_and(f: FutureLike[T0], /) -> Future[T0]: ...
@overload
def f_and(f: FutureLike[T0], f1: FutureLike[T1], /) -> Future[T0 | T1]: ...
@overload
def f_and(f: FutureLike[T0], f1: FutureLike[T1], f2: FutureLike[T2], /) -> Future[T0 | T1 | T2]: ...
@overload
def f_and(
    f: FutureLike[T0], f1: FutureLike[T1], f2: FutureLike[T2], f3: FutureLike[T3], /
) -> Future[T0 | T1 | T2 | T3]: ...
@overload
def f_and(
    f: FutureLike[T0], f1: FutureLike[T1], f2: FutureLike[T2], f3: FutureLike[T3], f4: FutureLike[T4], /
) -> Future[T0 | T1 | T2 | T3 | T4]: ...
@overload
def f_and(f: FutureLike[T0], *fs: FutureLike[T0]) -> Future[T0]: ...
def f_and(f: Any, *fs: FutureLike[Any]) -> Future[Any]:
    """A future that ends as the first one to arrive that is false, failed or cancelled; if there is none, as the last.

    What is not needed any more is cancelled; and else as `f_or`.
    """
    check_futures(f_and.__name__, (f, *fs))
    return chosen(_and, [f, *fs], False) if fs else f
