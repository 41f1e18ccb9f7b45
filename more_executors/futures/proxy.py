"""A future that is also a stand-in for its result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import TYPE_CHECKING, Any

from .._checks import checked_timeout
from .._core import Future, check_futures, passed_on
from .._types import FutureLike, R
from ._sources import future_source

__all__ = ["f_proxy"]

if TYPE_CHECKING:

    class Base(futures.Future[R], Any):  # type: ignore[misc]  # it can be used as an R, which cannot be said
        pass
else:
    Base = Future

power: Callable[..., Any] = pow  # its own type is about numbers

_proxied = future_source("proxy")


def f_proxy(f: FutureLike[R], *, timeout: float | None = None) -> ProxyFuture[R]:
    """A future with the outcome of `f`, that can be used in place of its result.

    These wait for the result, and then use it: attributes whose names do not begin with two underscores, except the
    methods of futures; `len`, `[]`, iterating, `in`; arithmetic and bit operators with this future on the left; unary
    operators; conversions to numbers. These use the future itself: `bool`, which is always True, `str`, `repr`,
    `format`, comparing, `hash` and `with`.

    Args:
        f: a future.
        timeout: a float, how many seconds to wait for the result at most; None is without a limit.

    Raises TypeError or ValueError if one of these cannot be used. Using the future raises TimeoutError when the time is
    over, and the exception of `f` if that fails.

        page = f_proxy(executor.submit(download, url))
        ...
        print(page.title)      # waits
    """
    check_futures(f_proxy.__name__, (f,))
    seconds = None if timeout is None else checked_timeout("timeout", timeout)
    return passed_on(_proxied, ProxyFuture(seconds), f)


class ProxyFuture(Base[R]):
    """The future that `f_proxy` returns. It may be used from any thread."""

    def __init__(self, timeout: float | None) -> None:
        super().__init__()
        self.__timeout = timeout

    def __wait(self) -> Any:
        return self.result(self.__timeout)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.__wait(), name)

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self.__wait())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.__wait())

    def __contains__(self, item: object) -> bool:
        return item in self.__wait()

    def __getitem__(self, key: Any) -> Any:
        return self.__wait()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.__wait()[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.__wait()[key]

    def __add__(self, other: Any) -> Any:
        return self.__wait() + other

    def __sub__(self, other: Any) -> Any:
        return self.__wait() - other

    def __mul__(self, other: Any) -> Any:
        return self.__wait() * other

    def __truediv__(self, other: Any) -> Any:
        return self.__wait() / other

    def __floordiv__(self, other: Any) -> Any:
        return self.__wait() // other

    def __mod__(self, other: Any) -> Any:
        return self.__wait() % other

    def __lshift__(self, other: Any) -> Any:
        return self.__wait() << other

    def __rshift__(self, other: Any) -> Any:
        return self.__wait() >> other

    def __and__(self, other: Any) -> Any:
        return self.__wait() & other

    def __xor__(self, other: Any) -> Any:
        return self.__wait() ^ other

    def __or__(self, other: Any) -> Any:
        return self.__wait() | other

    def __divmod__(self, other: Any) -> Any:
        return divmod(self.__wait(), other)

    def __pow__(self, other: Any, modulo: Any = None) -> Any:
        return power(self.__wait(), other, modulo)

    def __neg__(self) -> Any:
        return -self.__wait()

    def __pos__(self) -> Any:
        return +self.__wait()

    def __invert__(self) -> Any:
        return ~self.__wait()

    def __abs__(self) -> Any:
        return abs(self.__wait())

    def __int__(self) -> int:
        return int(self.__wait())

    def __float__(self) -> float:
        return float(self.__wait())

    def __complex__(self) -> complex:
        return complex(self.__wait())

    def __round__(self, ndigits: Any = None) -> Any:
        return round(self.__wait(), ndigits)

    def __trunc__(self) -> int:
        number: int = math.trunc(self.__wait())
        return number

    def __floor__(self) -> int:
        number: int = math.floor(self.__wait())
        return number

    def __ceil__(self) -> int:
        number: int = math.ceil(self.__wait())
        return number
