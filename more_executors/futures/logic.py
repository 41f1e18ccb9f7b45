"""Futures of the first result that decides."""

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
    """A future of the first result that is true; if there is none, it has the outcome of the future that ends last.

    The futures that are not needed any more are cancelled. Cancelling this future cancels all of them. With one
    argument, that one is returned. If `bool()` of a result raises, that counts as a failure with this exception.

    Raises TypeError if an argument is no future.
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
    """A future with the outcome of the first future that has a false result, fails or is cancelled.

    If there is none, it has the outcome of the future that ends last. Otherwise as `f_or`.
    """
    check_futures(f_and.__name__, (f, *fs))
    return chosen(_and, [f, *fs], False) if fs else f
