"""What tests of futures share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support import WatchedLocks

from more_executors import _core


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], WatchedLocks]]:
    """Call it to be told, from then on, of threads of ours that go to sleep."""

    def watch() -> WatchedLocks:
        locks = WatchedLocks()
        patches.setattr(_core, "allocate_lock", locks)
        return locks

    with monkeypatch.context() as patches:
        yield watch
