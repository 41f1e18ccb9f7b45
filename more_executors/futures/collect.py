"""Futures of all results of several futures."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import cache, partial
from typing import TYPE_CHECKING, Any, overload

from .._callables import check_callable
from .._core import applied, check_futures, collected
from .._types import E, FutureLike, R
from ._sources import future_source

if TYPE_CHECKING:
    from ._types import (
        T0,
        T1,
        T2,
        T3,
        T4,
        T5,
        T6,
        ZipTuple0,
        ZipTuple1,
        ZipTuple2,
        ZipTuple3,
        ZipTuple4,
        ZipTuple5,
        ZipTuple6,
        ZipTuple7,
    )

__all__ = ["f_apply", "f_sequence", "f_traverse", "f_zip"]

MOST_FIELDS = 19

_zipped = future_source("zip")
_sequenced = future_source("sequence")
_traversed = future_source("traverse")
_applied = future_source("apply")


@cache
def zip_type(length: int) -> Callable[[Iterable[Any]], tuple[Any, ...]]:
    """A function that makes a tuple of `length` results."""
    if length > MOST_FIELDS:
        return tuple
    fields = [f"f{index}" for index in range(length)]
    make: Any = namedtuple  # for type checkers, a name has to be a literal
    made = make(f"ZipTuple{length}", fields)
    made.__reduce__ = reduced
    globals()[made.__name__] = made  # to be found when it is pickled itself
    make_one: Callable[[Iterable[Any]], tuple[Any, ...]] = made._make
    return make_one


def zipped(results: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tuple that `f_zip` makes of `results`. Unpickling calls this: there the type may not have been made yet."""
    return zip_type(len(results))(results)


def reduced(results: tuple[Any, ...]) -> Any:
    return zipped, (tuple(results),)


@overload
def f_zip() -> Future[ZipTuple0]: ...  # pyright: ignore[reportOverlappingOverload]  # with *fs
@overload
def f_zip(f0: FutureLike[T0], /) -> Future[ZipTuple1[T0]]: ...
@overload
def f_zip(f0: FutureLike[T0], f1: FutureLike[T1], /) -> Future[ZipTuple2[T0, T1]]: ...
@overload
def f_zip(f0: FutureLike[T0], f1: FutureLike[T1], f2: FutureLike[T2], /) -> Future[ZipTuple3[T0, T1, T2]]: ...
@overload
def f_zip(
    f0: FutureLike[T0], f1: FutureLike[T1], f2: FutureLike[T2], f3: FutureLike[T3], /
) -> Future[ZipTuple4[T0, T1, T2, T3]]: ...
@overload
def f_zip(
    f0: FutureLike[T0], f1: FutureLike[T1], f2: FutureLike[T2], f3: FutureLike[T3], f4: FutureLike[T4], /
) -> Future[ZipTuple5[T0, T1, T2, T3, T4]]: ...
@overload
def f_zip(
    f0: FutureLike[T0],
    f1: FutureLike[T1],
    f2: FutureLike[T2],
    f3: FutureLike[T3],
    f4: FutureLike[T4],
    f5: FutureLike[T5],
    /,
) -> Future[ZipTuple6[T0, T1, T2, T3, T4, T5]]: ...
@overload
def f_zip(
    f0: FutureLike[T0],
    f1: FutureLike[T1],
    f2: FutureLike[T2],
    f3: FutureLike[T3],
    f4: FutureLike[T4],
    f5: FutureLike[T5],
    f6: FutureLike[T6],
    /,
) -> Future[ZipTuple7[T0, T1, T2, T3, T4, T5, T6]]: ...
@overload
def f_zip(*fs: FutureLike[T0]) -> Future[tuple[T0, ...]]: ...
@overload
def f_zip(*fs: FutureLike[Any]) -> Future[tuple[Any, ...]]: ...
def f_zip(*fs: FutureLike[Any]) -> Future[Any]:
    """A future of a tuple with the results of all futures `fs`, in order.

    With up to 19 futures, the tuple is a named tuple `ZipTuple<n>` with the fields `f0`, `f1` and so on. The future
    fails as soon as one of `fs` fails. If one of them is cancelled, it is cancelled, and the others too. Cancelling it
    cancels all of `fs` that can be cancelled.

    Raises TypeError if one of `fs` is no future.
    """
    check_futures(f_zip.__name__, fs)
    return collected(_zipped, list(fs), zip_type(len(fs)))


def f_sequence(futures: Iterable[FutureLike[E]]) -> Future[list[E]]:
    """A future of a list with the results of all `futures`, an iterable, in order. Otherwise as `f_zip`.

    If iterating over `futures` raises, the future fails with that exception. Raises TypeError if one is no future.
    """
    try:
        inputs = list(futures)
    except Exception as error:
        return _sequenced.failed(error)
    check_futures(f_sequence.__name__, inputs)
    return collected(_sequenced, inputs)


def f_traverse(fn: Callable[[E], FutureLike[R]], xs: Iterable[E]) -> Future[list[R]]:
    """Call `fn(x)`, which returns a future, for each `x` of `xs`; returns a future of the list of all results.

    Otherwise as `f_sequence`. If `fn` raises, the future fails with that exception; the futures that `fn` returned
    before are not cancelled. Raises TypeError if `fn` returns something that is no future.
    """
    if callable(fn):
        check_callable("fn", fn)
    try:
        inputs = [fn(x) for x in xs]
    except Exception as error:
        return _traversed.failed(error)
    check_futures(f_traverse.__name__, inputs)
    return collected(_traversed, inputs)


def f_apply(
    future_fn: FutureLike[Callable[..., R]], *future_args: FutureLike[Any], **future_kwargs: FutureLike[Any]
) -> Future[R]:
    """A future of what the function that is the result of `future_fn` returns for the results of the arguments.

    If one of the futures fails or is cancelled, so does this one. Cancelling is as for `f_zip`. `running()` is that of
    the last argument that is not done, or of `future_fn` if all arguments are done; it is True while the function runs.

    Args:
        future_fn: a future of a callable.
        future_args: futures of the positional arguments.
        future_kwargs: futures of the keyword arguments.

    Raises TypeError if one of these is no future.
    """
    inputs = [*future_args, *future_kwargs.values(), future_fn]
    check_futures(f_apply.__name__, inputs)
    return applied(_applied, inputs, partial(call, len(future_args), tuple(future_kwargs)))


def call(positional: int, names: tuple[str, ...], results: list[Any]) -> Any:
    """Call the last of `results`: the first `positional` are its arguments, and then those with `names`."""
    fn = results.pop()
    return fn(*results[:positional], **dict(zip(names, results[positional:], strict=True)))
