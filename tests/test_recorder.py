"""Recorder: what it tells a journal of what it was told, and when."""

from __future__ import annotations

import itertools
import queue
import random
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, HeardLogger, InThread, Parking, SomeError, all_at_once, assert_ends, is_gone

from more_executors import _recorder
from more_executors._recorder import Recorder
from more_executors.journal import Journal, Unreadable, UnrecordableError

Write = tuple[list[tuple[int, Any]], list[int]]


class FakeJournal:
    """Has on record what it was told to, and can be kept from that."""

    def __init__(self, *on_record: tuple[int, Any]) -> None:
        self.on_record: dict[int, Any] = dict(on_record)
        self.writes: list[Write] = []
        self.threads: set[str] = set()
        self.before: Callable[[], object] = lambda: None  # called by each write, which fails as this does
        self.after: Callable[[], object] = lambda: None
        self._done: queue.SimpleQueue[Write] = queue.SimpleQueue()

    def write(self, joined: Sequence[tuple[int, Any]], ended: Sequence[int]) -> None:
        self.threads.add(threading.current_thread().name)
        self.before()
        self.on_record.update(joined)
        for key in ended:
            self.on_record.pop(key, None)
        self.writes.append((list(joined), list(ended)))
        self._done.put(self.writes[-1])
        self.after()

    def next(self) -> Write:
        """Wait for the next write."""
        return self._done.get(timeout=PATIENCE)

    def outstanding(self) -> Iterable[tuple[int, Any]]:
        return sorted(self.on_record.items())

    def __repr__(self) -> str:
        return "<FakeJournal>"


class Made:
    """A journal, a logger, and the recorder that has them."""

    def __init__(self, *on_record: tuple[int, Any]) -> None:
        self.journal = FakeJournal(*on_record)
        self.heard = HeardLogger()
        self.recorder = Recorder(self.journal, self.heard, "PollExecutor-tested")

    def flush(self) -> None:
        assert self.recorder.flush(PATIENCE) is True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """One that writes when it is flushed, and tries again at once."""
    monkeypatch.setattr(_recorder, "SECONDS_TO_GATHER", inf)
    monkeypatch.setattr(_recorder, "FIRST_PAUSE", 0.0)
    made = Made()
    yield made
    made.journal.before = lambda: None
    made.recorder.close(wait=True)


def failing(times: float, error: BaseException) -> Callable[[], None]:
    """What raises so many times."""
    left = [times]

    def fail() -> None:
        if left[0] > 0:
            left[0] -= 1
            raise error

    return fail


# -- what is written ---------------------------------------------------------------------------------------------


def test_what_it_is_told_is_one_write(made: Made) -> None:
    made.recorder.joined(0, "zero")
    made.recorder.joined(1, "one")
    made.recorder.ended(5)
    made.flush()
    assert made.journal.writes == [([(0, "zero"), (1, "one")], [5])]
    assert made.journal.threads == {"PollExecutor-tested-journal"}


def test_it_writes_without_a_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_recorder, "SECONDS_TO_GATHER", 0.0)
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
    monkeypatch.setattr(_recorder, "AT_ONCE", 4)
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
    assert made.recorder.recovered() == []


def test_what_was_on_record_is_recovered_once() -> None:
    made = Made((2, "two"), (7, ["seven"]))
    made.recorder.joined(8, "eight")
    made.flush()
    assert made.recorder.first_key == 8
    assert made.recorder.recovered() == [(2, "two"), (7, ["seven"])]
    assert made.recorder.recovered() == []
    made.recorder.close(wait=True)
    assert sorted(made.journal.on_record) == [2, 7, 8]


def test_of_threads_that_recover_at_once_one_does() -> None:
    made = Made(*((key, key) for key in range(10)))
    found = all_at_once(*[made.recorder.recovered] * 4)
    assert sorted(map(len, found)) == [0, 0, 0, 10]
    made.recorder.close(wait=True)


