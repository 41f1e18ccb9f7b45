"""Futures of others that cannot say whether they run, or only after a long time; objects that have no text."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NoReturn

import pytest
from support import PATIENCE, HeardLogger, ScriptedDelegate

from more_executors import (
    CancelOnShutdownExecutor,
    MapExecutor,
    PollExecutor,
    RetryExecutor,
    SyncExecutor,
    TimeoutExecutor,
    _core,
)
from more_executors.futures import f_apply, f_map, f_return, f_timeout


class AskedFuture(Future[Any]):
    """Notes when it is asked whether it runs, and raises, or says what it is told to."""

    def __init__(self, answer: bool | BaseException) -> None:
        super().__init__()
        self.answer = answer
        self.asked = 0

    def running(self) -> bool:
        self.asked += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class Delegate(ScriptedDelegate):
    """Gives one future."""

    def __init__(self, source: Any) -> None:
        super().__init__()
        self.source = source

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        return self.source


EXECUTORS: dict[str, Callable[[Any, HeardLogger], Any]] = {
    "map": lambda delegate, logger: MapExecutor(delegate, logger=logger),
    "poll": lambda delegate, logger: PollExecutor(delegate, len, logger=logger),
    "timeout": lambda delegate, logger: TimeoutExecutor(delegate, 1000, logger=logger),
    "cancel_on_shutdown": lambda delegate, logger: CancelOnShutdownExecutor(delegate, logger=logger),
    "chain": lambda delegate, logger: MapExecutor(CancelOnShutdownExecutor(delegate, logger=logger), logger=logger),
}

executors = pytest.mark.parametrize("executor", EXECUTORS)
errors = pytest.mark.parametrize("kind", [ValueError, SystemExit])


@executors
def test_a_repr_asks_nobody(executor: str) -> None:
    source = AskedFuture(True)
    with EXECUTORS[executor](Delegate(source), HeardLogger()) as made:
        future = made.submit(int)
        assert "state=pending" in repr(future)
        assert not source.asked
        assert future.running()
        assert "state=running" in repr(future)
        assert source.asked == 1
        source.answer = False
        assert not future.running()
        assert "state=pending" in repr(future)
        source.set_exception(KeyError())
    assert source.asked == 2


@executors
@errors
def test_running_is_no_if_it_cannot_be_told_and_that_is_logged_once(executor: str, kind: type[BaseException]) -> None:
    error, logger = kind("no service"), HeardLogger()
    source = AskedFuture(error)
    with EXECUTORS[executor](Delegate(source), logger) as made:
        first, second = made.submit(int), made.submit(int)
        assert not first.running()
        assert not second.running()
        assert not first.running()
        assert "state=pending" in repr(first)
        ((level, message, raised),) = logger.lines
        assert (level, raised) == ("ERROR", error)
        assert message.startswith("Exception in running() of ")
        source.answer = True
        assert first.running()
        source.set_exception(KeyError())
    error.__traceback__ = None


@pytest.mark.parametrize(
    "function",
    [f_map, lambda source: f_timeout(source, 1000), lambda source: f_apply(f_return(str), source)],
    ids=["f_map", "f_timeout", "f_apply"],
)
def test_of_an_input(function: Callable[[Any], Any], caplog: pytest.LogCaptureFixture) -> None:
    source = AskedFuture(ValueError("no service"))
    future = function(source)
    assert "state=pending" in repr(future)
    assert not source.asked
    assert not future.running()
    source.set_result(1)
    assert future.result(PATIENCE) in (1, "1")
    caplog.clear()


def test_an_interrupt_gets_out_of_running() -> None:
    source = AskedFuture(KeyboardInterrupt())
    future = f_map(source)
    with pytest.raises(KeyboardInterrupt):
        future.running()
    source.set_result(1)


def test_a_repr_waits_for_no_lock_of_the_standard_library() -> None:
    source: Future[Any] = Future()
    future = f_map(source)

    class Held:
        def __enter__(self) -> NoReturn:
            raise AssertionError("somebody holds it")

        def __exit__(self, *error: object) -> None:
            pass

    condition, source._condition = source._condition, Held()  # type: ignore[attr-defined]
    source._state = "RUNNING"  # type: ignore[attr-defined]
    assert "state=running" in repr(future)
    source._condition = condition  # type: ignore[attr-defined]
    source.set_result(1)


def test_the_next_attempt_is_not_taken_for_running_because_the_last_one_was() -> None:
    sources = [AskedFuture(True), AskedFuture(False)]
    begun: list[Any] = []

    class Attempts(Delegate):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            begun.append(sources[len(begun)])
            return begun[-1]

    with RetryExecutor(Attempts(None), sleep=0) as executor:
        future = executor.submit(int)
        while not future.running():
            pass
        sources[0].set_exception(KeyError())
        while len(begun) < 2 or not sources[1]._done_callbacks:  # type: ignore[attr-defined]
            pass
        assert "state=pending" in repr(future)
        sources[1].set_result(1)
        assert future.result(PATIENCE) == 1


# -- what has no text --------------------------------------------------------------------------------------------------


class NoText:
    """Neither `repr` nor `str` gives a text."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __repr__(self) -> str:
        raise self.error

    def __call__(self, *args: Any) -> NoReturn:
        raise self.error


