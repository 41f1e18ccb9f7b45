"""The pools of `Executors`, the names that travel down a chain, and what programs do to both with mocks and patches."""

from __future__ import annotations

import concurrent.futures
import inspect
import multiprocessing
import operator
import re
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest
from support import PATIENCE, ScriptedDelegate, SomeError

import more_executors.poll
from more_executors import Executors, PollDescriptor, PollExecutor, SyncExecutor

every_spelling = pytest.mark.parametrize("make", [Executors.thread_pool, Executors.threadpool, Executors().threadpool])


def thread_name() -> str:
    return threading.current_thread().name


def resolve(descriptors: list[PollDescriptor[Any, Any]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


def resolve_with_thread_name(descriptors: list[PollDescriptor[Any, Any]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(thread_name())


# -- pools ----------------------------------------------------------------------------------------------------------


@every_spelling
def test_a_thread_pool_is_one_of_the_standard_library(make: Callable[..., ThreadPoolExecutor]) -> None:
    with make(max_workers=1) as pool:
        assert isinstance(pool, ThreadPoolExecutor)
        assert type(pool) is type(Executors.thread_pool())
        assert pool.submit(pow, 2, 3).result(PATIENCE) == 8
        assert list(pool.map(pow, [2, 3], [3, 2])) == [8, 9]
        error = SomeError()
        assert pool.submit(raising, error).exception(PATIENCE) is error
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        pool.submit(print)


def raising(error: Exception) -> None:
    raise error


@every_spelling
def test_a_thread_pool_takes_all_arguments_of_the_standard_library_s(make: Callable[..., ThreadPoolExecutor]) -> None:
    initialized: list[str] = []
    for args, kwargs in [
        ((1, "mine", initialized.append, ("once",)), {}),
        ((), {"max_workers": 1, "thread_name_prefix": "mine", "initializer": initialized.append, "initargs": ["once"]}),
    ]:
        with make(*args, **kwargs) as pool:
            assert pool.submit(thread_name).result(PATIENCE) == "mine_0"
    assert initialized == ["once", "once"]
    with pytest.raises(ValueError, match="max_workers"):
        make(max_workers=0)
    with pytest.raises(TypeError):
        make(no_such_argument=1)


@every_spelling
@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({"name": "mine"}, "ThreadPoolExecutor-mine_0"),
        ({"name": "mine", "thread_name_prefix": "prefix"}, "prefix_0"),
        ({"thread_name_prefix": "prefix"}, "prefix_0"),
        ({"name": "default", "thread_name_prefix": "prefix"}, "prefix_0"),
    ],
)
def test_the_name_of_a_thread_pool_ends_the_names_of_its_threads(
    make: Callable[..., ThreadPoolExecutor], kwargs: dict[str, str], expected: str
) -> None:
    with make(1, **kwargs) as pool:
        assert pool.submit(thread_name).result(PATIENCE) == expected


@pytest.mark.parametrize("kwargs", [{}, {"name": "default"}])
def test_a_thread_pool_without_a_name_names_threads_as_the_standard_library_does(kwargs: dict[str, str]) -> None:
    with Executors.thread_pool(1, **kwargs) as ours, ThreadPoolExecutor(1) as theirs:
        names = [pool.submit(thread_name).result(PATIENCE) for pool in (ours, theirs)]
    for name in names:
        assert re.fullmatch(r"ThreadPoolExecutor-\d+_0", name)


@pytest.mark.parametrize("name", [None, 1, b"name"])
@pytest.mark.parametrize("make", [Executors.thread_pool, Executors.process_pool, Executors.sync])
def test_a_name_is_a_str(make: Callable[..., Executor], name: Any) -> None:
    with pytest.raises(TypeError, match="name"):
        make(name=name)


def test_a_process_pool_is_one_of_the_standard_library_and_can_be_chained() -> None:
    spawning = multiprocessing.get_context("spawn")
    with Executors.process_pool(1, spawning, name="mine").with_poll(resolve_with_thread_name) as executor:
        pool: Any = executor._delegate
        assert isinstance(pool, concurrent.futures.ProcessPoolExecutor)
        assert list(pool.map(operator.neg, [1, 2])) == [-1, -2]
        assert isinstance(pool.submit(operator.truediv, 1, 0).exception(60), ZeroDivisionError)
        assert executor.submit(operator.neg, 3).result(60) == "PollExecutor-mine"
        assert isinstance(executor.submit(operator.truediv, 1, 0).exception(60), ZeroDivisionError)
    with pytest.raises(RuntimeError):
        pool.submit(operator.neg, 1)


# -- chains ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Executors.sync().with_poll(resolve_with_thread_name), "default"),
        (lambda: Executors.sync(name="base").with_poll(resolve_with_thread_name), "base"),
        (lambda: Executors.thread_pool(1, name="base").with_poll(resolve_with_thread_name), "base"),
        (lambda: Executors.sync(name="base").with_poll(resolve_with_thread_name, name="top"), "top"),
        (lambda: Executors.sync(name="base").with_poll(resolve_with_thread_name, name="default"), "default"),
        (lambda: Executors.sync(name="base").with_poll(resolve).with_poll(resolve_with_thread_name), "base"),
        (lambda: Executors.sync().with_poll(resolve, name="mid").with_poll(resolve_with_thread_name), "mid"),
        (lambda: Executors.with_poll(Executors.sync(name="base"), resolve_with_thread_name), "base"),
        (lambda: Executors.with_poll(ThreadPoolExecutor(1), resolve_with_thread_name), "default"),
        (lambda: Executors.with_poll(ThreadPoolExecutor(1), resolve_with_thread_name, name="top"), "top"),
        (lambda: PollExecutor(Executors.sync(name="base"), resolve_with_thread_name), "default"),
        (lambda: PollExecutor(Executors.sync(), resolve_with_thread_name, name="top"), "top"),
    ],
)
def test_the_name_travels_down_the_chain_to_the_thread(make: Callable[[], Executor], expected: str) -> None:
    with make() as executor:
        assert executor.submit(int).result(PATIENCE) == f"PollExecutor-{expected}"