def test_what_cannot_be_decoded_is_logged_and_stays() -> None:
    error = SomeError()
    made = Made((1, "one"), (2, Unreadable("gibberish", error)), (3, Unreadable("x", error)), (4, "four"))
    assert made.recorder.recovered() == [(1, "one"), (4, "four")]
    assert made.recorder.first_key == 5
    made.recorder.close(wait=True)
    ((level, message, logged),) = made.heard.lines
    assert (level, logged) == ("ERROR", error)
    assert message.startswith("2 values in <FakeJournal> cannot be decoded")
    assert "'gibberish', of key 2" in message
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
    monkeypatch.setattr(_recorder, "AT_ONCE", 2)  # key 0, and the flush
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
    monkeypatch.setattr(_recorder, "PATIENCE", 0.0)
    other = Made()
    other.journal.before = failing(inf, SomeError())
    other.recorder.joined(0, "zero")
    other.recorder.close(wait=True)
    assert other.recorder.flush() is False


# -- a journal that fails ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [SomeError("no"), KeyboardInterrupt()], ids=repr)
def test_a_write_that_fails_is_tried_again_and_logged_once(made: Made, error: BaseException) -> None:
    made.journal.before = failing(5, error)
    made.recorder.joined(0, "zero")
    made.recorder.ended(9)
    made.flush()
    assert made.journal.writes == [([(0, "zero")], [9])]
    (first, second) = made.heard.lines
    assert first[0] == "ERROR"
    assert first[1].startswith("<FakeJournal> cannot be written")
    assert first[2] is error
    assert second[:2] == ("INFO", "<FakeJournal> is written again")
    made.journal.before = failing(1, error)
    made.recorder.joined(1, "one")
    made.flush()
    assert len(made.heard.of_level("ERROR")) == 2


def test_nothing_is_forgotten_while_writing_fails(made: Made) -> None:
    reached = threading.Semaphore(0)
    fails = [True]

    def fail() -> None:
        if fails:
            reached.release()
            raise SomeError

    made.journal.before = fail
    made.recorder.joined(0, "zero")
    flushing = InThread(made.flush)
    assert reached.acquire(timeout=PATIENCE)
    made.recorder.joined(1, "one")
    made.recorder.ended(7)
    for _ in range(3):
        assert reached.acquire(timeout=PATIENCE)
    fails.clear()
    flushing.outcome()
    made.flush()
    assert made.journal.on_record == {0: "zero", 1: "one"}
    assert 7 in [key for _, ended in made.journal.writes for key in ended]


def test_what_a_failed_write_may_have_written_is_forgotten_when_it_ends(made: Made) -> None:
    # 1. A write puts key 1 on record, and fails all the same. 2. The task ends. 3. It is not on record.
    made.recorder.joined(1, "one")
    told = threading.Event()

    def end_and_fail() -> None:
        made.recorder.ended(1)
        told.set()
        made.journal.after = lambda: None
        raise SomeError

    made.journal.after = end_and_fail
    made.flush()
    assert told.is_set()
    made.flush()
    assert made.journal.on_record == {}
    assert made.journal.writes[-1][1] == [1]


def test_what_was_taken_in_between_is_not_looked_for_again(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_recorder, "AT_ONCE", 1)
    made.journal.before = failing(1, SomeError())
    for key in (1, 2, 3):
        made.recorder.joined(key, key)
    made.flush()
    assert made.journal.on_record == {1: 1, 2: 2, 3: 3}
    assert len(made.heard.of_level("ERROR")) == 1


def test_the_pauses_grow_up_to_a_limit() -> None:
    class Sleepless:
        """Stands in for the waker that the thread sleeps on between its tries."""

        def __init__(self) -> None:
            self.slept: list[float] = []

        def set(self) -> None:
            pass

        def wait(self, seconds: float) -> bool:
            self.slept.append(seconds)
            return False

    made = Made()
    sleepless = Sleepless()
    made.recorder._writer.hurry = sleepless  # type: ignore[assignment]
    made.journal.before = failing(8, SomeError())
    made.recorder.joined(0, "zero")
    made.flush()
    assert [seconds for seconds in sleepless.slept if seconds >= 0.1] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    made.recorder.close(wait=True)


def test_values_that_cannot_be_encoded_are_named_and_left_out(made: Made) -> None:
    errors = [SomeError(key) for key in range(8)]
    failures: list[tuple[int, Any, BaseException]] = [(key, f"value {key}", errors[key]) for key in range(8)]
    made.journal.after = failing(1, UnrecordableError(failures))
    for key in range(10):
        made.recorder.joined(key, f"value {key}")
    made.flush()
    assert len(made.journal.writes) == 1
    lines = made.heard.lines
    assert [line[0] for line in lines] == ["ERROR"] * 6
    assert [line[2] for line in lines] == [*errors[:5], None]
    assert lines[4][1].startswith("'value 4' cannot be put on record")
    assert lines[5][1] == "3 more values cannot be put on record"


