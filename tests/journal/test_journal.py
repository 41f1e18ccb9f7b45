"""Journal: what it keeps, and through what."""

from __future__ import annotations

import os
import pickle
import sqlite3
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, Parking, SomeError, all_at_once, in_words, is_gone, without_collector

from more_executors.journal import JSON, Journal, JournalError, JournalLike, Unreadable, UnrecordableError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


def on_record(path: Path, **how: Any) -> list[tuple[int, Any]]:
    """What a journal that is opened for this has."""
    with Journal(path, **how) as journal:
        return list(journal.outstanding())


def test_what_was_written_is_there_when_it_is_opened_again(path: Path) -> None:
    with Journal(path) as journal:
        assert list(journal.outstanding()) == []
        journal.write([(7, "seven"), (2, {"id": 2})], [])
        journal.write([(2**62, None)], [7])
        assert list(journal.outstanding()) == [(2, {"id": 2}), (2**62, None)]
        assert len(journal) == 2
    assert on_record(path) == [(2, {"id": 2}), (2**62, None)]


def test_it_can_be_opened_again_while_a_thread_that_wrote_goes_on(path: Path) -> None:
    wrote, may_end = threading.Event(), threading.Event()
    journal = Journal(path)

    def write() -> None:
        journal.write([(1, "one")], [])
        wrote.set()
        may_end.wait(PATIENCE)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert wrote.wait(PATIENCE)
        journal.close()
        assert on_record(path) == [(1, "one")]
    finally:
        may_end.set()
        thread.join()


def test_it_comes_by_ascending_key(path: Path) -> None:
    with Journal(path) as journal:
        for keys in ([5, 3], [9, -1], [4]):
            journal.write([(key, key) for key in keys], [])
        assert [key for key, _ in journal.outstanding()] == [-1, 3, 4, 5, 9]


def test_an_unknown_key_can_be_forgotten_and_a_known_one_replaced(path: Path) -> None:
    with Journal(path) as journal:
        journal.write([(1, "one"), (2, "two")], [3, 3])
        journal.write([(1, "uno"), (4, "four")], [4, 2])
        journal.write([], [2])
        assert list(journal.outstanding()) == [(1, "uno")]


def test_what_it_is_given_may_be_any_sequence_and_nothing(path: Path) -> None:
    with Journal(path) as journal:
        journal.write((), ())
        journal.write(((1, "one"), (2, "two")), range(2))
        assert list(journal.outstanding()) == [(2, "two")]


def test_it_is_something_although_nothing_is_on_record(path: Path) -> None:
    with Journal(path) as journal:
        assert len(journal) == 0
        assert journal
        assert isinstance(journal, JournalLike)


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -(10**30), 1.5, "", "task-1", "ä\0\n\ud800", [], [1, ["two", None]], {"a": {"b": []}}],
    ids=ascii,
)
def test_json_gives_back_what_it_got(path: Path, value: object) -> None:
    with Journal(path) as journal:
        journal.write([(1, value)], [])
        assert list(journal.outstanding()) == [(1, value)]


def test_json_makes_lists_of_tuples_and_strings_of_keys(path: Path) -> None:
    with Journal(path) as journal:
        journal.write([(1, ("a", 1)), (2, {3: ()})], [])
        assert list(journal.outstanding()) == [(1, ["a", 1]), (2, {"3": []})]


def test_json_is_compact() -> None:
    assert JSON.encode({"a": [1, 2], "ä": None}) == '{"a":[1,2],"\\u00e4":null}'
    assert repr(JSON) == "JSON"


class Pickled:
    encode = staticmethod(pickle.dumps)
    decode = staticmethod(pickle.loads)


class CodecOf:
    """Encodes with a function, and decodes to what was encoded."""

    def __init__(self, encode: Callable[[Any], Any]) -> None:
        self.encode = encode

    def decode(self, encoded: Any) -> Any:
        return encoded


def test_a_codec_may_make_bytes(path: Path) -> None:
    values = [(1, ("a", 1)), (2, {3, 4}), (3, Path("x"))]
    with Journal(path, codec=Pickled()) as journal:
        journal.write(values, [])
    assert on_record(path, codec=Pickled()) == values


@pytest.mark.parametrize("encoded", ["ä", "\0", "", b"", b"\xff\0", "x" * 100_000], ids=lambda value: ascii(value)[:9])
def test_any_text_and_bytes_are_kept_as_they_are(path: Path, encoded: object) -> None:
    with Journal(path, codec=CodecOf(lambda value: value)) as journal:
        journal.write([(1, encoded)], [])
        assert list(journal.outstanding()) == [(1, encoded)]


def encode_or_fail(value: Any) -> Any:
    if isinstance(value, BaseException):
        raise value
    return value


@pytest.mark.parametrize(
    ("value", "error"), [(SomeError(), SomeError), ("\ud800", UnicodeEncodeError), (5, TypeError), (None, TypeError)]
)
def test_a_value_that_cannot_be_encoded_is_left_out(path: Path, value: object, error: type[Exception]) -> None:
    with Journal(path, codec=CodecOf(encode_or_fail)) as journal:
        journal.write([(0, "zero")], [])
        with pytest.raises(UnrecordableError, match="1 values") as caught:
            journal.write([(1, "one"), (2, value), (3, "three")], [0])
        ((key, unrecorded, reason),) = caught.value.failures
        assert (key, unrecorded, type(reason)) == (2, value, error)
        assert list(journal.outstanding()) == [(1, "one"), (3, "three")]
    if isinstance(value, BaseException):
        value.__traceback__ = None  # it is kept, and leads to the journal


