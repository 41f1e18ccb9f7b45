"""The `with_*` methods of `Executors` that make executors with other results."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, overload

from . import flat_map as _flat_map  # not the classes: programs may patch those in their modules
from . import map as _map
from . import poll as _poll
from ._chaining import Awaiting, Chainable, HandingOn, Unknown, inherited
from ._runtime.delegate import Delegate
from ._types import Anything, C, Cancel, D, E, FutureLike, Log, Name, OnError, Plain, Poll, R, Returned, X
from .poll._defaults import DEFAULT_INTERVAL, with_its_options

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .poll._keywords import PollKeywords

__all__: list[str] = []


class WithOtherResults:
    """These make executors whose futures have other results than the futures of `executor`."""

    @overload
    @classmethod
    def with_map(
        cls,
        executor: Unknown,
        fn: Callable[[Any], D],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[X] = None,
    ) -> _map.MapExecutor[Any, D | X]: ...
    @overload
    @classmethod
    def with_map(
        cls,
        executor: HandingOn[E],
        fn: Callable[[C | E], D],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[X] = None,
    ) -> _map.MapExecutor[C, D | X]: ...
    @overload
    @classmethod
    def with_map(
        cls,
        executor: Awaiting[E],
        fn: Callable[[C | E], D],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[X] = None,
    ) -> _map.MapExecutor[Coroutine[Any, Any, C], D | X]: ...
    @overload
    @classmethod
    def with_map(
        cls,
        executor: HandingOn[E],
        fn: None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[X] = None,
    ) -> _map.MapExecutor[Anything, Returned[E | X]]: ...
    @overload
    @classmethod
    def with_map(
        cls,
        executor: Chainable[R, E],
        fn: Callable[[E], D],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[X] = None,
    ) -> _map.MapExecutor[R, D | X]: ...
    @overload
    @classmethod
    def with_map(
        cls,
        executor: Chainable[R, E],
        fn: None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[X] = None,
    ) -> _map.MapExecutor[R, E | X]: ...
    @overload
    @classmethod
    def with_map(
        cls,
        executor: Plain,
        fn: Callable[[C], D],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[X] = None,
    ) -> _map.MapExecutor[C, D | X]: ...
    @overload
    @classmethod
    def with_map(
        cls, executor: Plain, fn: None = None, logger: Log = None, name: Name = None, *, error_fn: OnError[X] = None
    ) -> _map.MapExecutor[Anything, Returned[X]]: ...
    @classmethod
    def with_map(
        cls,
        executor: Delegate,
        fn: Callable[[Any], Any] | None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: Callable[[BaseException], Any] | None = None,
    ) -> _map.MapExecutor:
        """Make a `MapExecutor` that submits to `executor`."""
        return _map.MapExecutor(executor, fn, logger, inherited(name, executor), error_fn=error_fn)

    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: Plain,
        fn: Callable[[FutureLike[Any]], FutureLike[Any]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[Any]] = None,
    ) -> _flat_map.FlatMapExecutor[Any, Any]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: HandingOn[E],
        fn: Callable[[C | E], FutureLike[D]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> _flat_map.FlatMapExecutor[C, D | X]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: Awaiting[E],
        fn: Callable[[C | E], FutureLike[D]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> _flat_map.FlatMapExecutor[Coroutine[Any, Any, C], D | X]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: HandingOn[E],
        fn: None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> _flat_map.FlatMapExecutor[Anything, Returned[E | X]]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: Chainable[R, E],
        fn: Callable[[E], FutureLike[D]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> _flat_map.FlatMapExecutor[R, D | X]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: Chainable[R, E],
        fn: None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> _flat_map.FlatMapExecutor[R, E | X]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: Plain,
        fn: Callable[[C], FutureLike[D]],
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> _flat_map.FlatMapExecutor[C, D | X]: ...
    @overload
    @classmethod
    def with_flat_map(
        cls,
        executor: Plain,
        fn: None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: OnError[FutureLike[X]] = None,
    ) -> _flat_map.FlatMapExecutor[Anything, Returned[X]]: ...
    @classmethod
    def with_flat_map(
        cls,
        executor: Delegate,
        fn: Callable[[Any], Any] | None = None,
        logger: Log = None,
        name: Name = None,
        *,
        error_fn: Callable[[BaseException], Any] | None = None,
    ) -> _flat_map.FlatMapExecutor:
        """Make a `FlatMapExecutor` that submits to `executor`."""
        return _flat_map.FlatMapExecutor(executor, fn, logger, inherited(name, executor), error_fn=error_fn)

    @overload
    @classmethod
    def with_poll(
        cls,
        executor: Unknown,
        poll_fn: Poll[Any, D],
        cancel_fn: Cancel[Any] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[Any]],
    ) -> _poll.PollExecutor[Any, D, Any]: ...
    @overload
    @classmethod
    def with_poll(
        cls,
        executor: HandingOn[E],
        poll_fn: Poll[C | E, D],
        cancel_fn: Cancel[C | E] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[C | E]],
    ) -> _poll.PollExecutor[C, D, C | E]: ...
    @overload
    @classmethod
    def with_poll(
        cls,
        executor: Awaiting[E],
        poll_fn: Poll[C | E, D],
        cancel_fn: Cancel[C | E] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[C | E]],
    ) -> _poll.PollExecutor[Coroutine[Any, Any, C], D, C | E]: ...
    @overload
    @classmethod
    def with_poll(
        cls,
        executor: Chainable[R, E],
        poll_fn: Poll[E, D],
        cancel_fn: Cancel[E] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[E]],
    ) -> _poll.PollExecutor[R, D, E]: ...
    @overload
    @classmethod
    def with_poll(
        cls,
        executor: Plain,
        poll_fn: Poll[C, D],
        cancel_fn: Cancel[C] = None,
        default_interval: float = 5.0,
        logger: Log = None,
        name: Name = None,
        **options: Unpack[PollKeywords[C]],
    ) -> _poll.PollExecutor[C, D, C]: ...
    @classmethod
    def with_poll(
        cls,
        executor: Delegate,
        poll_fn: Poll[Any, Any],
        cancel_fn: Cancel[Any] = None,
        default_interval: float = DEFAULT_INTERVAL,
        logger: Log = None,
        name: Name = None,
        **options: Any,
    ) -> _poll.PollExecutor[Any, Any]:
        """Make a `PollExecutor` that submits to `executor`; `options` are its keyword-only arguments.

        `poll_fn` may also be a `Service`: it brings the functions and the options that are not given here; an option
        that is given as None is none. So does an `EachStatus`.
        """
        poll_fn, cancel_fn, interval, options = with_its_options(poll_fn, cancel_fn, default_interval, options)
        return _poll.PollExecutor(
            executor, poll_fn, cancel_fn, interval, logger, name=inherited(name, executor), **options
        )