def test_the_poll_thread_is_a_daemon() -> None:
    daemons: list[bool] = []

    def poll(descriptors: list[PollDescriptor[Any, Any]]) -> None:
        daemons.append(threading.current_thread().daemon)
        resolve(descriptors)

    with Executors.sync().with_poll(poll) as executor:
        executor.submit(int).result(PATIENCE)
    assert set(daemons) == {True}


@pytest.mark.parametrize("make", [Executors.sync, Executors.thread_pool, lambda: Executors.sync().with_poll(resolve)])
def test_chaining_methods_are_those_of_executors(make: Callable[[], Any]) -> None:
    with make() as executor:
        ours, theirs = inspect.signature(executor.with_poll), inspect.signature(Executors.with_poll)
        assert executor.with_poll.__doc__ == Executors.with_poll.__doc__
        assert list(ours.parameters)[-5:] == list(theirs.parameters)[-5:]
        chained = executor.with_poll(resolve, bool, 1.5, None, name="name")
        assert type(chained) is PollExecutor
        assert chained.submit(int).result(PATIENCE) == 0
        chained.shutdown()


@pytest.mark.parametrize("make", [lambda: Executors.sync(), lambda: Executors.thread_pool(1)], ids=["sync", "pool"])
def test_map_goes_through_the_whole_chain(make: Callable[[], Any]) -> None:
    polled: list[int] = []

    def poll(descriptors: list[PollDescriptor[int, str]]) -> None:
        for descriptor in descriptors:
            polled.append(descriptor.result)
            descriptor.yield_result(str(descriptor.result))

    with make().with_poll(poll) as executor:
        assert list(executor.map(pow, [2, 3, 4], [3, 2, 1], timeout=PATIENCE)) == ["8", "9", "4"]
        assert list(executor.map(pow, [])) == []
    assert polled == [8, 9, 4]


def test_leaving_a_map_early_cancels_what_is_left() -> None:
    delegate = ScriptedDelegate()
    with PollExecutor(delegate, resolve) as executor:
        results = executor.map(abs, [1, 2, 3])
        assert len(delegate.given) == 3
        delegate.given[0].set_result("first")
        assert next(results) == "first"
        results.close()  # type: ignore[attr-defined]
        assert [future.cancelled() for future in delegate.given] == [False, True, True]


# -- mocks and patches ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["more_executors.poll.PollExecutor", "more_executors.sync.SyncExecutor"])
def test_a_patched_class_is_the_one_that_executors_makes(name: str) -> None:
    with mock.patch(name) as patched:
        made = Executors.with_poll(mock.sentinel.delegate, resolve) if "poll" in name else Executors.sync()
    assert made is patched.return_value
    patched.assert_called_once()


def test_a_patched_class_is_the_one_that_chaining_makes() -> None:
    base = Executors.sync(name="base")
    with mock.patch.object(more_executors.poll, "PollExecutor") as patched:
        assert base.with_poll(resolve, logger=mock.sentinel.logger) is patched.return_value
    (args, kwargs) = patched.call_args
    bound = inspect.signature(PollExecutor).bind(*args, **kwargs).arguments
    assert (bound["delegate"], bound["poll_fn"]) == (base, resolve)
    assert (bound["logger"], bound["name"]) == (mock.sentinel.logger, "base")


