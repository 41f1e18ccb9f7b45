"""The places of tasks in a table: in the order they were taken, whatever leaves, and given back when few are left."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from paced_support import new_table
from support import Thing
from throttle_support import Sleeper, keys, throttling

from more_executors import _core


@pytest.fixture
def sleeper(monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    return Sleeper(monkeypatch, "ThrottleExecutor-default")


def test_what_comes_after_the_last_of_several_has_left_is_found(sleeper: Sleeper) -> None:
    with throttling(1) as (executor, delegate):
        for round_of_four in range(3):
            for key in range(4):
                executor.submit(int, key)
            for _ in range(4):
                sleeper.idle()
                delegate.given[-1].set_result(None)
            sleeper.idle()
            assert keys(delegate) == [0, 1, 2, 3] * (round_of_four + 1)


def test_listing_in_between_does_not_change_the_order(sleeper: Sleeper) -> None:
    with throttling(1) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(8)]
        for done in range(8):
            sleeper.idle()
            assert keys(delegate) == [*range(done + 1)]
            if done % 3 == 2:
                assert executor._table.futures() == [*futures[done + 1 :], futures[done]], "those that queue come first"
            delegate.given[done].set_result(None)


def places(table: Any) -> int:
    """How many places there are, taken or not."""
    slots = [thing for thing in gc.get_referents(table) if type(thing).__name__ == "SlotArray"]
    assert slots
    return sum(len(thing) for each in slots for thing in gc.get_referents(each) if isinstance(thing, list))


@pytest.mark.parametrize("kind", [_core.FullListTable, _core.DueTable])
@pytest.mark.parametrize("left", [slice(50), slice(10_000 - 50, None), slice(None, None, 200)])
def test_when_few_are_left_of_many_their_places_are_given_back(kind: Any, left: slice) -> None:
    table, owner = new_table(kind), Thing()
    futures = table.adopt_many(owner, list(range(10_000)))
    assert places(table) >= 10_000
    stay = futures[left]
    for future in {*futures} - {*stay}:
        future.cancel()
    stay.append(table.adopt(owner, "one more"))
    assert places(table) < 1000
    assert table.futures() == stay
    table.cancel_all()