class Written(logging.Handler):
    """What is written of each record."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@pytest.fixture
def written() -> Any:
    handler = Written()
    logger = logging.Logger("written")
    logger.addHandler(handler)
    return logger, handler.texts


def test_an_error_about_what_has_no_text_is_logged(written: Any) -> None:
    logger, texts = written
    result = NoText(ValueError("no text"))

    def cancel_fn(result: Any) -> NoReturn:
        raise KeyError("the reason")

    with PollExecutor(SyncExecutor(), lambda descriptors: 3600, cancel_fn, logger=logger) as executor:
        future = executor.adopt(result)
        assert not future.cancel()
        executor._engine.table.cancel_all()  # type: ignore[attr-defined]
    (text,) = texts
    assert text.startswith(f"Exception during cancel on <Future at {id(future):#x} state=pending>/<NoText at ")
    assert "its text raises ValueError" in text
    assert "KeyError: 'the reason'" in text


def test_a_callback_error_is_logged_though_the_future_has_no_text(caplog: pytest.LogCaptureFixture) -> None:
    no_text, reason = ValueError("no text"), KeyError("the reason")

    class Textless(_core.Future):
        __repr__ = NoText(no_text)  # type: ignore[assignment]

    future: Any = Textless()
    future.add_done_callback(NoText(reason))
    future.set_result(1)
    assert "exception calling callback for <Textless at" in caplog.text
    assert "the reason" in caplog.text
    caplog.clear()
    # Without a GIL, 3.13 keeps the namespaces of class bodies, and what they lead to.
    no_text.__traceback__ = reason.__traceback__ = None


@pytest.mark.parametrize("value", ["text", 5, 2.5, True, (1, 2), None, {"a": 1}, NoText], ids=repr)
def test_a_record_reads_as_ever(written: Any, value: object) -> None:
    logger, texts = written
    _core.log(logger, logging.ERROR, "of %s and %r", value, value)
    assert texts == ["of %s and %r" % (value, value)]  # noqa: UP031


def test_numbers_in_a_record_are_numbers(written: Any) -> None:
    logger, texts = written
    _core.log(logger, logging.ERROR, "%d of %.2f and %d", 3, 2.5, True)
    assert texts == ["3 of 2.50 and 1"]


def test_a_record_can_be_sent_elsewhere() -> None:
    records: list[logging.LogRecord] = []
    logger = logging.Logger("sent")
    logger.addFilter(lambda record: records.append(record) or False)  # type: ignore[func-returns-value]
    _core.log(logger, logging.ERROR, "of %s", NoText(ValueError()))
    _core.log(logger, logging.ERROR, "of %s", {"a": 1})
    texts = [record.getMessage() for record in pickle.loads(pickle.dumps(records))]
    assert texts[0].startswith("of <NoText at ")
    assert texts[1] == "of {'a': 1}"
