"""What the garbage collector sees of futures that are done: no more than may refer to others."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

import pytest
from support import PATIENCE, Thing

from more_executors import _core, f_return, f_return_error

ATOMS = [None, True, 1, 1.5, "text", b"bytes", bytearray(b"more")]
OTHERS = [[], {}, (1, []), Thing(), KeyError()]


@pytest.mark.parametrize("value", ATOMS, ids=repr)
def test_a_done_future_is_hidden_if_its_result_refers_to_nothing(value: Any) -> None:
    assert not gc.is_tracked(f_return(value))
    future: Future[Any] = _core.Future()
    assert gc.is_tracked(future)
    future.set_result(value)
    assert not gc.is_tracked(future)


@pytest.mark.parametrize("value", OTHERS, ids=lambda value: type(value).__name__)
def test_a_done_future_is_seen_if_its_result_may_refer_to_others(value: Any) -> None:
    assert gc.is_tracked(f_return(value))
    future: Future[Any] = _core.Future()
    future.set_result(value)
    assert gc.is_tracked(future)


def test_a_failed_future_is_seen_and_a_cancelled_one_is_hidden() -> None:
    assert gc.is_tracked(f_return_error(KeyError()))
    future: Future[Any] = _core.Future()
    future.cancel()
    assert not gc.is_tracked(future)


@pytest.mark.parametrize("when", ["before it is done", "when it is done"])
def test_a_cycle_through_an_attribute_of_a_done_future_is_collected(when: str) -> None:
    future: Any = _core.Future()
    if when == "before it is done":
        future.me = future
    future.set_result(None)
    if when == "when it is done":
        future.me = future
    gone = weakref.ref(future)
    del future
    gc.collect()
    assert gone() is None


def change_dict(future: Any) -> None:
    vars(future)["me"] = future


def replace_dict(future: Any) -> None:
    future.__dict__ = {"me": future}


@pytest.mark.parametrize("when", ["before it is done", "when it is done"])
@pytest.mark.parametrize("add", [change_dict, replace_dict])
def test_a_cycle_through_the_dict_of_a_done_future_is_collected(when: str, add: Callable[[Any], None]) -> None:
    future: Any = _core.Future()
    if when == "before it is done":
        add(future)
    future.set_result(None)
    if when == "when it is done":
        add(future)
    assert future.me is future
    gone = weakref.ref(future)
    del future
    gc.collect()
    assert gone() is None


def test_a_cycle_through_a_slot_of_a_subclass_is_collected() -> None:
    class Slotted(_core.Future):
        __slots__ = ("me",)

    future = Slotted()
    future.set_result(None)
    assert gc.is_tracked(future)
    future.me = future
    gone = weakref.ref(future)
    del future
    gc.collect()
    assert gone() is None


def test_attributes_of_a_future_are_set_and_deleted_as_ever() -> None:
    future: Any = f_return()
    future.name = "a name"
    assert future.name == "a name"
    assert vars(future) == {"name": "a name"}
    del future.name
    assert not hasattr(future, "name")
    with pytest.raises(TypeError):
        future.__dict__ = None
    assert vars(future) == {}


def test_a_future_that_is_waited_for_through_the_standard_library_is_hidden_after_that() -> None:
    futures = [_core.Future() for _ in range(3)]
    for future in futures:
        future.set_result(1)
    assert not wait(futures, PATIENCE).not_done
    assert not any(map(gc.is_tracked, futures))
