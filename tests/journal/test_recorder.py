"""JournalWriter: what it tells a journal of what it was told, and when."""

from __future__ import annotations

import random
from math import inf

import pytest
from recorder_support import Made, failing, made
from support import InThread, Parking, SomeError, all_at_once

from more_executors.journal import Unreadable, _writer_thread

__all__ = ["made"]  # a fixture


# -- what is written ---------------------------------------------------------------------------------------------


def test_what_it_is_told_is_one_write(made: Made) -> None:
    made.recorder.joined(0, "zero")
    made.recorder.joined(1, "one")
    made.recorder.ended(5)
    made.flush()
    assert made.journal.writes == [([(0, "zero"), (1, "one")], [5])]
    assert made.journal.threads == {"PollExecutor-tested-journal"}


def test_it_writes_without_a_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer_thread, "SECONDS_TO_GATHER", 0.0)
    made = Made()
    made.recorder.joined(0, "zero")
    assert made.journal.next() == ([(0, "zero")], [])
    made.recorder.ended(0)
    assert made.journal.next() == ([], [0])
    made.recorder.close(wait=True)


def test_what_joined_and_ended_within_one_write_is_never_written(made: Made) -> None:
    for key in range(1, 11):
        made.recorder.joined(key, key)
    for key in range(2, 11):
        made.recorder.ended(key)
    made.flush()
    assert made.journal.writes == [([(1, 1)], [])]


def test_ending_twice_does_no_harm(made: Made) -> None:
    for key in (1, 2):
        made.recorder.joined(key, key)
    for _ in range(2):
        made.recorder.ended(1)
    made.flush()
    made.recorder.ended(1)
    made.flush()
    assert made.journal.on_record == {2: 2}


def test_where_nothing_is_to_be_written_nothing_is(made: Made) -> None:
    made.flush()
    made.recorder.joined(1, "one")
    made.recorder.ended(1)
    made.flush()
    assert made.journal.writes == []


def test_the_order_of_one_key_is_kept(made: Made) -> None:
    made.recorder.joined(0, "before")
    made.flush()
    made.recorder.ended(0)
    made.recorder.joined(0, "after")
    made.flush()
    assert made.journal.on_record == {0: "after"}


def test_what_was_on_record_before_is_forgotten_although_it_joined_again() -> None:
    again = Made((3, "three"), (4, "four"))
    again.recorder.joined(3, "three")
    again.recorder.ended(3)
    again.flush()
    assert again.journal.on_record == {4: "four"}
    again.recorder.close(wait=True)


def test_a_lot_is_several_writes(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer_thread, "AT_ONCE", 4)
    for key in range(10):
        made.recorder.joined(key, key)
    made.flush()
    assert [len(joined) for joined, _ in made.journal.writes] == [4, 4, 2]
    assert len(made.journal.on_record) == 10


def test_what_is_told_during_a_write_is_in_the_next(made: Made) -> None:
    made.journal.before = parking = Parking()
    made.recorder.joined(0, "zero")
    flushing = InThread(made.flush)
    parking.wait_for_one()
    made.recorder.ended(0)
    made.recorder.joined(1, "one")
    parking.let_go()
    flushing.outcome()
    made.flush()
    assert made.journal.writes == [([(0, "zero")], []), ([(1, "one")], [0])]


def test_whatever_order_threads_tell_in_the_books_balance(made: Made) -> None:
    def tell(first: int) -> None:
        random_numbers = random.Random(first)
        for key in range(first, first + 500):
            made.recorder.joined(key, key)
            if random_numbers.random() < 0.1:
                made.flush()
            if key % 3:
                made.recorder.ended(key)

    all_at_once(*(lambda first=first: tell(first) for first in (0, 1000, 2000)))
    made.flush()
    expected = [key for first in (0, 1000, 2000) for key in range(first, first + 500) if not key % 3]
    assert sorted(made.journal.on_record) == expected
    written = [key for joined, _ in made.journal.writes for key, _ in joined]
    assert len(written) == len(set(written))