def test_a_value_whose_repr_fails_is_named_as_far_as_that_goes(made: Made) -> None:
    class Shy:
        def __repr__(self) -> str:
            raise SomeError

    made.journal.after = failing(1, UnrecordableError([(0, Shy(), SomeError())]))
    made.recorder.joined(0, "zero")
    made.flush()
    assert "Shy instance" in made.heard.lines[0][1]


def test_a_fault_of_its_own_does_not_end_the_thread(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_recorder, "SECONDS_AFTER_ERROR", 0.0)
    with monkeypatch.context() as patches:
        patches.setattr(made.recorder._writer, "_take", Parking(raising=MemoryError()))
        made.recorder._writer._take.let_go()  # type: ignore[attr-defined]
        made.recorder.joined(0, "zero")
        assert made.recorder.flush(0.05) is False
    made.flush()
    assert made.journal.on_record == {0: "zero"}
    assert set(made.heard.of_level("ERROR")) == {"PollExecutor-tested-journal goes on after an error"}


# -- the end -----------------------------------------------------------------------------------------------------


def test_close_writes_what_is_left(made: Made) -> None:
    thread = made.recorder._thread
    for key in range(100):
        made.recorder.joined(key, key)
    made.recorder.close(wait=True)
    assert not thread.is_alive()
    assert len(made.journal.on_record) == 100
    made.recorder.close(wait=True)


def test_close_can_be_asked_not_to_wait(made: Made) -> None:
    made.journal.before = parking = Parking()
    made.recorder.joined(0, "zero")
    made.recorder.close(wait=False)
    parking.wait_for_one()
    assert made.recorder._thread.is_alive()
    parking.let_go()
    assert_ends(made.recorder._thread)
    assert made.journal.on_record == {0: "zero"}


def test_close_on_the_own_thread_does_not_wait(made: Made) -> None:
    made.journal.before = lambda: made.recorder.close(wait=True)
    made.recorder.joined(0, "zero")
    assert made.recorder.flush(PATIENCE)
    assert_ends(made.recorder._thread)
    assert made.journal.on_record == {0: "zero"}


def test_close_gives_up_on_a_journal_that_goes_on_failing(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_recorder, "PATIENCE", 0.0)
    made.journal.before = failing(inf, SomeError())
    made.recorder.joined(0, "zero")
    made.recorder.joined(1, "one")
    made.recorder.ended(7)
    flushing = InThread(made.recorder.flush, PATIENCE)
    made.recorder.close(wait=True)
    assert flushing.outcome() is False
    last = made.heard.of_level("ERROR")[-1]
    assert last == "<FakeJournal> could not be written: 2 tasks are not on record, and 1 are that have ended"


def test_who_waits_is_not_left_waiting_at_the_end(made: Made) -> None:
    for _ in range(20):
        other = Made()
        outcomes = all_at_once(
            lambda other=other: other.recorder.close(wait=True),
            *[lambda other=other: other.recorder.flush(PATIENCE)] * 3,
        )
        assert outcomes[1:] == [True] * 3


def test_what_nobody_refers_to_ends(made: Made) -> None:
    other = Made()
    thread, gone = other.recorder._thread, weakref.ref(other.recorder)
    other.recorder.joined(0, "zero")
    other.recorder.itself = other.recorder  # type: ignore[attr-defined]
    journal = other.journal
    del other
    assert is_gone(gone)
    assert_ends(thread)
    assert journal.on_record == {0: "zero"}


def test_the_thread_drops_what_was_written(made: Made) -> None:
    class Value:
        pass

    value = Value()
    made.journal.after = lambda: (made.journal.on_record.clear(), made.journal.writes.clear(), made.journal._done.get())
    made.recorder.joined(0, value)
    made.flush()
    gone = weakref.ref(value)
    del value
    assert is_gone(gone)


