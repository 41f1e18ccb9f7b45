"""What is set aside when it joins: it is not due before it is let in, and then in order of arrival."""

from __future__ import annotations

from itertools import count, islice
from math import inf
from random import Random
from typing import Any

import pytest
from paced_support import new_table
from support import Thing

from more_executors import _core

OWNER = Thing()


def table_that_sets_aside(**options: Any) -> Any:
    table = new_table(**options)
    table.sets_aside = True
    return table


def taken(table: Any, until: float = 1.0, at_most: int = 1_000_000) -> list[Any]:
    return [task.result for task in table.take_due(until, at_most, until)[0]]


def test_what_is_set_aside_is_due_when_it_is_let_in_in_order_of_arrival() -> None:
    table = table_that_sets_aside()
    table.adopt_many(OWNER, list(range(20_000)))
    assert (table.polling, table.next_due(), table.has_due(1e9), table.due(1e9)) == (20_000, inf, False, 0)
    table.let_in(1.0)
    assert table.next_due() == pytest.approx(1.0, abs=1e-3)
    assert table.due(1.0) == 20_000
    assert taken(table, at_most=15_000) == list(range(15_000))
    assert taken(table) == list(range(15_000, 20_000))
    assert table.in_calls == 20_000
    table.cancel_all()
    assert (table.in_calls, table.polling) == (0, 0)


def test_whatever_joins_and_leaves_who_is_let_in_is_due() -> None:
    random = Random(1)
    table = table_that_sets_aside(group_by=lambda result: result % 3)
    waiting: dict[int, Any] = {}  # its future, of all that are in no call
    numbers = count()
    for _ in range(400):
        for number in islice(numbers, random.choice([0, 1, 3, 100])):
            waiting[number] = table.adopt(OWNER, number)
        for number in random.sample(list(waiting), len(waiting) // 3):
            assert waiting.pop(number).cancel()
        if random.random() < 0.3:
            table.let_in(1.0) if random.random() < 0.8 else table.make_all_due()
            found = [number for _ in range(3) for number in taken(table, inf)]
            assert sorted(found) == sorted(waiting)
            in_call = list(waiting.values())
            waiting.clear()
            for future in in_call[::2]:
                assert future.cancel()
    table.make_all_due()
    assert sorted(number for _ in range(3) for number in taken(table, inf)) == sorted(waiting)
    table.cancel_all()
    assert table.in_calls == 0


def test_a_deadline_has_one_that_is_set_aside_due_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(_core, "monotonic", lambda: now)
    table = table_that_sets_aside(timeout=1.0, last_look=5.0)
    table.adopt_many(OWNER, ["a", "b"], 600.0)
    table.adopt(OWNER, "late")
    now += 1
    assert table.fail_late() == ([], now + 5.0)
    assert table.next_due() == now
    assert taken(table, now) == ["late"]
    table.let_in(now)
    assert taken(table, now) == ["a", "b"]
    table.cancel_all()
