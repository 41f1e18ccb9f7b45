"""What a debug build counts: the objects that there are of each class of the core."""

from __future__ import annotations

import pytest
from support import polling, returning

from more_executors import SyncExecutor, _core
from more_executors._core import Future

counts = pytest.mark.skipif(_core.BUILD_PROFILE != "debug", reason="only a debug build counts them")


def count(name: str) -> int:
    return _core.live_objects().get(name, 0)


@counts
def test_an_object_is_counted_until_it_is_gone() -> None:
    before = count("Future")
    futures = [Future() for _ in range(3)]
    assert count("Future") == before + 3
    futures.pop()
    assert count("Future") == before + 2
    del futures
    assert count("Future") == before


@counts
def test_what_the_garbage_collector_does_not_know_of_is_counted_too() -> None:
    before = count("Counters")
    counters = _core.Counters()
    assert count("Counters") == before + 1
    del counters
    assert count("Counters") == before


@counts
def test_a_task_is_counted_while_it_is_outstanding() -> None:
    before = count("PollDescriptor")
    with polling(returning(*[3600.0] * 9)) as executor:
        future = executor.submit(str)
        assert count("PollDescriptor") == before + 1
        future.set_result("")
        assert count("PollDescriptor") == before


@pytest.mark.skipif(_core.BUILD_PROFILE == "debug", reason="a debug build counts them")
def test_other_builds_count_nothing() -> None:
    with SyncExecutor() as executor:
        assert executor.submit(int).result() == 0
        assert not _core.live_objects()
