"""Timers: items fall due in order of their times, first come first served, and a cancelled one costs nothing."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Callable
from functools import partial
from math import inf, nan
from typing import Any

import pytest
from support import Hostile, Thing, all_at_once, is_gone

from more_executors._core import Timer, Timers


def timers_alive() -> int:
    gc.collect()
    return sum(type(thing) is Timer for thing in gc.get_objects())


def test_new_timers_are_empty() -> None:
    timers = Timers()
    assert len(timers) == 0
    assert timers.next() is None
    assert timers.pop_due(inf) == []


def test_items_fall_due_in_order_of_their_times() -> None:
    timers = Timers()
    for when in [3.0, 1.0, 2.0, -1.0, 0.5]:
        assert timers.add(when, f"at {when}").when == when
    assert len(timers) == 5
    assert timers.next() == -1.0
    assert timers.pop_due(-2.0) == []
    assert timers.pop_due(1.0) == ["at -1.0", "at 0.5", "at 1.0"]
    assert (len(timers), timers.next()) == (2, 2.0)
    assert timers.pop_due(1.0) == []
    assert timers.pop_due(10.0) == ["at 2.0", "at 3.0"]
    assert (len(timers), timers.next()) == (0, None)


def test_of_equal_times_the_first_to_come_is_the_first_to_fall_due() -> None:
    timers = Timers()
    for number in range(100):
        timers.add(1.0 + number % 2, number)
    assert timers.pop_due(1.0) == list(range(0, 100, 2))
    for number in range(100, 104):
        timers.add(2.0, number)
    assert timers.pop_due(2.0) == [*range(1, 100, 2), 100, 101, 102, 103]


def test_a_cancelled_item_does_not_fall_due() -> None:
    timers = Timers()
    first, second, third = (timers.add(float(number), number) for number in range(3))
    assert (first.cancel(), first.cancel()) == (True, False)
    assert (len(timers), timers.next()) == (2, 1.0)
    assert third.cancel() is True
    assert (len(timers), timers.pop_due(inf)) == (1, [1])
    assert second.cancel() is False
    assert (len(timers), timers.next()) == (0, None)


def test_one_may_be_added_when_another_was_cancelled() -> None:
    timers = Timers()
    timers.add(1.0, "cancelled").cancel()
    timers.add(1.0, "added")
    assert timers.pop_due(1.0) == ["added"]


@pytest.mark.parametrize("when", [inf, 1e300, -inf, -0.0, 5, True])
def test_every_time_that_is_a_number_will_do(when: float) -> None:
    timers = Timers()
    timers.add(when, "item")
    assert timers.next() == when
    assert timers.pop_due(inf) == ["item"]


def test_what_is_due_at_no_time_is_refused() -> None:
    timers = Timers()
    with pytest.raises(ValueError, match="NaN"):
        timers.add(nan, "item")
    with pytest.raises(TypeError):
        timers.add("soon", "item")  # type: ignore[arg-type]
    assert len(timers) == 0
    timers.add(1.0, "item")
    assert timers.pop_due(nan) == []
    assert len(timers) == 1


def test_timers_are_made_by_adding_only() -> None:
    with pytest.raises(TypeError, match=r"Timers\.add"):
        Timer()
    with pytest.raises(TypeError, match=r"Timers\.add"):
        Timer(1.0, "item")
    with pytest.raises(AttributeError):
        Timers().add(1.0, "item").when = 2.0  # type: ignore[misc]


def test_a_timer_prints_its_time_and_whether_it_is_over() -> None:
    timer = Timers().add(1.5, "item")
    assert repr(timer) == "<Timer when=1.5>"
    timer.cancel()
    assert repr(timer) == "<Timer when=1.5 over>"


def test_items_are_kept_and_given_back_and_nothing_else() -> None:
    timers, items = Timers(), [Hostile() for _ in range(40)]
    kept = [timers.add(1.0, item) for item in items]
    kept[0].cancel()
    due = timers.pop_due(1.0)
    assert list(map(id, due)) == list(map(id, items[1:]))


# -- memory ---------------------------------------------------------------------------------------------------------


def fall_due(timers: Timers, timer: Timer) -> None:
    timers.pop_due(inf)


def cancel(timers: Timers, timer: Timer) -> None:
    timer.cancel()


@pytest.mark.parametrize("step", [fall_due, cancel])
def test_an_item_is_let_go_of_even_if_its_timer_is_kept(step: Callable[[Timers, Timer], None]) -> None:
    timers, item = Timers(), Thing()
    reference = weakref.ref(item)
    timer = timers.add(1.0, item)
    del item
    assert reference() is not None
    step(timers, timer)
    assert is_gone(reference)
    assert timer.when == 1.0


@pytest.mark.parametrize("waiting", [0, 10, 1000])
def test_cancelled_timers_are_let_go_of_while_others_wait(waiting: int) -> None:
    timers = Timers()
    before = timers_alive()
    for number in range(waiting):
        timers.add(float(number), number)
    for round_ in range(20_000):
        assert timers.add(float(round_ % 1500), "cancelled").cancel()
    assert timers_alive() - before <= 2 * waiting + 100
    assert len(timers) == waiting
    assert timers.pop_due(inf) == list(range(waiting))
    assert timers_alive() - before == 0


def test_timers_with_an_item_that_refers_to_them_can_be_collected() -> None:
    item = Thing()
    item.timers = Timers()  # type: ignore[attr-defined]
    item.timer = item.timers.add(1.0, item)  # type: ignore[attr-defined]
    reference = weakref.ref(item)
    del item
    assert is_gone(reference)


def test_what_an_item_does_when_it_is_let_go_of_may_use_the_timers() -> None:
    def dying() -> Thing:
        thing = Thing()
        references.append(weakref.ref(thing, use_timers))
        return thing

    def use_timers(_: weakref.ref[Thing]) -> None:
        timers.add(5.0, "added by the dying")
        lengths.append(len(timers))

    references: list[weakref.ref[Thing]] = []
    timers, lengths = Timers(), []
    timer = timers.add(1.0, dying())
    timers.add(2.0, "other")
    assert timer.cancel() is True
    timers.add(1.0, dying())
    assert len(timers.pop_due(1.0)) == 1
    gc.collect()
    assert lengths == [2, 3]
    assert timers.pop_due(5.0) == ["other", "added by the dying", "added by the dying"]


# -- against a model ------------------------------------------------------------------------------------------------


class Model:
    """The same, in the simplest way: a list sorted by time, in which equals stay in the order they came."""

    def __init__(self) -> None:
        self.pending: list[tuple[float, int]] = []

    def add(self, when: float, item: int) -> None:
        self.pending.append((when, item))
        self.pending.sort(key=lambda entry: entry[0])

    def cancel(self, item: int) -> bool:
        before = len(self.pending)
        self.pending = [entry for entry in self.pending if entry[1] != item]
        return len(self.pending) < before

    def next(self) -> float | None:
        return self.pending[0][0] if self.pending else None

    def pop_due(self, now: float) -> list[int]:
        due = [item for when, item in self.pending if when <= now]
        self.pending = self.pending[len(due) :]
        return due


@pytest.mark.parametrize("cancels", [1, 3, 8], ids=["few cancelled", "some cancelled", "most cancelled"])
@pytest.mark.parametrize("seed", range(8))
def test_timers_do_as_the_model_does(seed: int, cancels: int) -> None:
    rng = random.Random(seed)
    timers, model = Timers(), Model()
    handles: dict[int, Timer] = {}
    for turn in range(600):
        for _ in range(rng.choice([1, 1, 3])):
            when = rng.choice([float(rng.randrange(50)), rng.random() * 50, inf, -inf])
            key = len(handles)
            handles[key] = timers.add(when, key)
            model.add(when, key)
        for _ in range(rng.randrange(cancels)):
            key = rng.randrange(len(handles))
            assert handles[key].cancel() is model.cancel(key)
        assert timers.next() == model.next()
        assert len(timers) == len(model.pending)
        if turn % 10 == 0:
            now = rng.random() * 10
            assert timers.pop_due(now) == model.pop_due(now)
    assert timers.pop_due(50.0) == model.pop_due(50.0)
    assert timers.pop_due(inf) == model.pop_due(inf)
    assert len(timers) == 0


# -- threads --------------------------------------------------------------------------------------------------------


def test_among_threads_each_item_falls_due_or_is_cancelled_once() -> None:
    """Two add and cancel, cancelling what the others added too; one pops; one looks."""
    timers = Timers()
    added: list[tuple[int, Timer]] = []
    rounds = 3000

    def add_and_cancel(seed: int) -> list[int]:
        rng, cancelled = random.Random(seed), []
        for number in range(seed * rounds, (seed + 1) * rounds):
            added.append((number, timers.add(rng.random(), number)))
            for number, timer in (added[-1], rng.choice(added)):
                if rng.random() < 0.7 and timer.cancel():
                    cancelled.append(number)
        return cancelled

    def pop() -> list[int]:
        rng, due = random.Random(0), []
        for _ in range(rounds):
            due += timers.pop_due(rng.random())
        return due

    def look() -> list[int]:
        for _ in range(rounds):
            timers.next()
            assert 0 <= len(timers) <= 2 * rounds
        return []

    ends: list[Any] = all_at_once(partial(add_and_cancel, 0), partial(add_and_cancel, 1), pop, look)
    ended = [number for end in ends for number in end] + timers.pop_due(inf)
    assert sorted(ended) == list(range(2 * rounds))
    assert len(timers) == 0


def test_the_length_is_right_while_other_threads_cancel() -> None:
    timers = Timers()
    for _ in range(3):
        timers.add(0.0, "stays")

    def add_and_cancel() -> int:
        for _ in range(200):
            for timer in [timers.add(1.0, "cancelled") for _ in range(50)]:
                timer.cancel()
        return 0

    def look() -> int:
        return sum(not 3 <= len(timers) <= 103 or timers.next() != 0.0 for _ in range(20_000))

    assert all_at_once(add_and_cancel, add_and_cancel, look, look) == [0, 0, 0, 0]
    assert len(timers) == 3
