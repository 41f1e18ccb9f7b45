"""One failure that ends many futures: each is as cheap to ask and to log as the first, and keeps nobody's frame."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import traceback
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest
from paced_support import PacedClock, clock_fixture, new_table, paced
from support import HeardLogger, SomeError

from more_executors import AsyncioExecutor, PollDescriptor, RetryPolicy, _core
from more_executors.futures import f_flat_map, f_map, f_nocancel, f_return, f_sequence, f_timeout, f_zip
from more_executors.status_poll import StatusPoll

clock = clock_fixture()

Ask = Callable[[Any], BaseException]
MANY = 30


class Broken(Exception):  # noqa: N818  # as it is called
    """What goes wrong."""

    def __init__(self, where: str, *, code: int) -> None:
        super().__init__(f"broken at {where}")
        self.code = code


def break_down() -> None:
    try:
        int("no number")
    except ValueError as error:
        raise Broken("once", code=7) from error


def broken() -> Broken:
    try:
        break_down()
    except Broken as error:
        return error
    raise AssertionError


class Frame:
    """What somebody's frame refers to."""


def by_result(future: Any) -> BaseException:
    try:
        future.result(0)
    except BaseException as error:
        return error
    raise AssertionError("no error")


def by_raising_its_exception(future: Any) -> BaseException:
    try:
        raise future.exception(0)
    except BaseException as error:
        return error


def by_awaiting(future: Any) -> BaseException:
    async def ask() -> BaseException:
        try:
            await asyncio.wrap_future(future)
        except BaseException as error:
            return error
        raise AssertionError("no error")

    return asyncio.run(ask())


def by_snapshot(future: Any) -> BaseException:
    try:
        raise future._get_snapshot()[3]
    except BaseException as error:
        return error


asking = pytest.mark.parametrize("ask", [by_result, by_raising_its_exception, by_awaiting, by_snapshot])


def check(futures: list[Future[Any]], ask: Ask, kind: type[BaseException] = Broken) -> None:
    """Ask each of `futures`, twice: what all get is alike, and nothing is left of that."""
    assert len(futures) >= MANY
    sizes = set()
    frames = []

    def ask_and_log(future: Future[Any]) -> None:
        frame = Frame()
        frames.append(weakref.ref(frame))
        text = io.StringIO()
        logger = logging.Logger("asker")
        logger.addHandler(logging.StreamHandler(text))
        error = ask(future)
        try:
            assert type(error) is kind
            logger.error("failed", exc_info=error)
            sizes.add(text.tell())
        finally:
            del error

    for future in futures * 2:
        assert kind.__name__ in repr(future)
        ask_and_log(future)
    assert len(sizes) == 1, sizes
    gc.collect()
    assert not any(frame() for frame in frames)


def check_copies(futures: list[Future[Any]]) -> None:
    """They have the same type, arguments, attributes and cause, and the traceback of where it was raised."""
    cause = futures[0].exception(0).__cause__  # type: ignore[union-attr]
    for future in futures:
        error = future.exception(0)
        assert type(error) is Broken
        assert error.args == ("broken at once",)
        assert error.code == 7
        assert error.__cause__ is error.__context__ is cause
        assert error.__suppress_context__
        assert type(cause) is ValueError
        names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        assert names[-1] == "break_down"
        assert str(error) == "broken at once"


# -- one call of a poll function ---------------------------------------------------------------------------------------


def break_down_if_all(descriptors: list[PollDescriptor[Any, Any]]) -> None:
    """A poll function that fails once it has all: whoever adopts many may be met in the midst of that."""
    if len(descriptors) >= MANY:
        break_down()


class Once(RetryPolicy):
    """Looks at the error, and lets it be tried twice."""

    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        with pytest.raises(Broken):
            future.result(0)
        assert isinstance(future.exception(0), Broken)
        return attempt < 3


@asking
@pytest.mark.parametrize(
    "options",
    [{}, {"batch_size": 2 * MANY}, {"retry_policy": Once()}, {"retry_policy": Once(), "batch_size": 2 * MANY}],
    ids=["list", "batch", "policy", "batch policy"],
)
def test_a_failed_call(clock: PacedClock, options: dict[str, Any], ask: Ask) -> None:
    with paced(break_down_if_all, logger=HeardLogger(), **options) as executor:
        futures = executor.adopt_many(range(MANY))
        executor.notify()
        clock.run(20)
        check(futures, ask)
        check_copies(futures)


@asking
def test_a_fetch_that_fails(clock: PacedClock, ask: Ask) -> None:
    def fetch(ids: list[Any]) -> dict[Any, Any]:
        if len(ids) >= MANY:
            break_down()
        return dict.fromkeys(ids)

    poll = StatusPoll(fetch, key=None, resolve=lambda descriptor, status: None)
    with paced(poll, logger=HeardLogger()) as executor:
        futures = executor.adopt_many(range(MANY))
        executor.notify()
        clock.run(20)
        check(futures, ask)
        check_copies(futures)


@pytest.mark.parametrize("kind", [SystemExit, KeyError, GeneratorExit])
def test_a_call_that_raises_something_else(clock: PacedClock, kind: type[BaseException]) -> None:
    def poll(descriptors: list[PollDescriptor[Any, Any]]) -> None:
        if len(descriptors) >= MANY:
            raise kind("broken")

    with paced(poll, logger=HeardLogger()) as executor:
        futures = executor.adopt_many(range(MANY))
        executor.notify()
        clock.run(20)
        check(futures, by_raising_its_exception, kind)