def test_a_value_that_cannot_be_decoded_stands_there_as_unreadable(path: Path) -> None:
    with Journal(path, codec=CodecOf(str)) as journal:
        journal.write([(1, "1"), (2, "no JSON"), (3, "3")], [])
    with Journal(path) as journal:
        first, second, third = journal.outstanding()
        assert (first, third) == ((1, 1), (3, 3))
        assert second[0] == 2
        assert isinstance(second[1], Unreadable)
        assert second[1].encoded == "no JSON"
        assert isinstance(second[1].error, ValueError)
        assert len(journal) == 3


def test_a_write_that_fails_changes_nothing(path: Path) -> None:
    with Journal(path) as journal:
        journal.write([(1, "one"), (2, "two")], [])
        connection = journal._file._connection
        assert connection is not None
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")  # a full disk
        with pytest.raises(JournalError, match=r"tasks\.db' cannot be written: .*full") as caught:
            journal.write([(3, "x" * 100_000)], [1])
        assert isinstance(caught.value.__cause__, sqlite3.Error)
        assert list(journal.outstanding()) == [(1, "one"), (2, "two")]
        journal.write([(3, "three")], [1])
        assert list(journal.outstanding()) == [(2, "two"), (3, "three")]


def test_keys_beyond_sqlite_change_nothing(path: Path) -> None:
    with Journal(path) as journal:
        with pytest.raises(ValueError, match="joined and ended must have keys from"):
            journal.write([(1, "one"), (2**63, "two")], [])
        assert len(journal) == 0
        journal.write([(1, "one")], [])
        assert len(journal) == 1


def test_any_thread_may_call_it(path: Path) -> None:
    with Journal(path) as journal:

        def write(first: int) -> None:
            for key in range(first, first + 100, 4):
                journal.write([(key, key), (key + 1, key), (key + 2, key)], [key + 1])
                assert len(journal) % 2 == 0

        all_at_once(*(lambda first=first: write(first) for first in range(0, 400, 100)))
        assert [key for key, _ in journal.outstanding()] == [key for key in range(400) if key % 4 in (0, 2)]


def test_nothing_is_held_while_a_codec_works(path: Path) -> None:
    parking = Parking("encoded")
    with Journal(path, codec=CodecOf(parking)) as journal:
        writer = threading.Thread(target=journal.write, args=([(1, "one")], []))
        writer.start()
        parking.wait_for_one()
        journal.write([], [5])
        assert len(journal) == 0
        parking.let_go()
        writer.join()
        assert len(journal) == 1


def test_reading_need_not_be_finished_before_writing(path: Path) -> None:
    with Journal(path) as journal:
        journal.write([(1, "one"), (2, "two")], [])
        reading = iter(journal.outstanding())
        next(reading)
        journal.write([(3, "three")], [2])
        assert list(reading) == [(2, "two")]


def test_after_close_it_says_so(path: Path) -> None:
    journal = Journal(path)
    assert repr(journal) == f"<Journal {str(path)!r}>"
    journal.close()
    journal.close()
    assert repr(journal) == f"<Journal {str(path)!r} closed>"
    for use in (lambda: journal.write([], []), journal.outstanding, lambda: len(journal)):
        with pytest.raises(JournalError, match="is closed"):
            use()


def test_closed_it_is_one_file(path: Path) -> None:
    with Journal(path) as journal:
        journal.write([(1, "one")], [])
        assert sorted(os.listdir(path.parent)) == ["tasks.db", "tasks.db-wal"]
    assert os.listdir(path.parent) == ["tasks.db"]


def test_a_journal_that_nobody_has_is_closed(path: Path) -> None:
    with without_collector():
        journal = Journal(path)
        journal.write([(1, "one")], [])
        gone = weakref.ref(journal)
        del journal
    assert is_gone(gone)
    assert on_record(path) == [(1, "one")]


@pytest.mark.parametrize("given", [None, 5, b"tasks.db", object()], ids=in_words)
def test_a_path_is_a_string_or_a_path(given: Any) -> None:
    with pytest.raises(TypeError):
        Journal(given)


@pytest.mark.parametrize("codec", [None, "json", JSON.encode], ids=["none", "name", "function"])
def test_a_codec_has_two_methods(path: Path, codec: Any) -> None:
    with pytest.raises(TypeError, match="codec must have the methods encode and decode"):
        Journal(path, codec=codec)
    assert not path.exists()


def test_a_path_may_be_relative_and_odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["täsks 'of' mine.db", "x;y%20#.db"]
    if os.name == "posix":
        names += [":memory:", "file:x?mode=memory", 'x".db']
    for name in names:
        with Journal(name) as journal:
            journal.write([(1, name)], [])
        assert on_record(tmp_path / name) == [(1, name)]


@pytest.mark.parametrize("flag", [True, False])
def test_a_truth_value_is_no_key(tmp_path: Path, flag: bool) -> None:
    with Journal(tmp_path / "tasks.db") as journal:
        with pytest.raises(TypeError):
            journal.write([], [flag])
        with pytest.raises(TypeError):
            journal.write([(flag, "a"), (2, "b")], [])
        assert list(journal.outstanding()) == []


def test_one_that_is_closed_in_the_midst_of_a_write_writes_that_first(tmp_path: Path) -> None:
    journal = Journal(path := tmp_path / "tasks.db")
    connection: Any = journal._file._connection
    connection.set_trace_callback(lambda statement: journal.close())
    journal.write([(1, "a"), (2, "b")], [])
    del connection
    with pytest.raises(JournalError, match="is closed"):
        journal.write([], [1])
    with Journal(path) as again:
        assert list(again.outstanding()) == [(1, "a"), (2, "b")]