NAMED = {"thread_name_prefix": "ThreadPoolExecutor-mine"}
GIVEN: list[tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]] = [  # and what the constructor gets of it
    ((), {}, {}),
    ((3,), {}, {}),
    ((), {"max_workers": 3}, {"max_workers": 3}),
    ((), {"initializer": print, "initargs": (1,)}, {"initializer": print, "initargs": (1,)}),
    ((3, "prefix"), {"name": "mine"}, {}),
    ((), {"name": "default"}, {}),
]
NAMED_THREADS: list[tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]] = [
    ((), {"name": "mine"}, NAMED),
    ((3,), {"name": "mine"}, NAMED),
    ((), {"name": "mine", "max_workers": 3}, {"max_workers": 3, **NAMED}),
    ((), {"name": "mine", "thread_name_prefix": "p"}, {"thread_name_prefix": "p"}),
    ((), {"name": "mine", "thread_name_prefix": ""}, {"thread_name_prefix": ""}),
]


@pytest.mark.parametrize(("args", "kwargs", "handed_on"), [*GIVEN, *NAMED_THREADS])
def test_what_was_given_for_a_thread_pool_reaches_the_standard_constructor_as_it_was_given(
    args: tuple[Any, ...], kwargs: dict[str, Any], handed_on: dict[str, Any]
) -> None:
    with mock.patch.object(ThreadPoolExecutor, "__init__", autospec=True, return_value=None) as init:
        pool = Executors.thread_pool(*args, **kwargs)
    init.assert_called_once_with(pool, *args, **handed_on)


@pytest.mark.parametrize(("args", "kwargs", "handed_on"), GIVEN)
def test_and_so_for_a_process_pool(args: tuple[Any, ...], kwargs: dict[str, Any], handed_on: dict[str, Any]) -> None:
    process_pool = concurrent.futures.ProcessPoolExecutor
    with mock.patch.object(process_pool, "__init__", autospec=True, return_value=None) as init:
        pool = Executors.process_pool(*args, **kwargs)
    init.assert_called_once_with(pool, *args, **handed_on)


@pytest.mark.parametrize("args", [(), (False,)])
@pytest.mark.parametrize("kwargs", [{}, {"cancel_futures": False}, {"cancel_futures": True}])
def test_so_does_what_is_given_to_the_shutdown_of_a_thread_pool(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    pool = Executors.thread_pool(1)
    with mock.patch.object(ThreadPoolExecutor, "shutdown", autospec=True) as shutdown:
        pool.shutdown(*args, **kwargs)
    shutdown.assert_called_once_with(pool, *args, **kwargs)
    assert inspect.signature(pool.shutdown) == inspect.signature(ThreadPoolExecutor(1).shutdown)


def test_a_patched_method_of_executors_is_the_one_that_chaining_calls() -> None:
    base = Executors.sync()
    with mock.patch.object(Executors, "with_poll", return_value="patched") as patched:
        assert base.with_poll(resolve) == "patched"
    patched.assert_called_once_with(base, resolve)


MADE = {
    "sync": Executors.sync,
    "thread_pool": Executors.thread_pool,
    "poll": lambda: Executors.sync().with_poll(resolve),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_submit_can_be_mocked_and_map_goes_through_the_mock(make: Callable[[], Any]) -> None:
    ready: Future[str] = Future()
    ready.set_result("mocked")
    with make() as executor:
        with mock.patch.object(executor, "submit", return_value=ready) as submit:
            assert executor.submit(abs, -1) is ready
            assert list(executor.map(abs, [-2])) == ["mocked"]
        assert submit.mock_calls == [mock.call(abs, -1), mock.call(abs, -2)]
        assert executor.submit(abs, -3).result(PATIENCE) == 3
        executor.submit = mock.Mock(wraps=executor.submit)
        assert executor.submit(abs, -4).result(PATIENCE) == 4
        executor.submit.assert_called_once_with(abs, -4)
        del executor.submit


@pytest.mark.parametrize("make", [Executors.sync, Executors.thread_pool], ids=["sync", "thread_pool"])
def test_an_executor_calls_the_mocked_submit_of_its_delegate(make: Callable[[], Any]) -> None:
    base = make()
    with base.with_poll(resolve) as executor:
        with mock.patch.object(base, "submit", wraps=base.submit) as submit:
            assert executor.submit(pow, 2, 3).result(PATIENCE) == 8
            assert executor.submit(int, "11", base=2).result(PATIENCE) == 3
        assert submit.mock_calls[0] == mock.call(pow, 2, 3)
        assert submit.mock_calls[-1] == mock.call(int, "11", base=2)
        with mock.patch.object(base, "submit", side_effect=SomeError), pytest.raises(SomeError):
            executor.submit(pow, 2, 3)
        assert executor.submit(pow, 2, 3).result(PATIENCE) == 8


def test_the_whole_delegate_can_be_a_mock() -> None:
    delegate = mock.Mock(spec=Executor)
    delegate.submit.side_effect = SyncExecutor().submit
    with PollExecutor(delegate, resolve) as executor:
        assert executor.submit(abs, -1).result(PATIENCE) == 1
        delegate.submit.assert_called_once_with(abs, -1)
        delegate.shutdown.assert_not_called()
    delegate.shutdown.assert_called_once()
