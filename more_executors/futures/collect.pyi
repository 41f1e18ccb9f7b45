"""The typed face of `collect`."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Generic, NamedTuple, TypeVar, overload, type_check_only

from .._types import E, FutureLike, R

__all__ = ["f_apply", "f_sequence", "f_traverse", "f_zip"]

_T0 = TypeVar("_T0")
_T1 = TypeVar("_T1")
_T2 = TypeVar("_T2")
_T3 = TypeVar("_T3")
_T4 = TypeVar("_T4")
_T5 = TypeVar("_T5")
_T6 = TypeVar("_T6")

@type_check_only
class ZipTuple0(NamedTuple): ...

@type_check_only
class ZipTuple1(NamedTuple, Generic[_T0]):
    f0: _T0

@type_check_only
class ZipTuple2(NamedTuple, Generic[_T0, _T1]):
    f0: _T0
    f1: _T1

@type_check_only
class ZipTuple3(NamedTuple, Generic[_T0, _T1, _T2]):
    f0: _T0
    f1: _T1
    f2: _T2

@type_check_only
class ZipTuple4(NamedTuple, Generic[_T0, _T1, _T2, _T3]):
    f0: _T0
    f1: _T1
    f2: _T2
    f3: _T3

@type_check_only
class ZipTuple5(NamedTuple, Generic[_T0, _T1, _T2, _T3, _T4]):
    f0: _T0
    f1: _T1
    f2: _T2
    f3: _T3
    f4: _T4

@type_check_only
class ZipTuple6(NamedTuple, Generic[_T0, _T1, _T2, _T3, _T4, _T5]):
    f0: _T0
    f1: _T1
    f2: _T2
    f3: _T3
    f4: _T4
    f5: _T5

@type_check_only
class ZipTuple7(NamedTuple, Generic[_T0, _T1, _T2, _T3, _T4, _T5, _T6]):
    f0: _T0
    f1: _T1
    f2: _T2
    f3: _T3
    f4: _T4
    f5: _T5
    f6: _T6

@overload
def f_zip() -> Future[ZipTuple0]: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def f_zip(f0: FutureLike[_T0], /) -> Future[ZipTuple1[_T0]]: ...
@overload
def f_zip(f0: FutureLike[_T0], f1: FutureLike[_T1], /) -> Future[ZipTuple2[_T0, _T1]]: ...
@overload
def f_zip(f0: FutureLike[_T0], f1: FutureLike[_T1], f2: FutureLike[_T2], /) -> Future[ZipTuple3[_T0, _T1, _T2]]: ...
@overload
def f_zip(
    f0: FutureLike[_T0], f1: FutureLike[_T1], f2: FutureLike[_T2], f3: FutureLike[_T3], /
) -> Future[ZipTuple4[_T0, _T1, _T2, _T3]]: ...
@overload
def f_zip(
    f0: FutureLike[_T0], f1: FutureLike[_T1], f2: FutureLike[_T2], f3: FutureLike[_T3], f4: FutureLike[_T4], /
) -> Future[ZipTuple5[_T0, _T1, _T2, _T3, _T4]]: ...
@overload
def f_zip(
    f0: FutureLike[_T0],
    f1: FutureLike[_T1],
    f2: FutureLike[_T2],
    f3: FutureLike[_T3],
    f4: FutureLike[_T4],
    f5: FutureLike[_T5],
    /,
) -> Future[ZipTuple6[_T0, _T1, _T2, _T3, _T4, _T5]]: ...
@overload
def f_zip(
    f0: FutureLike[_T0],
    f1: FutureLike[_T1],
    f2: FutureLike[_T2],
    f3: FutureLike[_T3],
    f4: FutureLike[_T4],
    f5: FutureLike[_T5],
    f6: FutureLike[_T6],
    /,
) -> Future[ZipTuple7[_T0, _T1, _T2, _T3, _T4, _T5, _T6]]: ...
@overload
def f_zip(*fs: FutureLike[_T0]) -> Future[tuple[_T0, ...]]: ...
@overload
def f_zip(*fs: FutureLike[Any]) -> Future[tuple[Any, ...]]: ...
def f_sequence(futures: Iterable[FutureLike[E]]) -> Future[list[E]]: ...
def f_traverse(fn: Callable[[E], FutureLike[R]], xs: Iterable[E]) -> Future[list[R]]: ...
def f_apply(
    future_fn: FutureLike[Callable[..., R]], *future_args: FutureLike[Any], **future_kwargs: FutureLike[Any]
) -> Future[R]: ...
