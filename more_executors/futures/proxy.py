"""A future that is also a stand-in for its result."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from concurrent import futures
from typing import Any, TypeVar

from .._checks import checked_timeout
from .._core import Future, check_futures, passed_on
from .._types import FutureLike
from ._sources import future_source

__all__ = ["f_proxy"]

A = TypeVar("A")

_proxied = future_source("proxy")


def f_proxy(f: FutureLike[A], *, timeout: float | None = None) -> futures.Future[A]:
    """A future that ends as `f` does, and can be used in place of its result.

    Looking up an attribute whose name does not begin with two underscores waits for the result, at most `timeout`
    seconds (None: as long as it takes), and gives the attribute of that; a method that futures have is the future's. So
    do `len`, `[]`, iterating, `in`, the arithmetic and bit operators with the proxy on the left, unary ones, and
    conversions to numbers. Not so `bool`, which is always True, `str`, `repr`, `format`, comparing, `hash` and `with`:
    those are the future's.

    Raises TypeError or ValueError if an argument cannot be used. Using it raises TimeoutError when the time is up, and
    the exception of `f`.

        page = f_proxy(executor.submit(download, url))
        ...
        print(page.title)      # waits
    """
    check_futures(f_proxy.__name__, (f,))
    seconds = None if timeout is None else checked_timeout("timeout", timeout)
    proxy = ProxyFuture()
    proxy._ProxyFuture__timeout = seconds  # type: ignore[attr-defined]
    return passed_on(_proxied, proxy, f)


class ProxyFuture(Future[Any]):
    """What `f_proxy` makes."""

    __timeout: float | None = None

    def __wait(self) -> Any:
        return self.result(self.__timeout)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.__wait(), name)

    def __bool__(self) -> bool:
        return True


def forwarding(operation: Callable[..., Any]) -> Any:
    """A method that does `operation` with the result."""

    def method(self: ProxyFuture, *args: Any) -> Any:
        return operation(self._ProxyFuture__wait(), *args)

    return method


OPERATIONS: dict[str, Callable[..., Any]] = {
    "__len__": len,
    "__iter__": iter,
    "__pow__": pow,
    "__divmod__": divmod,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__round__": round,
    "__trunc__": math.trunc,
    "__floor__": math.floor,
    "__ceil__": math.ceil,
}
OF_THE_OPERATOR_MODULE: tuple[str, ...] = (
    "getitem",
    "setitem",
    "delitem",
    "contains",
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
)
OF_THE_OPERATOR_MODULE += ("lshift", "rshift", "and", "xor", "or", "neg", "pos", "abs", "invert")
for operator_name in OF_THE_OPERATOR_MODULE:
    OPERATIONS[f"__{operator_name}__"] = getattr(operator, f"__{operator_name}__")
for method_name, operation in OPERATIONS.items():
    setattr(ProxyFuture, method_name, forwarding(operation))
