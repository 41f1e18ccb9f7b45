"""Some eighty values that a parameter may be given by mistake, or by somebody who knows better than we do."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import enum
import fractions
import functools
import io
import logging
import pathlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from math import inf, nan
from typing import Any
from unittest import mock

from support import Hostile

from more_executors import Backoff, ExceptionRetryPolicy, Journal, RateLimit, SyncExecutor

try:
    import numpy
except ImportError:
    numpy = None  # type: ignore[assignment]


class ReprRaises:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class LongRepr:
    def __repr__(self) -> str:
        return "x" * 1_000_000


class AttributesRaise:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("no attributes")


class IterationRaises:
    def __iter__(self) -> Any:
        raise RuntimeError("no iteration")


class FloatLike:
    def __float__(self) -> float:
        return 0.5


class FloatRaises:
    def __float__(self) -> float:
        raise RuntimeError("no float")


class IndexLike:
    def __index__(self) -> int:
        return 2


class IndexRaises:
    def __index__(self) -> int:
        raise RuntimeError("no index")


class AsyncCall:
    async def __call__(self, *args: Any) -> None:
        """What can be called, and then does nothing."""


class Number(enum.IntEnum):
    TWO = 2


async def async_function(*args: Any) -> bool:
    return True


def generator_function(*args: Any) -> Any:
    yield True


async def async_generator_function(*args: Any) -> Any:
    yield True


class Methods:
    async def run(self, *args: Any) -> bool:
        return True


# What is an instance of these is made anew for each call.
ODD: dict[str, Callable[[], Any]] = {
    **{
        repr(value)[:12]: lambda value=value: value  # type: ignore[misc]
        for value in (
            *(None, True, False, 0, 1, -1, 3, 2**31, 2**63, 2**64, -(2**63), 10**400, -(10**400)),
            *(0.0, -0.0, 0.5, -0.5, 1e-300, 1e300, inf, -inf, nan, 1j),
            *("", "a", "1", "inf", "\ud800", "a\0b", b"", b"1"),
            *((), (1,), frozenset(), range(3), object, int, type, NotImplemented, ...),
            *(datetime.timedelta(1), datetime.date(2000, 1, 1), pathlib.Path("/nonexistent/x"), Number.TWO),
            *(len, print, ValueError, threading, Future, ThreadPoolExecutor, RateLimit, Backoff, Journal),
            *(ExceptionRetryPolicy, asyncio.AbstractEventLoop),
        )
    },
    **{
        f"Decimal({text})": lambda text=text: decimal.Decimal(text)  # type: ignore[misc]
        for text in ("1", "0.5", "-1", "NaN", "sNaN", "1e999")
    },
    "Fraction(1, 3)": lambda: fractions.Fraction(1, 3),
    "Fraction(10**400)": lambda: fractions.Fraction(10**400),
    "10**5000": lambda: 10**5000,
    "a long str": lambda: "x" * 1_000_000,
    "bytearray": lambda: bytearray(b"1"),
    "memoryview": lambda: memoryview(b"1"),
    "[]": list,
    "[1]": lambda: [1],
    "{}": dict,
    "{1: 2}": lambda: {1: 2},
    "set": set,
    "iterator": lambda: iter([]),
    "generator": lambda: (x for x in [1]),
    "object()": object,
    "an exception": lambda: ValueError("odd"),
    "a file": lambda: io.StringIO(""),
    "a logger": lambda: logging.getLogger("odd"),
    "a lock": threading.Lock,
    "an executor": SyncExecutor,
    "lambda: 1": lambda: lambda: 1,
    "lambda x: x": lambda: lambda x: x,
    "async def": lambda: async_function,
    "generator function": lambda: generator_function,
    "async generator function": lambda: async_generator_function,
    "partial of async def": lambda: functools.partial(async_function, 1),
    "partial of generator": lambda: functools.partial(generator_function, 1),
    "async method": lambda: Methods().run,
    "async call": AsyncCall,
    "Hostile": Hostile,
    "ReprRaises": ReprRaises,
    "list of ReprRaises": lambda: [ReprRaises()],
    "LongRepr": LongRepr,
    "AttributesRaise": AttributesRaise,
    "IterationRaises": IterationRaises,
    "FloatLike": FloatLike,
    "FloatRaises": FloatRaises,
    "IndexLike": IndexLike,
    "IndexRaises": IndexRaises,
    "Mock": mock.Mock,
    "MagicMock": mock.MagicMock,
}
if numpy is not None:
    ODD |= {
        "float32": lambda: numpy.float32(0.5),
        "int64": lambda: numpy.int64(2),
        "bool_": lambda: numpy.bool_(True),
        "array of none": lambda: numpy.array(0.5),
        "array": lambda: numpy.array([1.0, 2.0]),
        "timedelta64": lambda: numpy.timedelta64(1, "s"),
        "complex64": lambda: numpy.complex64(1j),
    }
