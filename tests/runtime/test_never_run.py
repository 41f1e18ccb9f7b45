"""Functions whose bodies would never run: refused where they are given, or where they show it by what they return."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from support import PATIENCE, HeardLogger, SomeError, in_words

from more_executors import (
    Backoff,
    Executors,
    FlatMapExecutor,
    Journal,
    MapExecutor,
    PollExecutor,
    RateLimit,
    RetryExecutor,
    RetryPolicy,
    StatusPoll,
    SyncExecutor,
    ThrottleExecutor,
    f_flat_map,
    f_map,
    f_return,
    f_traverse,
)


async def awaited(*args: Any) -> bool:
    return True


def iterated(*args: Any) -> Any:
    yield True


async def awaited_and_iterated(*args: Any) -> Any:
    yield True


class Called:
    """What it is called with, `function` gets."""

    async def __call__(self, *args: Any) -> bool:
        return True

    def iterate(self, *args: Any) -> Any:
        yield True


class Awaitable:
    def __await__(self) -> Any:
        return iter(())


ASYNC: list[Any] = [awaited, functools.partial(awaited, 1), Called(), Called().__call__]
GENERATORS: list[Any] = [iterated, functools.partial(iterated, 1), Called().iterate, awaited_and_iterated]


def resolving(descriptors: list[Any]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


def polling(**arguments: Any) -> PollExecutor:
    return PollExecutor(**({"delegate": SyncExecutor(), "poll_fn": resolving, "logger": HeardLogger()} | arguments))


class Policy(RetryPolicy):
    """A policy with one method of the test's."""

    def __init__(self, method: str, function: Any) -> None:
        setattr(self, method, function)


class Own(Backoff):
    delay: Any


def own(function: Any) -> Own:
    schedule = Own(1)
    schedule.delay = function
    return schedule


class Recording:
    def __init__(self, method: str, function: Any) -> None:
        self.write: Any = lambda joined, ended: None
        self.outstanding: Any = list
        setattr(self, method, function)


class Codec:
    def __init__(self, method: str, function: Any) -> None:
        self.encode: Any = repr
        self.decode: Any = eval
        setattr(self, method, function)


STATUS: dict[str, Any] = {"fetch": dict, "key": None, "resolve": print}

# By what they are called in the message: who takes a function that is only called.
ONLY_CALLED: dict[str, Callable[[Any], Any]] = {
    "group_by": lambda function: polling(group_by=function),
    "retry_policy.should_retry": lambda function: RetryExecutor(SyncExecutor(), Policy("should_retry", function)),
    "retry_policy.sleep_time": lambda function: polling(retry_policy=Policy("sleep_time", function)),
    "schedule.delay": lambda function: polling(schedule=own(function)),
    "journal.write": lambda function: polling(journal=Recording("write", function)),
    "count": lambda function: ThrottleExecutor(SyncExecutor(), function),
    "clock": lambda function: RateLimit(1, clock=function),
    "key": lambda function: StatusPoll(**STATUS | {"key": function}),
    "resolve": lambda function: StatusPoll(**STATUS | {"resolve": function}),
    "id": lambda function: StatusPoll(**STATUS, id=function),
    "codec.encode": lambda function: Journal("never.db", codec=Codec("encode", function)),
    "codec.decode": lambda function: Journal("never.db", codec=Codec("decode", function)),
    "fn": lambda function: FlatMapExecutor(SyncExecutor(), function),
    "error_fn": lambda function: f_flat_map(f_return(1), error_fn=function),
    "fn ": lambda function: f_traverse(function, [1]),
}
AWAITED: dict[str, Callable[[Any], Any]] = {
    "poll_fn": lambda function: polling(poll_fn=function),
    "cancel_fn": lambda function: polling(cancel_fn=function),
}


@pytest.mark.parametrize("function", ASYNC + GENERATORS, ids=in_words)
@pytest.mark.parametrize("what", ONLY_CALLED)
def test_what_is_only_called_must_neither_be_awaited_nor_iterated_over(what: str, function: Any) -> None:
    with pytest.raises(TypeError, match=f"^{what.strip()} must not (be async|yield)"):
        ONLY_CALLED[what](function)


