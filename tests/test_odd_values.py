"""Every parameter of every public callable, with odd values: each is taken and works, or is refused there and then.

Refused is: a TypeError or a ValueError out of the call that was given the value, with the parameter's name and the
value. Nothing else is raised, then or later, and nothing hangs.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import datetime
import inspect
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from math import inf
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from odd_values import ODD, AttributesRaise
from support import PATIENCE, HeardLogger, SomeError

from more_executors import (
    AsyncioExecutor,
    Backoff,
    CancelOnShutdownExecutor,
    ExceptionRetryPolicy,
    Executors,
    FlatMapExecutor,
    Journal,
    MapExecutor,
    OutstandingTask,
    PollExecutor,
    PollStats,
    RateLimit,
    RetryExecutor,
    StatusPoll,
    SyncExecutor,
    TaskMissing,
    Throttled,
    ThrottleExecutor,
    TimeoutExecutor,
    _core,
    futures,
)
from more_executors._callables import is_async
from more_executors._checks import has_method, real_number, shown
from more_executors.journal import JournalError, Unreadable, UnrecordableError
from more_executors.progress import as_completed, progress

Call = Callable[[Any], Any]

# A parameter, by what it is to be called in the message, and what to do with a value for it.
PARAMETERS: dict[str, tuple[str, Call]] = {}


def parameter(of: str, name: str, call: Call) -> None:
    PARAMETERS[f"{of}({name})"] = (name, call)


def quiet() -> Any:
    return HeardLogger()


def resolving(descriptors: list[Any]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


def done(future: Any) -> None:
    """The future ends, however, or can be cancelled."""
    with contextlib.suppress(Exception):
        future.cancel()
        made = future.result(PATIENCE)
        if inspect.iscoroutine(made):
            made.close()
    assert future.done()


# -- executors ------------------------------------------------------------------------------------------------------


def polled(**arguments: Any) -> None:
    """Two tasks of an executor with `arguments`: one that the delegate starts, and one that was there."""
    given = {"delegate": SyncExecutor(), "poll_fn": resolving, "logger": quiet(), "default_interval": 60} | arguments
    with PollExecutor(**given) as executor:
        if "delegate" not in arguments:
            tasks = [executor.submit(int, 1), executor.adopt(2)]
            if {"batch_size", "max_concurrency", "default_interval", "schedule"} & arguments.keys():
                assert [task.result(PATIENCE) for task in tasks] == [1, 2]
            executor.notify()
            executor.stats()
            for task in tasks:
                done(task)


def polled_asking(**arguments: Any) -> None:
    """One task, which is cancelled as `arguments` say."""
    with PollExecutor(SyncExecutor(), lambda _: None, logger=quiet(), **arguments) as executor:
        (task,) = executor.adopt_many([1])
        executor.cancel_all()
        task.cancel()
        executor._poll_table.take_all(True)[0].yield_result() if not task.done() else None
        done(task)


for name in ("poll_fn", "group_by", "default_interval", "min_interval", "batch_size", "max_concurrency", "rate_limit"):
    parameter("PollExecutor", name, lambda value, name=name: polled(**{name: value}))  # type: ignore[misc]
for name in ("retry_policy", "schedule", "timeout", "logger", "name", "delegate", "journal"):
    parameter("PollExecutor", name, lambda value, name=name: polled(**{name: value}))  # type: ignore[misc]
for name in ("cancel_fn", "cancel_many_fn"):
    parameter("PollExecutor", name, lambda value, name=name: polled_asking(**{name: value}))  # type: ignore[misc]


def ran(make: Callable[..., Any], submit: Callable[[Any], Any] | None = None, **arguments: Any) -> None:
    given = {"delegate": SyncExecutor(), "logger": quiet()} | arguments
    with make(**given) as executor:
        if "delegate" not in arguments:
            done(executor.submit(int, 1) if submit is None else submit(executor))


EXECUTORS: dict[str, Callable[..., Any]] = {
    "MapExecutor": MapExecutor,
    "FlatMapExecutor": FlatMapExecutor,
    "RetryExecutor": RetryExecutor,
    "TimeoutExecutor": partial(TimeoutExecutor, timeout=60),
    "ThrottleExecutor": partial(ThrottleExecutor, count=2),
    "CancelOnShutdownExecutor": CancelOnShutdownExecutor,
}
for of, make in EXECUTORS.items():
    for name in ("delegate", "logger", "name"):
        parameter(of, name, lambda value, make=make, name=name: ran(make, **{name: value}))  # type: ignore[misc]
    for name in ("wait", "cancel_futures"):
        parameter(
            f"{of}.shutdown",
            name,
            lambda value, make=make, name=name: shut_down(make(delegate=SyncExecutor()), **{name: value}),  # type: ignore[misc]
        )
    parameter(
        f"{of}.map",
        "timeout",
        lambda value, make=make: mapped(make(delegate=SyncExecutor()), value),  # type: ignore[misc]
    )
for make in (MapExecutor, FlatMapExecutor):
    for name in ("fn", "error_fn"):
        parameter(make.__name__, name, lambda value, make=make, name=name: ran(make, **{name: value}))  # type: ignore[misc]
parameter("TimeoutExecutor", "timeout", lambda value: ran(TimeoutExecutor, timeout=value))
parameter("ThrottleExecutor", "count", lambda value: ran(ThrottleExecutor, count=value))
parameter("ThrottleExecutor", "block", lambda value: ran(ThrottleExecutor, count=2, block=value))
parameter("RetryExecutor", "retry_policy", lambda value: ran(RetryExecutor, retry_policy=value))
parameter(
    "RetryExecutor.submit_retry",
    "retry_policy",
    lambda value: ran(RetryExecutor, lambda executor: executor.submit_retry(value, int)),
)
parameter(
    "TimeoutExecutor.submit_timeout",
    "timeout",
    lambda value: ran(EXECUTORS["TimeoutExecutor"], lambda executor: executor.submit_timeout(value, int)),
)
for name in ("logger", "name"):
    parameter("SyncExecutor", name, lambda value, name=name: SyncExecutor(**{name: value}).shutdown())  # type: ignore[misc]
parameter("Executors.thread_pool", "name", lambda value: Executors.thread_pool(1, name=value).shutdown())
parameter("Executors.process_pool", "name", lambda value: Executors.process_pool(1, name=value).shutdown())
for kind in ("bind", "flat_bind"):
    for name, place in (("executor" if kind == "bind" else "delegate", 0), ("fn", 1)):
        parameter(f"Executors.{kind}", name, lambda value, kind=kind, place=place: bound(kind, place, value))  # type: ignore[misc]


def bound(kind: str, place: int, value: Any) -> None:
    arguments: list[Any] = [SyncExecutor(), int]
    arguments[place] = value
    getattr(Executors, kind)(*arguments)


def shut_down(executor: Any, **arguments: Any) -> None:
    done(executor.submit(int))
    try:
        executor.shutdown(**arguments)
    finally:
        executor.shutdown()


def mapped(executor: Any, timeout: Any) -> None:
    with executor, contextlib.suppress(concurrent.futures.TimeoutError):
        assert list(executor.map(lambda x: futures.f_return(x), [1, 2], timeout=timeout))


def awaited(value: Any, **arguments: Any) -> None:
    executor = AsyncioExecutor(**({"delegate": SyncExecutor()} | arguments))
    executor.shutdown(wait=False)


for name in ("delegate", "loop", "logger", "name"):
    parameter("AsyncioExecutor", name, lambda value, name=name: awaited(value, **{name: value}))  # type: ignore[misc]
for name in ("wait", "cancel_futures"):
    parameter(
        "AsyncioExecutor.shutdown",
        name,
        lambda value, name=name: AsyncioExecutor(SyncExecutor()).shutdown(**{name: value}),  # type: ignore[misc]
    )


# -- the methods of poll executors and descriptors ------------------------------------------------------------------


def adopted(adopt: Callable[[Any], Any]) -> None:
    with PollExecutor(SyncExecutor(), resolving, logger=quiet()) as executor:
        found = adopt(executor)
        for future in found if isinstance(found, list) else [found]:
            done(future)


parameter("adopt", "result", lambda value: adopted(lambda executor: executor.adopt(value)))
parameter("adopt", "timeout", lambda value: adopted(lambda executor: executor.adopt(1, timeout=value)))
parameter("adopt_many", "results", lambda value: adopted(lambda executor: executor.adopt_many(value)))
parameter("cancel_many", "futures", lambda value: adopted(lambda executor: [executor.cancel_many(value)][:0]))
parameter("adopt_many", "timeout", lambda value: adopted(lambda executor: executor.adopt_many([1], timeout=value)))


class Records:
    def write(self, joined: Any, ended: Any) -> None:
        """Forget all that."""

    def outstanding(self) -> list[Any]:
        return []


def flushed(value: Any) -> None:
    with PollExecutor(SyncExecutor(), resolving, journal=Records()) as executor:
        executor.flush_journal(value)


parameter("flush_journal", "timeout", flushed)


def with_descriptor(call: Callable[[Any], Any]) -> None:
    told: Future[Any] = Future()

    def poll(descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            try:
                told.set_result(call(descriptor))
            except Exception as error:
                told.set_exception(error)
            descriptor.yield_result()

    with PollExecutor(SyncExecutor(), poll, logger=quiet()) as executor:
        executor.adopt(1)
        try:
            told.result(PATIENCE)
        finally:
            poll = None  # type: ignore[assignment]


parameter("poll_after", "seconds", lambda value: with_descriptor(lambda d: d.poll_after(value)))
parameter("report", "state", lambda value: with_descriptor(lambda d: d.report(value)))
parameter("report", "progress", lambda value: with_descriptor(lambda d: d.report(progress=value)))
parameter("yield_result", "result", lambda value: with_descriptor(lambda d: d.yield_result(value)))
parameter("yield_exception", "exception", lambda value: with_descriptor(lambda d: d.yield_exception(value)))
parameter(
    "yield_exception", "traceback", lambda value: with_descriptor(lambda d: d.yield_exception(SomeError(), value))
)

# -- policies, schedules, limits ------------------------------------------------------------------------------------

FAILED = futures.f_return_error(SomeError())


def decided(**arguments: Any) -> None:
    policy = ExceptionRetryPolicy(**arguments)
    for attempt in (1, 2, 3, 1025, 10**6):
        assert policy.should_retry(attempt, FAILED) in (True, False)
        assert policy.sleep_time(attempt, FAILED) >= 0


for name in ("max_attempts", "exponent", "sleep", "max_sleep", "exception_base"):
    parameter("ExceptionRetryPolicy", name, lambda value, name=name: decided(**{name: value}))  # type: ignore[misc]


def spaced(**arguments: Any) -> None:
    backoff = Backoff(**({"initial": 1e-300} | arguments))
    assert all(backoff.delay(polls) >= 0 for polls in (0, 1, 1025, 2**32, 10**400))


for name in ("initial", "factor", "maximum", "jitter"):
    parameter("Backoff", name, lambda value, name=name: spaced(**{name: value}))  # type: ignore[misc]
parameter("Backoff.delay", "polls", lambda value: Backoff(1).delay(value))


def limited(**arguments: Any) -> None:
    limit = RateLimit(**({"calls": 1e6} | arguments))
    assert limit.try_take() >= 0
    assert limit.take(0) in (True, False)
    limit.throttled(limit.clock())
    limit.succeeded(limit.clock())
    assert limit.rate > 0


for name in ("calls", "per", "burst", "clock"):
    parameter("RateLimit", name, lambda value, name=name: limited(**{name: value}))  # type: ignore[misc]
    if name != "clock":
        parameter("RateLimit.change", name, lambda value, name=name: RateLimit(1).change(**{name: value}))  # type: ignore[misc]
parameter("RateLimit.take", "timeout", lambda value: RateLimit(1).take(value))
parameter("RateLimit.succeeded", "began", lambda value: RateLimit(1).succeeded(value))
parameter("RateLimit.throttled", "began", lambda value: RateLimit(1).throttled(value))
parameter("RateLimit.throttled", "retry_after", lambda value: RateLimit(1).throttled(0.0, value))
parameter("Throttled", "retry_after", lambda value: str(Throttled(value)))

# -- statuses, journals, records --------------------------------------------------------------------------------------


def looked_up(**arguments: Any) -> None:
    given: dict[str, Any] = {"fetch": dict, "key": None, "resolve": lambda d, s: None, "missing_after": 0} | arguments
    polled(poll_fn=StatusPoll(**({"logger": quiet()} | given)))


for name in ("fetch", "key", "resolve", "missing_after", "id", "logger", "clock"):
    parameter("StatusPoll", name, lambda value, name=name: looked_up(**{name: value}))  # type: ignore[misc]
NOW = datetime.datetime.now(datetime.timezone.utc)
parameter("TaskMissing", "task_id", lambda value: str(TaskMissing(value, NOW, 1.0)))
parameter("TaskMissing", "since", lambda value: str(TaskMissing(1, value, 1.0)))
parameter("TaskMissing", "seconds", lambda value: str(TaskMissing(1, NOW, value)))
parameter("PollStats", "due", lambda value: PollStats(**(dict.fromkeys(PollStats._fields, 0) | {"due": value})))
OTHERS = dict.fromkeys(OutstandingTask._fields[1:])
parameter("OutstandingTask", "result", lambda value: OutstandingTask(value, **OTHERS))  # type: ignore[arg-type]
parameter("Unreadable", "encoded", lambda value: Unreadable(value, SomeError()))
parameter("UnrecordableError", "failures", lambda value: str(UnrecordableError(value)))
names = itertools.count()


def journal(folder: Path, **arguments: Any) -> None:
    given: dict[str, Any] = {"path": folder / f"{next(names)}.db"} | arguments
    with contextlib.suppress(JournalError), Journal(**given) as found:
        assert len(found) == 0


# -- functions --------------------------------------------------------------------------------------------------------


def given(function: Callable[..., Any], *before: Any, name: str | None = None) -> Call:
    def call(value: Any) -> None:
        found = function(*before, **{name: value}) if name else function(*before, value)
        if hasattr(type(found), "done"):
            done(found)

    return call


ONE = futures.f_return(1)
for function in (futures.f_map, futures.f_flat_map):
    parameter(function.__name__, "fn", given(function, ONE))
    parameter(function.__name__, "error_fn", given(function, ONE, name="error_fn"))
# A message names the function, and the value is one of several futures.
for function in (futures.f_map, futures.f_flat_map, futures.f_nocancel, futures.f_or, futures.f_and, futures.f_zip):
    parameter(function.__name__, function.__name__, given(function))
parameter("f_sequence", "f_sequence", given(futures.f_sequence))
parameter("f_traverse", "fn|f_traverse", lambda value: done(futures.f_traverse(value, [1])))
parameter("f_traverse", "f_traverse", given(futures.f_traverse, futures.f_return))
parameter("f_apply", "f_apply", given(futures.f_apply))
parameter("f_apply of", "f_apply", given(futures.f_apply, futures.f_return(int)))
parameter("f_timeout", "f_timeout", lambda value: done(futures.f_timeout(value, 60)))
parameter("f_timeout of", "timeout", given(futures.f_timeout, ONE))
parameter("f_proxy", "f_proxy", given(futures.f_proxy))
parameter("f_proxy of", "timeout", lambda value: int(futures.f_proxy(ONE, timeout=value)))
parameter("f_return", "x", given(futures.f_return))
parameter("f_return_error", "exception", given(futures.f_return_error))
parameter("f_return_error", "traceback", given(futures.f_return_error, SomeError()))


for method in ("result", "exception"):
    parameter(f"Future.{method}", "timeout", lambda value, method=method: asked(method, value))  # type: ignore[misc]


def asked(method: str, value: Any) -> None:
    """A pending future is asked if that does not take for ever."""
    future = futures.f_map(source := Future())  # type: ignore[var-annotated]
    try:
        seconds = inf if value is None else real_number("timeout", value)
    except TypeError:
        seconds = 0.0
    if seconds > 0:
        source.set_result(1)
    with contextlib.suppress(concurrent.futures.TimeoutError):
        getattr(future, method)(value)
    source.cancel()


parameter("add_done_callback", "fn", lambda value: called_back(value))
parameter("set_exception", "exception", lambda value: _core.Future().set_exception(value))
pytest.importorskip("tqdm")
parameter("progress", "interval", lambda value: drawn(lambda: progress([ONE], interval=value)))
parameter("progress", "total", lambda value: drawn(lambda: progress([ONE], total=value)))
parameter("progress", "progress", lambda value: progress(value))
parameter("as_completed", "timeout", lambda value: as_completed([ONE], value))
parameter("as_completed", "futures", lambda value: as_completed(value))


def called_back(value: Any) -> None:
    """As in the standard library, an `async def` is taken, and Python says that nobody has awaited it.

    What has no attributes cannot be asked whether it is one, from 3.12 on.
    """
    if isinstance(value, AttributesRaise) or not is_async(value):
        futures.f_return(1).add_done_callback(value)


def drawn(make: Callable[[], Any]) -> None:
    make()


# -- the test ---------------------------------------------------------------------------------------------------------

# Of several things at once, messages show the one that is wrong.
SHOW_A_PART = ("exception_base", "failures", "f_sequence", "fn|f_traverse", "f_traverse", "futures", "progress")


def fault(name: str, value: Any, error: Exception) -> str:
    """What is wrong with `error` as an answer to `value`, or nothing."""
    if not isinstance(error, (TypeError, ValueError)):
        return f"raised {type(error).__name__}: {shown(str(error))}"
    if name == "count" and callable(value):
        return ""  # it is asked, and raises that itself
    if not any(known in str(error) for known in name.split("|")):
        return f"does not name {name}: {str(error)[:200]}"
    if len(str(error)) > 3000:
        return f"is {len(str(error))} characters long"
    if shown(value) not in str(error) and name not in SHOW_A_PART:
        return f"does not show the value: {str(error)[:200]}"
    return ""


def faults(name: str, call: Call) -> Iterator[str]:
    for label, make in ODD.items():
        value = make()
        if name == "f_nocancel" and isinstance(value, mock.Mock):
            continue  # a future that never ends, and cannot be cancelled
        try:
            call(value)
        except Exception as error:
            if why := fault(name, value, error):
                yield f"{label}: {why}"
            error.__traceback__ = error.__cause__ = error.__context__ = None
        del value


@pytest.mark.keeps_objects  # in the tracebacks of errors, and in what pytest keeps of the log
@pytest.mark.parametrize("of", PARAMETERS)
def test_an_odd_value_works_or_is_refused_by_name(of: str) -> None:
    assert list(faults(*PARAMETERS[of])) == []
    FAILED.exception().__traceback__ = None  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["path", "codec", "joined", "ended"])
def test_an_odd_value_is_none_for_a_journal(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Journal("same.db") as same:
        calls: dict[str, Call] = {
            "path": lambda value: journal(tmp_path, path=value),
            "codec": lambda value: journal(tmp_path, codec=value),
            "joined": lambda value: same.write(value, []),
            "ended": lambda value: same.write([], value),
        }
        assert list(faults(name, calls[name])) == []


def test_a_loop_may_be_odd_for_one_call() -> None:
    async def submitted(value: Any) -> None:
        executor = AsyncioExecutor(SyncExecutor())
        if not has_method(value, "call_soon_threadsafe"):
            executor.submit_with_loop(value, int)
        executor.shutdown()

    assert list(faults("loop", lambda value: asyncio.run(submitted(value)))) == []
