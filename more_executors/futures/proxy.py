"""A future that is also a stand-in for its result."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import TYPE_CHECKING, Any, TypeVar

from .._core import Future, check_futures, passed_on
from .._types import FutureLike
from ._origins import origin_of

__all__ = ["f_proxy"]

A = TypeVar("A")

_proxied = origin_of("proxy")

if TYPE_CHECKING:

    class Proxy(futures.Future[A], Any):  # type: ignore[misc]  # it can be used in place of an A, and as a future of one
        def __getattr__(self, name: str) -> Any: ...
        def __len__(self) -> int: ...
        def __iter__(self) -> Iterator[Any]: ...
        def __contains__(self, item: object) -> bool: ...
        def __getitem__(self, key: Any) -> Any: ...
        def __setitem__(self, key: Any, value: Any) -> None: ...
        def __delitem__(self, key: Any) -> None: ...
        def __add__(self, other: Any) -> Any: ...
        def __sub__(self, other: Any) -> Any: ...
        def __mul__(self, other: Any) -> Any: ...
        def __truediv__(self, other: Any) -> Any: ...
        def __floordiv__(self, other: Any) -> Any: ...
        def __mod__(self, other: Any) -> Any: ...
        def __divmod__(self, other: Any) -> Any: ...
        def __lshift__(self, other: Any) -> Any: ...
        def __rshift__(self, other: Any) -> Any: ...
        def __and__(self, other: Any) -> Any: ...
        def __xor__(self, other: Any) -> Any: ...
        def __or__(self, other: Any) -> Any: ...
        def __pow__(self, other: Any, modulo: Any = None) -> Any: ...
        def __neg__(self) -> Any: ...
        def __pos__(self) -> Any: ...
        def __abs__(self) -> Any: ...
        def __invert__(self) -> Any: ...
        def __int__(self) -> int: ...
        def __float__(self) -> float: ...
        def __complex__(self) -> complex: ...
        def __round__(self, ndigits: Any = None) -> Any: ...
        def __trunc__(self) -> int: ...
        def __floor__(self) -> int: ...
        def __ceil__(self) -> int: ...


def f_proxy(f: FutureLike[A], *, timeout: float | None = None) -> Proxy[A]:
    """A future that ends as `f` does, and can be used in place of its result.

    Looking up an attribute whose name does not begin with two underscores waits for the result, at most `timeout`
    seconds (None: as long as it takes), and gives the attribute of that; a method that futures have is the future's. So
    do `len`, `[]`, iterating, `in`, the arithmetic and bit operators with the proxy on the left, unary ones, and
    conversions to numbers. Not so `bool`, which is always True, `str`, `repr`, `format`, comparing, `hash` and `with`:
    those are the future's.

    Raises TypeError if `f` is no future. Using it raises TimeoutError when the time is up, and the exception of `f`.

        page = f_proxy(executor.submit(download, url))
        ...
        print(page.title)      # waits
    """
    check_futures(f_proxy.__name__, (f,))
    proxy = ProxyFuture()
    proxy._ProxyFuture__timeout = timeout  # type: ignore[attr-defined]
    return passed_on(_proxied, proxy, f)  # type: ignore[arg-type]  # it has everything that a Proxy has


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
