"""What stand-ins for the stores of queues have in common, and the part of the test kit that tells them what to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support import PATIENCE

from more_executors.services.testing import ServiceTests


class Store:
    """A store of results that can be away, leave something out, and be slow: whoever reads from it calls these."""

    def __init__(self) -> None:
        self.is_away = False
        self.left_out: set[Any] = set()  # what results are stored under
        self.answers = threading.Event()
        self.answers.set()

    def check_is_there(self) -> None:
        if self.is_away:
            raise ConnectionRefusedError("the store is away")

    def wait_to_answer(self) -> None:
        assert self.answers.wait(PATIENCE)

    def stored_under(self, task: str) -> Any:
        return task


class StoreTests(ServiceTests):
    """The kit for a service whose results are in `stand_in`."""

    stand_in: Any  # a Store, or what has a Store's `answers`

    @contextmanager
    def leave_out(self, task: str) -> Iterator[None]:
        self.stand_in.left_out.add(self.stand_in.stored_under(task))
        yield
        self.stand_in.left_out.clear()

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.stand_in.is_away = True
        yield
        self.stand_in.is_away = False

    @contextmanager
    def hold(self) -> Iterator[None]:
        self.stand_in.answers.clear()
        yield
        self.stand_in.answers.set()


def polling(service: Any) -> Any:
    """An executor; what is outstanding when a test fails is left alone."""
    return ServiceTests().executor(service)


def polled(executor: Any) -> None:
    """Wait until all that is outstanding has been asked about twice since now."""
    ServiceTests().polled(executor, 2)
