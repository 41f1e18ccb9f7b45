"""`journal`: what is put on record when tasks join and end, and taken up again by `resume`."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from poll_journal_support import Record
from support import (
    PATIENCE,
    DuckDelegate,
    HeardLogger,
    InThread,
    RecordingPoll,
    SomeError,
    Thing,
    poll_thread,
    said,
)

from more_executors import PollExecutor, SyncExecutor
from more_executors.journal import Unreadable

NEVER = 3600.0


def wait_for_nothing(descriptors: list[Any]) -> float:
    return NEVER


# In each way of polling.
MODES: dict[str, dict[str, Any]] = {
    "whole list": {},
    "what is due": {"batch_size": 100},
    "in groups": {"group_by": len},
    "counting failures": {"retry_policy": None, "timeout": NEVER},
}
every_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


@every_mode
def test_what_is_polled_is_on_record_until_its_future_ends(mode: Any) -> None:
    record, poll = Record(), RecordingPoll(NEVER)
    with PollExecutor(SyncExecutor(), poll, journal=record, name="it", **mode) as executor:
        futures = [executor.submit(str, "a"), executor.adopt("b"), *executor.adopt_many(["c", "d", "e"])]
        assert executor.flush_journal(PATIENCE)
        assert sorted(record.on_record.values()) == list("abcde")
        assert list(record.on_record) == sorted(record.on_record)
        for future, end in zip(futures, ("finish", "fail", "cancel"), strict=False):
            if end == "cancel":
                assert future.cancel()
            elif end == "fail":
                future.set_exception(SomeError())
            else:
                future.set_result(None)
        assert executor.flush_journal(PATIENCE)
        assert list(record.on_record.values()) == ["d", "e"]
        assert record.threads == {"PollExecutor-it-journal"}
        executor.cancel_all()
    assert record.on_record == {}


def test_what_the_delegate_has_is_not_on_record_and_what_fails_there_never_is() -> None:
    record = Record()
    delegate: Any = DuckDelegate()
    with PollExecutor(delegate, wait_for_nothing, journal=record) as executor:
        failed, polled = executor.submit(str), executor.submit(str)
        assert executor.flush_journal(PATIENCE)
        delegate.given[0].end(error=SomeError())
        delegate.given[1].end("polled")
        assert executor.flush_journal(PATIENCE)
        assert list(record.on_record.values()) == ["polled"]
        assert said(failed) is SomeError
        polled.cancel()


def test_a_task_is_told_to_have_joined_before_it_can_be_told_to_have_ended() -> None:
    told: list[Any] = []
    record = Record()

    def poll(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            descriptor.yield_result()
        return NEVER

    executor: Any = PollExecutor(SyncExecutor(), poll, journal=record)
    recorder = executor._engine.recorder
    joined, ended = recorder.joined, recorder.ended

    def note_joined(key: int, value: object) -> None:
        told.append((key, value))
        joined(key, value)

    def note_ended(key: int) -> None:
        told.append(key)
        ended(key)

    recorder.joined, recorder.ended = note_joined, note_ended
    with executor:
        for n in range(200):
            executor.adopt(n)
    joins = [event for event in told if isinstance(event, tuple)]
    ends = [event for event in told if isinstance(event, int)]
    assert [value for _, value in joins] == list(range(200))
    assert sorted(ends) == sorted(key for key, _ in joins)
    for key, value in joins:
        assert told.index((key, value)) < told.index(key)
    assert record.on_record == {}


def test_a_task_is_outstanding_until_its_end_is_told_even_if_it_ends_while_it_joins() -> None:
    drained: list[bool] = []
    record = Record()
    delegate: Any = DuckDelegate()
    executor: Any = PollExecutor(delegate, wait_for_nothing, journal=record)
    recorder = executor._engine.recorder
    joined, ended = recorder.joined, recorder.ended

    def join_and_end(key: int, value: object) -> None:
        joined(key, value)
        future.set_result(None)
        executor.shutdown(wait=False)
        drained.append(executor._drained())

    def note_ended(key: int) -> None:
        drained.append(executor._drained())
        ended(key)

    executor.adopt("other")
    recorder.joined, recorder.ended = join_and_end, note_ended
    future = executor.submit(str)
    executor.cancel_all()
    delegate.given[0].end("key")
    executor._worker.join()
    executor._engine.join()
    assert set(drained) == {False}
    assert record.on_record == {}


# -- resuming ------------------------------------------------------------------------------------------------------


@every_mode
def test_what_is_on_record_is_taken_up_once_in_order_and_forgotten_when_it_ends(mode: Any) -> None:
    record, poll = Record([(3, "a"), (7, "b"), (20, "c")]), RecordingPoll(NEVER)
    with PollExecutor(SyncExecutor(), poll, journal=record, **mode) as executor:
        new = executor.adopt("n")
        resumed = executor.resume()
        assert [result for result, _ in resumed] == ["a", "b", "c"]
        assert executor.resume() == []
        assert executor.flush_journal(PATIENCE)
        assert record.on_record == {3: "a", 7: "b", 20: "c", 21: "n"}
        assert record.writes == [([(21, "n")], [])]  # what was on record is not written again
        resumed[1][1].set_result("done")
        assert executor.flush_journal(PATIENCE)
        assert record.on_record == {3: "a", 20: "c", 21: "n"}
        assert sorted(task.result for task in executor.outstanding()) == ["a", "c", "n"]
        assert executor.cancel_all() == 3
        assert new.cancelled()
    assert record.on_record == {}


def test_what_is_not_taken_up_stays_on_record_for_the_next_one() -> None:
    record = Record([(1, "a"), (2, "b")])
    with PollExecutor(SyncExecutor(), wait_for_nothing, journal=record) as executor:
        executor.adopt("c").cancel()
    assert record.on_record == {1: "a", 2: "b"}
    with PollExecutor(SyncExecutor(), wait_for_nothing, journal=record) as executor:
        assert [result for result, _ in executor.resume()] == ["a", "b"]
        executor.cancel_all()
    assert record.on_record == {}


def test_what_is_taken_up_has_the_timeout_of_the_executor() -> None:
    record = Record([(1, "late")])
    with PollExecutor(SyncExecutor(), wait_for_nothing, journal=record, timeout=0) as executor:
        ((_, future),) = executor.resume()
        assert said(future) is TimeoutError
    assert record.on_record == {}


def test_resuming_that_is_interrupted_leaves_everything_on_record() -> None:
    record = Record([(1, "a"), (2, "b"), (3, "c")])

    def shut_down(result: Any) -> None:
        if result == "b":
            executor.shutdown(wait=False)

    executor = PollExecutor(SyncExecutor(), wait_for_nothing, journal=record, group_by=shut_down)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.resume()
    executor._worker.join()
    assert executor.stats().outstanding == 0
    assert record.on_record == {1: "a", 2: "b", 3: "c"}


def test_a_task_that_cannot_be_taken_up_fails_and_is_forgotten() -> None:
    record = Record([(1, "a"), (2, 5)])
    with PollExecutor(SyncExecutor(), wait_for_nothing, journal=record, group_by=len) as executor:
        (_, good), (_, bad) = executor.resume()
        assert said(bad) is TypeError
        assert executor.flush_journal(PATIENCE)
        assert record.on_record == {1: "a"}
        good.cancel()


def test_a_value_that_cannot_be_read_is_left_on_record() -> None:
    record, logger = Record([(1, Unreadable("?", SomeError())), (2, "b")]), HeardLogger()
    with PollExecutor(SyncExecutor(), wait_for_nothing, journal=record, logger=logger) as executor:
        assert [result for result, _ in executor.resume()] == ["b"]
        executor.cancel_all()
    assert list(record.on_record) == [1]
    assert [level for level, _, _ in logger.lines] == ["ERROR", "DEBUG"]


def test_several_that_resume_at_once_share_what_there_is() -> None:
    record = Record([(n, n) for n in range(1, 101)])
    with PollExecutor(SyncExecutor(), wait_for_nothing, journal=record) as executor:
        threads = [InThread(executor.resume) for _ in range(4)]
        assert sorted(len(thread.outcome()) for thread in threads) == [0, 0, 0, 100]
        assert executor.cancel_all() == 100
        del threads
    assert record.on_record == {}


def test_after_shutdown_nothing_is_taken_up() -> None:
    executor = PollExecutor(SyncExecutor(), wait_for_nothing, journal=(record := Record([(1, "a")])))
    executor.shutdown()
    with pytest.raises(RuntimeError, match=r"^cannot schedule new futures after shutdown$"):
        executor.resume()
    assert record.on_record == {1: "a"}


# -- without one, and with one that is refused -----------------------------------------------------------------------


def test_without_a_journal_there_is_nothing_to_resume_or_flush() -> None:
    with PollExecutor(SyncExecutor(), wait_for_nothing) as executor:
        with pytest.raises(ValueError, match=r"^resume: <PollExecutor .*> has no journal$"):
            executor.resume()
        with pytest.raises(ValueError, match=r"^flush_journal: <PollExecutor .*> has no journal$"):
            executor.flush_journal()


class Broken(Record):
    def outstanding(self) -> list[tuple[int, Any]]:
        raise SomeError


@pytest.mark.parametrize(("journal", "error"), [(Broken(), SomeError), (Thing(), TypeError), ("tasks.db", TypeError)])
def test_a_journal_that_is_refused_leaves_no_thread(journal: Any, error: type[Exception]) -> None:
    before = set(threading.enumerate())
    with pytest.raises(error):
        PollExecutor(SyncExecutor(), wait_for_nothing, journal=journal)
    assert set(threading.enumerate()) <= before


def test_a_journal_is_for_one_executor_at_a_time() -> None:
    record = Record()
    with PollExecutor(SyncExecutor(), wait_for_nothing, journal=record, name="first"):
        with pytest.raises(ValueError, match="journal is in use by another executor"):
            PollExecutor(SyncExecutor(), wait_for_nothing, journal=record, name="second")
        assert poll_thread("first-journal").is_alive()
    with PollExecutor(SyncExecutor(), wait_for_nothing, journal=record):
        pass


class Stuck(Record):
    """A journal that cannot be written until the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.working = threading.Event()
        self.tries: queue.SimpleQueue[None] = queue.SimpleQueue()

    def write(self, joined: Sequence[tuple[int, Any]], ended: Sequence[int]) -> None:
        self.tries.put(None)
        if not self.working.is_set():
            raise SomeError
        super().write(joined, ended)


def test_a_journal_that_cannot_be_written_holds_up_nothing_and_catches_up() -> None:
    record, logger, poll = Stuck(), HeardLogger(), RecordingPoll(NEVER)
    with PollExecutor(SyncExecutor(), poll, journal=record, logger=logger) as executor:
        first, second = executor.adopt_many(list("ab"))
        record.tries.get(timeout=PATIENCE)
        assert executor.flush_journal(0.01) is False
        poll.next_with(["a", "b"])[0].yield_result("polled")
        assert first.result(PATIENCE) == "polled"
        record.working.set()
        assert executor.flush_journal(PATIENCE) is True
        assert list(record.on_record.values()) == ["b"]
        second.cancel()
    assert [level for level, _, _ in logger.lines if level != "INFO"] == ["ERROR"]