@pytest.mark.parametrize("function", GENERATORS, ids=in_words)
@pytest.mark.parametrize("what", AWAITED)
def test_what_may_be_awaited_must_not_be_iterated_over(what: str, function: Any) -> None:
    with pytest.raises(TypeError, match=f"^{what} must not yield"):
        AWAITED[what](function)


@pytest.mark.parametrize("what", ["cancel_many_fn", "journal.outstanding", "fetch"])
def test_what_is_iterated_over_may_yield_but_not_asynchronously(what: str) -> None:
    make: Callable[[Any], Any] = {
        "cancel_many_fn": lambda function: polling(cancel_many_fn=function),
        "journal.outstanding": lambda function: polling(journal=Recording("outstanding", function)),
        "fetch": lambda function: StatusPoll(function, str, print),
    }[what]
    with pytest.raises(TypeError, match=f"^{what} must not yield"):
        make(awaited_and_iterated)


def test_a_generator_function_cancels_many() -> None:
    def cancel_many(results: list[Any]) -> Iterable[bool]:
        for _ in results:
            yield True

    with polling(poll_fn=lambda _: None, cancel_many_fn=cancel_many) as executor:
        futures = executor.adopt_many(range(3))
        assert executor.cancel_all() == 3
        assert all(future.cancelled() for future in futures)


def test_a_generator_function_fetches() -> None:
    def fetch(ids: list[Any]) -> Iterable[Any]:
        yield from ids

    with polling(
        poll_fn=StatusPoll(fetch, lambda status: status, lambda d, status: d.yield_result(status))
    ) as executor:
        assert executor.adopt(5).result(PATIENCE) == 5


# -- what shows only when it is called ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (awaited, "returned a coroutine, which nobody awaits: it has to be an async def"),
        (iterated, "returned a generator, which nobody iterates over: write it without yield"),
        (awaited_and_iterated, "returned a generator"),
        (Awaitable, "which nobody awaits"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"batch_size": 10}], ids=["whole list", "what is due"])
def test_a_poll_function_that_returns_what_has_to_be_awaited_fails_its_call(
    options: dict[str, Any], returned: Any, words: str
) -> None:
    with polling(poll_fn=lambda descriptors: returned() if descriptors else None, **options) as executor:
        with pytest.raises(TypeError, match=words):
            executor.adopt(1).result(PATIENCE)


@pytest.mark.parametrize("returned", [awaited, iterated])
def test_a_cancel_function_that_returns_what_is_never_run_cancels_nothing(returned: Any) -> None:
    logger = HeardLogger()
    with polling(poll_fn=lambda _: None, cancel_fn=lambda _: returned(), logger=logger) as executor:
        future = executor.adopt(1)
        if returned is awaited:
            assert future.cancel() is False
            assert "Exception during cancel" in logger.of_level("ERROR")[0]
        (descriptor,) = executor._poll_table.take_all(True)
        descriptor.yield_result()


def test_a_policy_whose_answer_has_to_be_awaited_ends_the_retries() -> None:
    logger, error, calls = HeardLogger(), SomeError(), []

    def fail() -> None:
        calls.append(1)
        raise error

    with RetryExecutor(SyncExecutor(), Policy("should_retry", lambda *_: awaited()), logger) as executor:
        assert executor.submit(fail).exception(PATIENCE) is error
    assert len(calls) == 1
    assert logger.of_level("ERROR")[0].startswith("Exception while evaluating retry policy")


def test_a_flat_map_of_a_coroutine_fails_and_python_does_not_complain_of_it_too() -> None:
    future = f_flat_map(f_return(1), lambda _: awaited())  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="coroutine"):
        future.result(PATIENCE)


def test_a_status_whose_resolving_has_to_be_awaited_fails_its_task() -> None:
    poll: Any = StatusPoll(lambda ids: dict.fromkeys(ids, "done"), None, lambda d, s: awaited(d, s))
    with polling(poll_fn=poll) as executor:
        with pytest.raises(TypeError, match="returned a coroutine"):
            executor.adopt(1).result(PATIENCE)
        tasks = executor.adopt_many([2, 2])  # the second is a twin
        assert [type(task.exception(PATIENCE)) for task in tasks] == [TypeError] * 2


# -- submitting -------------------------------------------------------------------------------------------------------

