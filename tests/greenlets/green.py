"""What the scenarios share: bare greenlets, which are no threads to `threading`, and steps between them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from threading import Event
from typing import Any

PATIENCE = 20.0


class Greenlet:
    """A greenlet that calls `function(*args)`; `outcome` is what that returns or raises."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self._call: Future[Any] = Future()
        self._function = function
        if "gevent" in sys.modules:
            import gevent

            gevent.spawn(self._run, *args)
        else:
            import eventlet

            eventlet.spawn(self._run, *args)

    def _run(self, *args: Any) -> None:
        try:
            self._call.set_result(self._function(*args))
        except BaseException as error:
            self._call.set_exception(error)

    def is_over(self) -> bool:
        return self._call.done()

    def outcome(self) -> Any:
        return self._call.result(PATIENCE)


def let_others_run(turns: int = 50) -> None:
    """Have all greenlets go on until they wait for something that only the caller brings about."""
    for _ in range(turns):
        time.sleep(0)


def outcomes(greenlets: Iterable[Greenlet]) -> list[Any]:
    return [greenlet.outcome() for greenlet in greenlets]


class Gate:
    """A call that stops inside until `open`; `arrived` waits until one is there."""

    def __init__(self) -> None:
        self._inside, self._open = Event(), Event()
        self.passed = 0

    def __call__(self, value: Any = "passed", *ignored: Any) -> Any:
        self._inside.set()
        assert self._open.wait(PATIENCE)
        self.passed += 1
        return value

    def arrived(self) -> None:
        assert self._inside.wait(PATIENCE), "nobody came"

    def open(self) -> None:
        self._open.set()


def check_waits(wait: Callable[[], object], gate: Gate) -> None:
    """`wait()`, in a greenlet of its own, is over when what stopped at `gate` has passed it, and no sooner."""
    gate.arrived()
    waiting = Greenlet(wait)
    let_others_run()
    assert not waiting.is_over(), "it does not wait"
    gate.open()
    waiting.outcome()
    assert gate.passed


def poll(descriptors: list[Any]) -> None:
    """Resolves everything with what was submitted."""
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)
