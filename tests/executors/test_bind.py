"""bind and flat_bind: a function tied to an executor."""

from __future__ import annotations

import concurrent.futures
import functools
import inspect
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest
from support import PATIENCE, SomeError, Thing, without_collector

from more_executors import Executors, SyncExecutor


def power(base: int, /, *, exponent: int = 2) -> int:
    """Raise to a power."""
    return int(base**exponent)


power.note = "kept"  # type: ignore[attr-defined]


@pytest.fixture(params=["method", "classmethod", "standard library"])
def bind(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """`bind` of a sync executor, and of a pool, both by the method and by the classmethod."""
    with Executors.sync() as sync, ThreadPoolExecutor(1) as pool:
        yield {
            "method": sync.bind,
            "classmethod": functools.partial(Executors.bind, sync),
            "standard library": functools.partial(Executors.bind, pool),
        }[request.param]


# -- calling ------------------------------------------------------------------------------------------------------


def test_calling_submits_with_the_arguments_given_and_returns_the_future(bind: Callable[..., Any]) -> None:
    bound = bind(power)
    future = bound(3, exponent=3)
    assert isinstance(future, concurrent.futures.Future)
    assert future.result(PATIENCE) == 27
    assert bound(3).result(PATIENCE) == 9


@pytest.mark.parametrize("name", ["self", "fn", "args", "kwargs", "executor"])
def test_every_keyword_gets_to_the_function(bind: Callable[..., Any], name: str) -> None:
    assert bind(dict)(**{name: 1}).result(PATIENCE) == {name: 1}


def test_what_the_function_raises_and_wrong_arguments_fail_the_future(bind: Callable[..., Any]) -> None:
    def fail() -> None:
        raise error

    error = SomeError()
    assert bind(fail)().exception(PATIENCE) is error
    assert type(bind(power)().exception(PATIENCE)) is TypeError


def test_it_goes_through_the_executors_submit_which_may_be_a_mock() -> None:
    executor = Executors.sync()
    bound = executor.bind(power)
    with mock.patch.object(executor, "submit", return_value="mocked") as submit:
        assert bound(1, exponent=2) == "mocked"
    submit.assert_called_once_with(power, 1, exponent=2)


def test_once_the_executor_is_shut_down_calling_raises() -> None:
    executor = Executors.sync()
    bound = executor.bind(power)
    executor.shutdown()
    with pytest.raises(RuntimeError, match=r"^cannot schedule new futures after shutdown$"):
        bound(1)


@pytest.mark.parametrize("fn", [None, 42])
def test_what_cannot_be_called_fails_sooner_or_later(fn: Any) -> None:
    with pytest.raises(TypeError):
        Executors.sync().bind(fn)().result(PATIENCE)


@pytest.mark.parametrize("method", [Executors.bind, Executors.flat_bind])
def test_signatures_are_those_programs_rely_on(method: Callable[..., Any]) -> None:
    assert list(inspect.signature(method).parameters) == ["executor", "fn"]


def test_arguments_may_be_given_by_name() -> None:
    assert Executors.bind(executor=SyncExecutor(), fn=power)(2).result(0) == 4
    assert SyncExecutor().bind(fn=power)(2).result(0) == 4


# -- what it looks like -------------------------------------------------------------------------------------------


def test_it_takes_over_what_the_function_says_of_itself(bind: Callable[..., Any]) -> None:
    bound = bind(power)
    for attribute in (*functools.WRAPPER_ASSIGNMENTS, "note"):  # from Python 3.14 on, annotations are a function there
        assert getattr(bound, attribute) == getattr(power, attribute), attribute
    assert bound.__wrapped__ is power
    assert inspect.signature(bound) == inspect.signature(power)


def test_a_partial_has_no_name_to_take_over(bind: Callable[..., Any]) -> None:
    partial = functools.partial(power, exponent=4)
    bound = bind(partial)
    assert not hasattr(bound, "__name__")
    assert bound.__doc__ == partial.__doc__
    assert bound(2).result(PATIENCE) == 16


class WithAttributes:
    """Has attributes with names that anybody may use."""

    __slots__ = ("__dict__",)

    def __init__(self) -> None:
        self._executor = self._fn = "of the callable"

    def __call__(self, value: int) -> Any:
        return value, self._executor

    def method(self) -> str:
        return "method"


@pytest.mark.parametrize(
    "fn", [int, len, WithAttributes(), WithAttributes().method, lambda *_: None, functools.partial(int)]
)
def test_anything_that_can_be_called_can_be_bound(bind: Callable[..., Any], fn: Any) -> None:
    assert callable(bind(fn))
    assert repr(fn) in repr(bind(fn))


def test_attributes_of_the_function_are_in_nobodys_way(bind: Callable[..., Any]) -> None:
    assert bind(WithAttributes())(5).result(PATIENCE) == (5, "of the callable")


@pytest.mark.parametrize("name", ["bind", "flat_bind", "submit", "shutdown"])
@pytest.mark.parametrize("how", ["bind", "flat_bind", "with_map"])
def test_it_is_no_executor_and_cannot_be_bound(name: str, how: str) -> None:
    executor = Executors.sync()
    bound = executor.bind(power).with_map(str) if how == "with_map" else getattr(executor, how)(power)
    with pytest.raises(AttributeError):
        getattr(bound, name)


def test_attributes_can_be_set_and_it_can_be_weakly_referenced() -> None:
    bound = Executors.sync().bind(power)
    bound.note = "changed"
    assert (bound.note, power.note) == ("changed", "kept")  # type: ignore[attr-defined]
    reference = weakref.ref(bound)
    assert reference() is bound
    with without_collector():
        del bound
        assert reference() is None


def test_binding_leaves_the_function_as_it_is() -> None:
    before = dict(vars(power))
    Executors.sync().bind(power)
    assert vars(power) == before


# -- customised ---------------------------------------------------------------------------------------------------


def resolve(descriptors: list[Any]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result((descriptor.result, "polled"))


CUSTOMISED: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "with_map": (lambda bound: bound.with_map(str), "9"),
    "with_flat_map": (lambda bound: bound.with_flat_map(lambda r: SyncExecutor().submit(str, r)), "9"),
    "with_retry": (lambda bound: bound.with_retry(max_attempts=2), 9),
    "with_poll": (lambda bound: bound.with_poll(resolve), (9, "polled")),
    "with_timeout": (lambda bound: bound.with_timeout(60), 9),
    "with_throttle": (lambda bound: bound.with_throttle(1), 9),
    "with_cancel_on_shutdown": (lambda bound: bound.with_cancel_on_shutdown(), 9),
}


@pytest.mark.parametrize("method", CUSTOMISED)
def test_each_with_method_gives_a_new_bound_callable_on_the_customised_executor(method: str) -> None:
    with Executors.thread_pool(1) as pool:
        bound = pool.bind(power)
        customise, expected = CUSTOMISED[method]
        customised = customise(bound)
        assert customised is not bound
        assert type(customised) is type(bound)
        assert customised(3).result(PATIENCE) == expected
        assert bound(3).result(PATIENCE) == 9
        assert (customised.__name__, customised.__doc__) == ("power", power.__doc__)
        customised._executor.shutdown()


def test_customising_goes_on_in_a_chain_and_takes_names() -> None:
    bound = Executors.sync(name="base").bind(power).with_map(str).with_map(len, name="top")
    assert bound(100).result(0) == 5
    assert bound._executor._name == "top"
    assert bound.with_map(str)._executor._name == "top"


def test_customising_asks_executors_which_can_be_patched() -> None:
    executor = Executors.sync()
    with mock.patch.object(Executors, "with_map", return_value=executor) as with_map:
        bound = executor.bind(power).with_map(str)
    with_map.assert_called_once_with(executor, str)
    assert bound(3).result(0) == 9


def test_a_bound_callable_can_be_bound_itself() -> None:
    inner = Executors.sync().bind(power)
    outer = Executors.sync().with_map(lambda future: ("outer", future.result(0))).bind(inner)  # type: ignore[attr-defined]
    assert outer(3).result(0) == ("outer", 9)
    assert outer.__name__ == "power"
    assert inner(3).result(0) == 9


# -- flat_bind ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["method", "classmethod"])
def test_flat_bind_is_for_a_function_that_returns_a_future(how: str) -> None:
    inner: Future[Any] = Future()

    def start(key: str, *, note: str) -> Future[Any]:
        """Start it."""
        calls.append((key, note))
        return inner

    calls: list[Any] = []
    executor = Executors.sync()
    bound = executor.flat_bind(start) if how == "method" else Executors.flat_bind(executor, start)
    assert (bound.__name__, bound.__doc__) == ("start", "Start it.")
    future = bound("key", note="note")
    assert (future.done(), calls) == (False, [("key", "note")])
    inner.set_result("flat")
    assert future.result(0) == "flat"


def test_flat_bind_fails_if_the_function_returns_no_future_or_raises() -> None:
    error = SomeError()

    def fail(_: int) -> None:
        raise error

    with Executors.thread_pool(1) as pool:
        assert "8" in str(pool.flat_bind(pow)(2, 3).exception(PATIENCE))
        assert type(pool.flat_bind(pow)(2, 3).exception(PATIENCE)) is TypeError
        assert pool.flat_bind(fail)(1).exception(PATIENCE) is error


def test_flat_bind_of_a_bound_callable_of_another_executor() -> None:
    with Executors.thread_pool(1) as downloads, Executors.thread_pool(1) as pool:
        bound = pool.flat_bind(downloads.bind(power)).with_map(str)
        assert [bound(n).result(PATIENCE) for n in range(5)] == ["0", "1", "4", "9", "16"]


def test_the_flat_map_of_flat_bind_has_the_name_of_the_executor() -> None:
    assert Executors.sync(name="base").flat_bind(power)._executor._name == "base"


def test_a_bound_callable_keeps_its_executor_and_its_future_needs_neither() -> None:
    fn = Thing()
    with without_collector():
        executor = Executors.thread_pool(1).with_map(str)
        gone = [weakref.ref(executor), weakref.ref(fn)]
        bound = executor.bind(functools.partial(lambda _: 9, fn))
        del executor, fn
        assert gone[0]() is not None
        future = bound()
        del bound
        assert future.result(PATIENCE) == "9"