ONLY_CALLING: dict[str, Callable[[], Any]] = {
    "sync": SyncExecutor,
    "thread pool": lambda: Executors.thread_pool(1),
    "retry": lambda: SyncExecutor().with_retry(),
    "throttle, timeout": lambda: SyncExecutor().with_throttle(2).with_timeout(60),
    "cancel on shutdown": lambda: SyncExecutor().with_cancel_on_shutdown(),
}


class Awaits(SyncExecutor):
    """Runs what is `async def`."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        return super().submit(lambda: asyncio.run(fn(*args, **kwargs)))


@pytest.mark.parametrize("base", ONLY_CALLING)
def test_submitting_what_the_delegate_would_only_call_is_an_error(base: str) -> None:
    with ONLY_CALLING[base]().with_poll(resolving) as executor:
        for function in (awaited, Called().__call__):
            with pytest.raises(TypeError, match=r"^submit: fn must not be async"):
                executor.submit(function)
        assert executor.stats().outstanding == 0
        assert executor.submit(int, 5).result(PATIENCE) == 5


@pytest.mark.parametrize("base", ["sync", "thread pool"])
@pytest.mark.parametrize("function", [lambda: awaited(), functools.partial(awaited, 1), Called()], ids=in_words)
def test_a_coroutine_is_no_task(base: str, function: Any) -> None:
    with ONLY_CALLING[base]().with_poll(resolving) as executor:
        with pytest.raises(TypeError, match="is a coroutine, which nobody has awaited"):
            executor.submit(function).result(PATIENCE)


@pytest.mark.parametrize(
    "base",
    [Awaits, lambda: SyncExecutor().with_map(asyncio.run), lambda: Awaits().with_retry()],
    ids=["itself", "below map", "below retry"],
)
def test_a_delegate_that_awaits_may_have_an_async_function(base: Callable[[], Any]) -> None:
    with base().with_poll(resolving) as executor:
        assert executor.submit(awaited).result(PATIENCE) is True


def test_what_could_be_awaited_may_be_a_task_all_the_same() -> None:
    task = Awaitable()  # as the references of some libraries can
    with polling() as executor:
        assert executor.submit(lambda: task).result(PATIENCE) is task
        assert executor.adopt(task).result(PATIENCE) is task


def test_adopting_a_coroutine_is_an_error_and_leaves_it_to_the_caller() -> None:
    coroutine = awaited()
    with polling() as executor:
        with pytest.raises(TypeError, match="is a coroutine"):
            executor.adopt(coroutine)
        with pytest.raises(TypeError, match="is a coroutine"):
            executor.adopt_many([1, coroutine])
        assert executor.stats().outstanding == 0
    assert asyncio.run(coroutine) is True


@pytest.mark.parametrize("results", ["job-1", b"job-1", bytearray(b"job-1")])
def test_letters_are_not_adopted_one_by_one(results: Any) -> None:
    with polling() as executor:
        with pytest.raises(TypeError, match=r"^results must be an iterable of .*adopt.*, not .*job-1"):
            executor.adopt_many(results)
        assert executor.stats().outstanding == 0


@pytest.mark.parametrize(
    "make", [lambda: MapExecutor(SyncExecutor(), awaited).submit(int), lambda: f_map(f_return(1), awaited)]
)
def test_a_map_may_make_a_coroutine_for_its_user_to_await(make: Callable[[], Any]) -> None:
    assert asyncio.run(make().result(PATIENCE)) is True


@pytest.mark.parametrize("cls", [RetryPolicy, Recording])
def test_a_class_is_no_instance_of_itself(cls: Any) -> None:
    with pytest.raises(TypeError, match="must be a"):
        RetryExecutor(SyncExecutor(), cls) if cls is RetryPolicy else polling(journal=cls)


def test_the_class_of_an_executor_is_no_delegate() -> None:
    with pytest.raises(TypeError, match="delegate must be an executor"):
        MapExecutor(SyncExecutor)  # type: ignore[call-overload]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there, functions cannot be marked so")
def test_a_function_that_is_marked_as_async_is_refused_where_nobody_awaits_it() -> None:
    def resolve(descriptor: Any, status: Any) -> None: ...

    inspect.markcoroutinefunction(resolve)  # type: ignore[attr-defined, unused-ignore]
    with pytest.raises(TypeError, match="must not be async"):
        StatusPoll(list, None, resolve)
