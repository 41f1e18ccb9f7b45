"""`resume`: what raises in the middle of it loses nothing, and it can be called again."""

from __future__ import annotations

import dis
import itertools
import sys
import threading
from types import FrameType
from typing import Any

import pytest
from poll_journal_support import Record
from support import PATIENCE, all_at_once

from more_executors import PollExecutor, SyncExecutor

NEVER = 3600.0
LETTERS = [(key, letter) for key, letter in enumerate("abcdef", 3)]


def wait_for_nothing(descriptors: list[Any]) -> float:
    return NEVER


class Interrupted:
    """Raises a Ctrl-C at one of the steps that `resume` takes, the first being 0."""

    def __init__(self, step: int) -> None:
        self._left = step

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        sys.settrace(self._called)

    def __exit__(self, *error: object) -> None:
        sys.settrace(self._before)

    def _called(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._stepped if frame.f_code is PollExecutor.resume.__code__ else None

    def _stepped(self, frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_opcodes = True  # here: in Python 3.13 it is no use before
        # Between the last look for signals and this one, which leaves the function, Python does not look for them.
        if event == "opcode" and dis.opname[frame.f_code.co_code[frame.f_lasti]] != "RETURN_VALUE":
            self._left -= 1
            if self._left == -1:
                raise KeyboardInterrupt
        return self._stepped


@pytest.mark.skipif(sys.version_info[:2] == (3, 12), reason="there, a function that has begun traces no opcodes")
def test_wherever_a_ctrl_c_comes_the_next_call_finds_everything_and_nothing_twice() -> None:
    for step in itertools.count():
        record = Record(LETTERS)
        with PollExecutor(SyncExecutor(), wait_for_nothing, journal=record) as executor:
            try:
                with Interrupted(step):
                    resumed = executor.resume()
            except KeyboardInterrupt:
                assert executor.outstanding() == [], step
                resumed = executor.resume()
                was_interrupted = True
            else:
                was_interrupted = False
            assert [result for result, _ in resumed] == list("abcdef"), step
            assert [task.result for task in executor.outstanding()] == list("abcdef")
            assert executor.resume() == []
            assert executor.flush_journal(PATIENCE)
            assert list(record.on_record.items()) == LETTERS
            assert executor.stats().cancelled == 0
            executor.cancel_all()
        assert record.on_record == {}
        if not was_interrupted:
            break
    assert step > 20


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("at", list("abcdef"))
def test_what_a_function_of_the_users_raises_in_the_middle_loses_nothing(at: str, error: type[BaseException]) -> None:
    raising = [error()]

    def group(result: Any) -> str:
        if result == at and raising:
            raise raising.pop()
        return "all"

    record = Record(LETTERS)
    with PollExecutor(SyncExecutor(), wait_for_nothing, journal=record, group_by=group) as executor:
        with pytest.raises(error):
            executor.resume()
        assert executor.outstanding() == []
        assert executor.flush_journal(PATIENCE)
        assert list(record.on_record.items()) == LETTERS
        assert [result for result, _ in executor.resume()] == list("abcdef")
        executor.cancel_all()
    assert record.on_record == {}


def test_a_task_that_ended_before_it_was_interrupted_comes_back_and_stays_on_record() -> None:
    # 1. Some are taken up. 2. The first of them ends. 3. A Ctrl-C. 4. Another process would find all of them.
    descriptors: list[Any] = []
    raising: list[BaseException] = [KeyboardInterrupt()]

    def group(result: Any) -> str:
        if result == "d" and raising:
            executor.notify()
            while not descriptors:
                started.wait(0.001)
            descriptors[0].yield_result("done")
            raise raising.pop()
        return "all"

    def poll(some: list[Any]) -> float:
        descriptors.extend(some)
        return NEVER

    started = threading.Event()
    record = Record(LETTERS)
    with PollExecutor(SyncExecutor(), poll, journal=record, group_by=group) as executor:
        with pytest.raises(KeyboardInterrupt):
            executor.resume()
        assert executor.flush_journal(PATIENCE)
        assert sorted(record.on_record.values()) == list("abcdef")
        resumed = executor.resume()
        assert [result for result, _ in resumed] == list("abcdef")
        for _, future in resumed:
            assert future.cancel()
        assert executor.flush_journal(PATIENCE)
        assert record.on_record == {}


def test_of_several_that_resume_at_once_while_one_is_interrupted_one_has_it_in_the_end() -> None:
    raising: list[BaseException] = [KeyboardInterrupt()]

    def group(result: Any) -> str:
        if result == "f" and raising:
            raise raising.pop()
        return "all"

    record = Record(LETTERS)
    with PollExecutor(SyncExecutor(), wait_for_nothing, journal=record, group_by=group) as executor:

        def resume() -> int:
            try:
                return len(executor.resume())
            except KeyboardInterrupt:
                return 0

        counts = [*all_at_once(*[resume] * 4), resume()]
        assert sorted(counts) == [0, 0, 0, 0, 6]
        executor.cancel_all()
