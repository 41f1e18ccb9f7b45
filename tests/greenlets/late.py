"""Patched after the library was imported: one clear error, and nothing that freezes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from more_executors import Executors, _core
from more_executors.futures import f_map, f_return, f_timeout
from more_executors.poll import PollExecutor

before: list[Any] = []


def before_patching() -> None:
    """Make what is there when the threads are replaced."""
    source = _core.Future[int]()
    before.extend([source, f_map(source), Executors.sync()])


def check_says_so(function: Callable[..., object], *arguments: Any) -> None:
    library = "gevent" if "gevent" in sys.modules else "eventlet"
    try:
        function(*arguments)
    except RuntimeError as error:
        assert f"imported before {library}" in str(error), error
    else:
        raise AssertionError(f"{function!r} does not say so")


def no_executor_is_made() -> None:
    sync = before[2]
    for function in (Executors.sync, Executors.thread_pool, Executors.process_pool):
        check_says_so(function)
    for layer, arguments in (
        ("map", [str]),
        ("flat_map", [f_return]),
        ("retry", []),
        ("timeout", [1.0]),
        ("throttle", [1]),
        ("cancel_on_shutdown", []),
        ("poll", [list]),
        ("asyncio", []),
    ):
        check_says_so(getattr(sync, f"with_{layer}"), *arguments)
    check_says_so(PollExecutor, sync, list)
    check_says_so(f_timeout, Future(), 1.0)


def no_future_is_waited_for() -> None:
    source, mapped, _ = before
    assert f_return(1).result() == 1
    assert not mapped.done()
    check_says_so(mapped.result)
    check_says_so(mapped.exception, 1.0)
    source.set_result(2)
    assert mapped.result() == 2