def test_one_task_has_the_exception_itself(clock: PacedClock) -> None:
    error = Broken("alone", code=1)

    def poll(descriptors: list[PollDescriptor[Any, Any]]) -> None:
        if descriptors:
            raise error

    with paced(poll, logger=HeardLogger()) as executor:
        future = executor.adopt("task")
        clock.run(20)
        assert future.exception(0) is error
        with pytest.raises(Broken) as raised:
            future.result(0)
        assert raised.value is error
    error.__traceback__ = None


def test_one_that_is_left_has_the_exception_itself(clock: PacedClock) -> None:
    error = Broken("late", code=1)
    left: list[int] = []

    def poll(descriptors: list[PollDescriptor[Any, Any]]) -> None:
        if len(descriptors) == 5:
            for descriptor in descriptors[1:]:
                descriptor.yield_result()
            left.append(descriptors[0].result)
            raise error

    with paced(poll, logger=HeardLogger()) as executor:
        futures = executor.adopt_many(range(5))
        executor.notify()
        clock.run(20)
        [number] = left
        assert futures[number].exception(0) is error
    error.__traceback__ = None


# -- what users give to many -------------------------------------------------------------------------------------------


@asking
@pytest.mark.parametrize("asked_meanwhile", [False, True])
def test_a_poll_function_that_yields_one_exception_to_all(clock: PacedClock, asked_meanwhile: bool, ask: Ask) -> None:
    def poll(descriptors: list[PollDescriptor[Any, Any]]) -> None:
        try:
            break_down_if_all(descriptors)
        except Broken as error:
            for descriptor in descriptors:
                descriptor.yield_exception(error)

    with paced(poll) as executor:
        futures = executor.adopt_many(range(MANY))
        if asked_meanwhile:
            for future in futures:
                future.add_done_callback(by_result)
        executor.notify()
        clock.run(20)
        check(futures, ask)
        check_copies(futures)


def test_exceptions_yielded_to_one_each_are_themselves(clock: PacedClock) -> None:
    errors = [broken() for _ in range(5)]

    def poll(descriptors: list[PollDescriptor[Any, Any]]) -> None:
        for descriptor in descriptors:
            descriptor.yield_exception(errors[descriptor.result])

    with paced(poll) as executor:
        futures = executor.adopt_many(range(5))
        clock.run(20)
        assert [future.exception(0) for future in futures] == errors
        assert by_result(futures[0]) is errors[0]


def test_yielded_with_tracebacks_of_their_own(clock: PacedClock) -> None:
    error = broken()
    traces = [error.__traceback__, error.__traceback__ and error.__traceback__.tb_next]

    def poll(descriptors: list[PollDescriptor[Any, Any]]) -> None:
        for descriptor in descriptors:
            descriptor.yield_exception(error, traces[descriptor.result])

    with paced(poll) as executor:
        futures = executor.adopt_many(range(2))
        clock.run(20)
        assert [future.exception(0).__traceback__ for future in futures] == traces  # type: ignore[union-attr]


# -- futures made from one ---------------------------------------------------------------------------------------------


def passing_on(error: BaseException) -> Future[Any]:
    raise error


MADE: dict[str, Callable[[Future[Any]], Future[Any]]] = {
    "map": f_map,
    "map again": lambda future: f_map(future, error_fn=passing_on),
    "flat_map": lambda future: f_flat_map(future, error_fn=passing_on),
    "nocancel": f_nocancel,
    "timeout": lambda future: f_timeout(future, 1000),
    "zip": lambda future: f_zip(f_return(1), future),
    "sequence": lambda future: f_sequence([future]),
    "chain": lambda future: f_map(f_nocancel(f_map(future, error_fn=passing_on))),
}


@asking
@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("done", [False, True])
def test_many_made_from_one_that_failed(made: str, done: bool, ask: Ask) -> None:
    source: Future[Any] = f_map(inner := Future())  # type: ignore[var-annotated]
    first = MADE[made](source)
    if done:
        inner.set_exception(broken())
    futures = [MADE[made](source) for _ in range(MANY)]
    if not done:
        inner.set_exception(broken())
    assert first.exception(0) is source.exception(0) is inner.exception(0)
    check(futures, ask)
    check_copies(futures)


@asking
def test_a_pool_that_breaks(ask: Ask) -> None:
    error = BrokenProcessPool("all gone")
    sources: list[Future[Any]] = [Future() for _ in range(MANY)]
    futures = [f_map(source) for source in sources]
    for source in sources:
        source.set_exception(error)
    check(futures, ask, BrokenProcessPool)


def test_awaiting_what_one_failure_ended(clock: PacedClock) -> None:
    asked = []

    async def ask() -> None:
        with paced(break_down_if_all, logger=HeardLogger()) as executor:
            loop_executor = AsyncioExecutor(executor)
            futures = [loop_executor.submit(int) for _ in range(MANY)]
            executor.notify()
            clock.run(20)
            for future in futures:
                frame = Frame()
                with pytest.raises(Broken) as raised:
                    await future
                asked.append((len(traceback.extract_tb(raised.value.__traceback__)), weakref.ref(frame)))
                del raised, frame

    asyncio.run(ask())
    gc.collect()
    assert len({length for length, _ in asked}) == 1
    assert not any(frame() for _, frame in asked)


def test_two_that_fail_in_one_call_do_not_share_an_exception() -> None:
    table = new_table(_core.FullListTable)
    futures = table.adopt_many(table, ["a", "b"])
    tasks, error = table.take_all(), SomeError()
    assert table.outcome_for(tasks[:1], error) is error
    table.fail_all(tasks, table.outcome_for(tasks, error))
    first, second = (future.exception(0) for future in futures)
    assert type(first) is type(second) is SomeError
    assert first is not second