def test_after_detach_nothing_more_is_recorded(made: Made) -> None:
    made.recorder.joined(0, "zero")
    made.recorder.joined(1, "one")
    made.recorder.ended(1)
    made.recorder.detach()
    made.recorder.ended(0)
    made.recorder.joined(2, "two")
    assert_ends(made.recorder._thread)
    assert made.journal.on_record == {0: "zero"}
    assert made.recorder.flush() is True
    made.recorder.detach()
    made.recorder.close(wait=True)
    assert made.journal.on_record == {0: "zero"}


def test_detach_waits_no_longer_than_it_may(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_recorder, "PATIENCE", 0.0)
    made.journal.before = parking = Parking()
    made.recorder.joined(0, "zero")
    made.recorder.detach()
    made.recorder.ended(0)
    parking.let_go()
    assert_ends(made.recorder._thread)
    assert made.journal.on_record == {0: "zero"}


def test_what_is_told_behind_a_detach_is_not_recorded(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    # 1. A thread is about to tell of an end. 2. Another one detaches, during a write. 3. The first one tells.
    monkeypatch.setattr(_recorder, "PATIENCE", 0.0)
    tell = made.recorder._tell
    made.journal.before = parking = Parking()
    made.recorder.joined(1, "one")
    made.recorder._writer.hurry.set()
    parking.wait_for_one()
    made.recorder.detach()
    tell(1)
    parking.let_go()
    assert_ends(made.recorder._thread)
    assert made.journal.on_record == {1: "one"}


def test_after_a_detach_telling_keeps_nothing(made: Made) -> None:
    made.recorder.detach()
    assert_ends(made.recorder._thread)
    made.recorder.joined(1, "one")
    assert not made.recorder._writer.told


def test_who_waits_behind_the_last_one_is_not_forgotten() -> None:
    writer = _recorder.Writer(FakeJournal(), HeardLogger())
    ticket = _recorder.Ticket(is_last=False)
    writer.told.extend([_recorder.Ticket(is_last=True), ticket])
    writer.hurry.set()
    writer.waker.set()
    writer.run()
    assert ticket.waker.wait(0) is True
    assert ticket.is_written


# -- one recorder for a journal ----------------------------------------------------------------------------------


def test_a_journal_has_one_recorder_at_a_time(made: Made) -> None:
    with pytest.raises(ValueError, match="journal is in use by another executor: <FakeJournal>"):
        Recorder(made.journal, made.heard, "other")
    made.recorder.close(wait=True)
    other = Recorder(made.journal, made.heard, "other")
    other.close(wait=True)


def test_of_recorders_made_at_once_one_has_the_journal() -> None:
    journal = FakeJournal()

    def make() -> Recorder | Exception:
        try:
            return Recorder(journal, HeardLogger(), "one")
        except ValueError as error:
            return error

    (recorder,) = [one for one in all_at_once(*[make] * 4) if isinstance(one, Recorder)]
    recorder.close(wait=True)


@pytest.mark.parametrize("journal", [None, "tasks.db", object(), {}], ids=repr)
def test_a_journal_has_two_methods(journal: Any) -> None:
    with pytest.raises(TypeError, match="journal must have the methods write and outstanding"):
        Recorder(journal, HeardLogger(), "tested")


def test_a_journal_that_cannot_be_read_is_not_kept() -> None:
    journal = FakeJournal()
    journal.outstanding = Parking(raising=SomeError())  # type: ignore[method-assign]
    journal.outstanding.let_go()
    for _ in range(2):
        with pytest.raises(SomeError):
            Recorder(journal, HeardLogger(), "tested")
    del journal.outstanding
    Recorder(journal, HeardLogger(), "tested").close(wait=True)


def test_with_a_real_journal_the_next_one_finds_what_is_left(tmp_path: Path) -> None:
    left: dict[int, Any] = {}
    keys = itertools.count()
    for _ in range(3):
        with Journal(tmp_path / "tasks.db") as journal:
            recorder = Recorder(journal, HeardLogger(), "tested")
            assert dict(recorder.recovered()) == left
            for key in itertools.islice(keys, recorder.first_key, recorder.first_key + 20):
                recorder.joined(key, f"task-{key}")
                left[key] = f"task-{key}"
            for key in list(left)[::2]:
                recorder.ended(key)
                del left[key]
            recorder.close(wait=True)
