"""Many calls as one task of Dask, both on the way there and on the worker.

Guarantees:

* Calls share nothing: each gets arguments of its own, and a callable with a state of its own, as if it were sent alone.
* What cannot be pickled, or loaded, is an error of its own call.
* A pack that was begun on a worker is not begun there again, nor by a worker that has come in its place.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable
from sys import getsizeof
from time import perf_counter
from types import BuiltinFunctionType, FunctionType
from typing import Any, Protocol, TypeVar, cast

from distributed import get_worker

from .._core import CallEntries, CallRuns, RemoteCall
from .._version import __version__
from ._outcomes import PLAIN, error_bytes, error_of, pickled, without_frames

__all__: list[str] = []

MOST_BYTES = 1 << 20  # of a pack: it ends with the call that goes beyond


class CallLike(Protocol):
    """What is called somewhere else."""

    @property
    def fn(self) -> Any: ...
    @property
    def args(self) -> tuple[Any, ...]: ...
    @property
    def kwargs(self) -> dict[str, Any]: ...


CALL = TypeVar("CALL", bound=CallLike)


def packed(
    take: Callable[[], CALL | None],
    most: int,
    take_plain: Callable[..., int] | None = None,
    cancelled: list[CALL] | None = None,
) -> tuple[list[CALL], bytes, list[tuple[CALL, BaseException]]]:
    """At most so many calls of those that `take` gives, as bytes; and those that cannot be pickled, with the reason.

    `take_plain`, if there is one, is `RemoteCalls.pack`; it says which were `cancelled`.
    """
    functions: list[tuple[bool, bytes]] = []
    places: dict[int, int] = {}
    runs = CallRuns()
    sent: list[CALL] = []
    failed: list[tuple[CALL, BaseException]] = []
    size = 0
    while len(sent) < most and size < MOST_BYTES:
        if take_plain is not None and places:
            size += take_plain(sent, runs, places, PLAIN, most, MOST_BYTES - size, cancelled)
            if len(sent) >= most or size >= MOST_BYTES:
                break
        if (call := take()) is None:
            break
        fn, kwargs = call.fn, call.kwargs
        args = call.args
        try:
            place = places.get(id(fn))
            if place is None:
                functions.append((is_shareable(fn), pickled(fn)))
                places[id(fn)] = place = len(functions) - 1
                size += len(functions[place][1])
            if kwargs or not PLAIN.issuperset(map(type, args)):
                encoded = pickled((args, kwargs))
                size += len(encoded)
                runs.add_encoded(place, encoded)
            else:
                size += sum(map(getsizeof, args))
                runs.add(place, args)
            sent.append(call)
        except Exception as error:
            failed.append((call, without_frames(error)))
    return sent, pickle.dumps((functions, runs.runs)), failed


def is_shareable(fn: object) -> bool:
    """Whether calls may share it on the worker: what is found by name there, or has no state of its own."""
    return type(fn) in (BuiltinFunctionType, type) or (type(fn) is FunctionType and fn.__closure__ is None)


class CallLoader:
    """Calls that were `packed`, where they are made."""

    def __init__(self, calls: bytes) -> None:
        self._functions, runs = pickle.loads(calls)
        self.entries = CallEntries(runs)
        self._shared: dict[int, Any] = {}

    def __len__(self) -> int:
        """How many there are in all."""
        return len(self.entries)

    def shared(self) -> Any:
        """The callable of the next call if calls share that, it was called, and the arguments are plain; else None."""
        return self._shared.get(self.entries.place) if self.entries.is_plain else None

    def next(self) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """The callable of the next call, and arguments that nobody else has. Raises what loading them raises."""
        place, args = self.entries.place, self.entries.next()
        kwargs: dict[str, Any] = {}
        fn = self._shared.get(place)
        if fn is None:
            is_shared, encoded = self._functions[place]
            fn = pickle.loads(encoded)
            if is_shared:
                self._shared[place] = fn
        if type(args) is bytes:
            args, kwargs = pickle.loads(args)
        return fn, cast("tuple[Any, ...]", args), kwargs


_begun: deque[str] = deque(maxlen=10_000)  # packs, on this worker


def worker_facts() -> tuple[str, str]:
    """The version of this library on this worker, and what tells the worker from one that comes in its place."""
    return __version__, get_worker().id


def run_pack(name: str, worker: str, calls: bytes) -> bytes | None:
    """Make the calls of the pack `name`, on the `worker` it was sent to; None if it was begun before, or elsewhere.

    Returns bytes, as Dask would look at each item of a list.
    """
    if get_worker().id != worker or name in _begun:
        return None
    _begun.append(name)
    began = perf_counter()
    loader = CallLoader(calls)
    outcomes: list[Any] = []
    unlike: dict[int, bool] = {}  # those that are encoded, and whether they are errors
    for number in range(len(loader)):
        try:
            fn, args, kwargs = loader.next()
            result = fn(*args, **kwargs)
            if type(result) not in PLAIN:
                result = pickled(result)
                unlike[number] = False
            outcomes.append(result)
        except BaseException as error:  # also what would end the worker: it is an error of this call
            outcomes.append(error_bytes(error))
            unlike[number] = True
        finally:
            fn = args = kwargs = result = None  # type: ignore[assignment]
    return pickle.dumps((perf_counter() - began, outcomes, unlike))


def resolve(calls: list[RemoteCall], outcomes: list[Any], unlike: dict[int, bool]) -> None:
    """End the futures of `calls`, which were sent, with what `run_pack` made of them."""
    for number, (call, outcome) in enumerate(zip(calls, outcomes, strict=True)):
        if number not in unlike:
            call.future.set_result(outcome)
            continue
        try:
            value = error_of(outcome) if unlike[number] else pickle.loads(outcome)
        except BaseException as error:
            call.future.set_exception(without_frames(error))  # in which the calls are, that the collector does not see
            continue
        if unlike[number]:
            call.future.set_exception(value)
        else:
            call.future.set_result(value)
