"""The typed face of `logic`."""

from concurrent.futures import Future
from typing import TypeVar, overload

from .._types import FutureLike

__all__ = ["f_and", "f_or"]

_T0 = TypeVar("_T0")
_T1 = TypeVar("_T1")
_T2 = TypeVar("_T2")
_T3 = TypeVar("_T3")
_T4 = TypeVar("_T4")

@overload
def f_or(f: FutureLike[_T0], /) -> Future[_T0]: ...
@overload
def f_or(f: FutureLike[_T0], f1: FutureLike[_T1], /) -> Future[_T0 | _T1]: ...
@overload
def f_or(f: FutureLike[_T0], f1: FutureLike[_T1], f2: FutureLike[_T2], /) -> Future[_T0 | _T1 | _T2]: ...
@overload
def f_or(
    f: FutureLike[_T0], f1: FutureLike[_T1], f2: FutureLike[_T2], f3: FutureLike[_T3], /
) -> Future[_T0 | _T1 | _T2 | _T3]: ...
@overload
def f_or(
    f: FutureLike[_T0], f1: FutureLike[_T1], f2: FutureLike[_T2], f3: FutureLike[_T3], f4: FutureLike[_T4], /
) -> Future[_T0 | _T1 | _T2 | _T3 | _T4]: ...
@overload
def f_or(f: FutureLike[_T0], *fs: FutureLike[_T0]) -> Future[_T0]: ...
@overload
def f_and(f: FutureLike[_T0], /) -> Future[_T0]: ...
@overload
def f_and(f: FutureLike[_T0], f1: FutureLike[_T1], /) -> Future[_T0 | _T1]: ...
@overload
def f_and(f: FutureLike[_T0], f1: FutureLike[_T1], f2: FutureLike[_T2], /) -> Future[_T0 | _T1 | _T2]: ...
@overload
def f_and(
    f: FutureLike[_T0], f1: FutureLike[_T1], f2: FutureLike[_T2], f3: FutureLike[_T3], /
) -> Future[_T0 | _T1 | _T2 | _T3]: ...
@overload
def f_and(
    f: FutureLike[_T0], f1: FutureLike[_T1], f2: FutureLike[_T2], f3: FutureLike[_T3], f4: FutureLike[_T4], /
) -> Future[_T0 | _T1 | _T2 | _T3 | _T4]: ...
@overload
def f_and(f: FutureLike[_T0], *fs: FutureLike[_T0]) -> Future[_T0]: ...
