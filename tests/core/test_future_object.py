"""A future as a Python object: how it prints, what it is an instance of, and what can be done with it.

Each test runs over the standard library's futures as well, unless ours are stricter.
"""

from __future__ import annotations

import concurrent.futures
import copy
import pickle
import threading
import types
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    OUR_KINDS,
    PATIENCE,
    FutureKind,
    MadeByHand,
    OfTheStandardLibrary,
    SomeError,
    every_end,
    kind_fixture,
)

from more_executors import Executors, PollDescriptor, _core

kind = kind_fixture(EVERY_KIND)
our_kind = kind_fixture(OUR_KINDS)

TYPES = [Future, _core.Future]
every_type = pytest.mark.parametrize("future_type", TYPES, ids=["standard library", "ours"])


# -- how it prints -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "state"),
    [
        (lambda kind, future: None, "pending"),
        (lambda kind, future: kind.start(future), "running"),
        (lambda kind, future: kind.finish(future, ["result"]), "finished returned list"),
        (lambda kind, future: kind.finish(future, None), "finished returned NoneType"),
        (lambda kind, future: kind.fail(future, SomeError()), "finished raised SomeError"),
        (lambda kind, future: future.cancel(), "cancelled"),
    ],
    ids=["pending", "running", "result", "None", "error", "cancelled"],
)
def test_repr_tells_the_state(kind: FutureKind, step: Callable[[FutureKind, Future[Any]], None], state: str) -> None:
    future = kind.pending()
    step(kind, future)
    assert repr(future) == f"<{type(future).__name__} at {id(future):#x} state={state}>"


@pytest.mark.parametrize("kind_type", [OfTheStandardLibrary, MadeByHand])
def test_repr_says_cancelled_before_and_after_the_executor_knows(kind_type: type[MadeByHand]) -> None:
    future = kind_type().pending()
    future.cancel()
    before = repr(future)
    future.set_running_or_notify_cancel()
    assert repr(future) == before
    assert before.endswith("state=cancelled>")


def test_a_polled_future_prints_as_running_while_the_delegate_runs_it() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def run() -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    def poll(descriptors: list[PollDescriptor[Any, Any]]) -> None:
        for descriptor in descriptors:
            shown.append(repr(future))
            descriptor.yield_result()

    shown: list[str] = []
    with Executors.thread_pool(max_workers=1).with_poll(poll) as executor:
        future = executor.submit(run)
        assert begun.wait(PATIENCE)
        shown.append(repr(future))
        go_on.set()
        future.result(PATIENCE)
    states = [text.partition("state=")[2] for text in shown]
    assert states == ["running>", "pending>"]


# -- what it is, and what it can and cannot do --------------------------------------------------------------------


def test_a_future_is_one_of_concurrent_futures(kind: FutureKind) -> None:
    future = kind.pending()
    assert isinstance(future, concurrent.futures.Future)
    assert issubclass(type(future), concurrent.futures.Future)
    assert future == future
    assert future != kind.pending()
    assert len({future, future, kind.pending()}) == 2


def test_attributes_can_be_set(kind: FutureKind) -> None:
    future = kind.pending()
    future.job = "of a program"  # type: ignore[attr-defined]
    future.cancel = lambda: "mine"  # type: ignore[assignment,method-assign,return-value]
    assert vars(future)["job"] == "of a program"
    assert future.cancel() == "mine"
    del future.cancel
    assert future.cancel() is True
    with pytest.raises(AttributeError):
        _ = future.no_such_attribute  # type: ignore[attr-defined]


@every_type
def test_the_type_can_be_parametrized(future_type: type[Future[Any]]) -> None:
    alias = future_type[int]
    assert isinstance(alias, types.GenericAlias)
    assert (alias.__origin__, alias.__args__) == (future_type, (int,))
    assert type(alias()) is future_type


@every_type
def test_the_type_takes_no_arguments(future_type: type[Future[Any]]) -> None:
    with pytest.raises(TypeError):
        future_type("argument")  # type: ignore[call-arg]


@every_type
def test_the_type_can_be_subclassed(future_type: type[Future[Any]]) -> None:
    class Plain:
        def __init__(self, name: str) -> None:
            self.name = name

    class Named(Plain, future_type):  # type: ignore[misc,valid-type]
        def __init__(self, name: str) -> None:
            future_type.__init__(self)
            super().__init__(name)
            self.calls: list[str] = []

        def set_result(self, result: Any) -> None:
            self.calls.append("set_result")
            super().set_result(result)

        def cancel(self) -> bool:
            self.calls.append("cancel")
            return super().cancel()

    future = Named("mine")
    assert future.cancel()
    assert future.cancelled()
    future = Named("mine")
    future.set_result(1)
    assert (future.name, future.calls, future.result()) == ("mine", ["set_result"], 1)
    assert list(concurrent.futures.as_completed([future])) == [future]


@every_end
def test_a_future_cannot_be_pickled_or_copied_in_any_state(our_kind: FutureKind, how: str) -> None:
    future = our_kind.pending()
    for _ in range(2):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="cannot be copied or pickled: share it, or wait"):
                pickle.dumps(future, protocol)
        with pytest.raises(TypeError, match="cannot be copied or pickled: share it, or wait"):
            copy.copy(future)
        with pytest.raises(TypeError, match="cannot be copied or pickled: share it, or wait"):
            copy.deepcopy(future)
        if not future.done():
            our_kind.end(future, how)


@pytest.mark.parametrize(
    "value", [None, "error", object(), int, SomeError.mro], ids=["None", "str", "object", "type", "function"]
)
def test_what_is_no_exception_cannot_be_set_as_one(our_kind: FutureKind, value: Any) -> None:
    future = our_kind.pending()
    with pytest.raises(TypeError, match="set_exception"):
        future.set_exception(value)
    assert not future.done()


@pytest.mark.parametrize("error_type", [SomeError, KeyboardInterrupt, BaseException])
def test_an_exception_class_is_set_as_an_instance_of_it(our_kind: FutureKind, error_type: type[BaseException]) -> None:
    future = our_kind.pending()
    future.set_exception(error_type)  # type: ignore[arg-type]
    error = future.exception()
    assert type(error) is error_type
    assert future.exception() is error


def test_an_exception_class_that_makes_something_else_is_refused(our_kind: FutureKind) -> None:
    class NoneAtAllError(Exception):
        def __new__(cls) -> Any:
            return "no exception"

    future = our_kind.pending()
    with pytest.raises(TypeError, match="set_exception"):
        future.set_exception(NoneAtAllError)  # type: ignore[arg-type]
    assert not future.done()