# -- what was on record ------------------------------------------------------------------------------------------


def test_an_empty_journal_has_nothing_to_recover(made: Made) -> None:
    assert made.recorder.first_key == 1
    assert (made.recorder.recovery.keys, made.recorder.recovery.values) == ([], [])


def test_what_was_on_record_is_there_for_one() -> None:
    made = Made((2, "two"), (7, ["seven"]))
    made.recorder.joined(8, "eight")
    made.flush()
    assert made.recorder.first_key == 8
    recovery, first, second = made.recorder.recovery, object(), object()
    assert recovery.claim(first)
    assert (recovery.keys, recovery.values) == ([2, 7], ["two", ["seven"]])
    assert not recovery.claim(second)
    recovery.give_back(first, [2, 9], ["two", ["seven"]])
    assert not recovery.is_claimed_by(first)
    assert recovery.claim(second)
    assert (recovery.keys, recovery.values) == ([2, 9], ["two", ["seven"]])
    made.recorder.close(wait=True)
    assert sorted(made.journal.on_record) == [2, 7, 8]


def test_of_threads_that_recover_at_once_one_does() -> None:
    made = Made(*((key, key) for key in range(10)))
    found = all_at_once(*[lambda: made.recorder.recovery.claim(object())] * 4)
    assert sorted(found) == [False, False, False, True]
    made.recorder.close(wait=True)


def test_what_cannot_be_decoded_is_logged_and_stays() -> None:
    error = SomeError()
    made = Made((1, "one"), (2, Unreadable("gibberish", error)), (3, Unreadable("x", error)), (4, "four"))
    assert (made.recorder.recovery.keys, made.recorder.recovery.values) == ([1, 4], ["one", "four"])
    assert made.recorder.first_key == 5
    made.recorder.close(wait=True)
    assert made.heard.lines == [
        (
            "ERROR",
            "2 values in <FakeJournal> cannot be decoded, and stay there; the first is that of task 2: SomeError",
            None,
        ),
        ("DEBUG", "what is on record of task 2 is 'gibberish'", error),
    ]
    assert sorted(made.journal.on_record) == [1, 2, 3, 4]


# -- flush -------------------------------------------------------------------------------------------------------


def test_flush_waits_for_the_disk(made: Made) -> None:
    made.journal.after = parking = Parking()
    made.recorder.joined(0, "zero")
    flushing = InThread(made.recorder.flush)
    parking.wait_for_one()
    assert made.recorder.flush(0.0) is False
    assert flushing.is_alive()
    parking.let_go()
    assert flushing.outcome() is True


def test_flush_does_not_wait_for_what_is_told_after_it(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer_thread, "AT_ONCE", 2)  # key 0, and the flush
    first, second = Parking(), Parking()
    parkings = iter([first, second])
    made.journal.after = lambda: next(parkings, lambda: None)()
    made.recorder.joined(0, "zero")
    flushing = InThread(made.recorder.flush)
    first.wait_for_one()
    made.recorder.joined(1, "one")
    other = InThread(made.recorder.flush)
    first.let_go()
    assert flushing.outcome() is True
    second.wait_for_one()
    assert made.journal.on_record == {0: "zero", 1: "one"}
    assert other.is_alive()
    second.let_go()
    assert other.outcome() is True


def test_flush_on_the_own_thread_does_not_wait(made: Made) -> None:
    answers: list[bool] = []
    made.journal.before = lambda: answers.append(made.recorder.flush())
    made.recorder.joined(0, "zero")
    made.flush()
    made.journal.before = lambda: None
    assert answers == [False]


def test_flush_after_the_end_says_whether_all_was_written(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.recorder.joined(0, "zero")
    made.recorder.close(wait=True)
    assert made.recorder.flush() is True
    monkeypatch.setattr(_writer_thread, "PATIENCE", 0.0)
    other = Made()
    other.journal.before = failing(inf, SomeError())
    other.recorder.joined(0, "zero")
    other.recorder.close(wait=True)
    assert other.recorder.flush() is False
