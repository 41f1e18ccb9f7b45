"""Chains of futures, each made from the one before: as long as one likes, on a small stack."""

from __future__ import annotations

import gc
import itertools
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from support import InThread, SomeError, is_gone

from more_executors import (
    _core,
    f_and,
    f_apply,
    f_flat_map,
    f_map,
    f_nocancel,
    f_or,
    f_proxy,
    f_return,
    f_sequence,
    f_timeout,
    f_traverse,
    f_zip,
)

DEEP = 10_000
SMALL = 256 * 1024

Link = Callable[[Any], Any]


def same(value: Any) -> Any:
    return value


def apply(future: Any) -> Any:
    return f_apply(f_return(same), future)


STRAIGHT: dict[str, Link] = {
    "f_map": lambda future: f_map(future, same),
    "f_map without functions": f_map,
    "f_flat_map": lambda future: f_flat_map(future, f_return),
    "f_timeout": lambda future: f_timeout(future, 3600),
    "f_proxy": f_proxy,
}
GATHERING: dict[str, Link] = {
    "f_zip": f_zip,
    "f_zip twice": lambda future: f_zip(future, future),
    "f_sequence": lambda future: f_sequence([future]),
    "f_traverse": lambda future: f_traverse(lambda _: future, [None]),
    "f_or": lambda future: f_or(future, future),
    "f_and": lambda future: f_and(future, future),
}
APPLYING: dict[str, Link] = {"f_apply": apply}  # a gathering that runs as its input does
SHIELDED: dict[str, Link] = {"f_nocancel": f_nocancel}


def mixed(links: dict[str, Link]) -> Link:
    """A link that is of another kind each time."""
    turns = itertools.cycle(links.values())
    return lambda future: next(turns)(future)


def links(*kinds: dict[str, Link]) -> Any:
    """Run a test with links of each of `kinds`, and with all of them mixed."""
    every = {name: link for kind in kinds for name, link in kind.items()}
    return pytest.mark.parametrize(
        "new_link", [*(lambda link=link: link for link in every.values()), lambda: mixed(every)], ids=[*every, "mixed"]
    )


every_link = links(STRAIGHT, GATHERING, APPLYING, SHIELDED)
first_future = pytest.mark.parametrize("first", [_core.Future, Future], ids=["ours", "standard library"])


def on_a_small_stack(function: Callable[[], Any]) -> Any:
    """Call `function` on a thread with a small stack; returns what it returns."""
    before = threading.stack_size(SMALL)
    try:
        thread = InThread(function)
    finally:
        threading.stack_size(before)
    return thread.outcome()


def chain(first: Future[Any], link: Link, length: int = DEEP) -> list[Future[Any]]:
    """`first`, what `link` makes of that, what it makes of that, and so on."""
    futures = [first]
    for _ in range(length):
        futures.append(link(futures[-1]))
    return futures


def last_of(first: Future[Any], link: Link) -> Any:
    """The last of a chain whose futures nobody else refers to."""
    future = first
    for _ in range(DEEP):
        future = link(future)
    return future


@every_link
@first_future
def test_the_first_completes_them_all(new_link: Callable[[], Link], first: type[Future[Any]]) -> None:
    def run() -> None:
        futures = chain(first(), new_link())
        assert not any(future.done() for future in futures)
        futures[0].set_result("")
        assert all(future.done() and not future.cancelled() for future in futures)

    on_a_small_stack(run)


@every_link
@first_future
def test_the_first_fails_them_all_with_one_exception(new_link: Callable[[], Link], first: type[Future[Any]]) -> None:
    def run() -> None:
        error = SomeError()
        futures = chain(first(), new_link())
        futures[0].set_exception(error)
        assert all(future.exception(0) is error for future in futures)
        assert error.__traceback__ is None

    on_a_small_stack(run)


@every_link
@first_future
def test_the_first_cancels_them_all(new_link: Callable[[], Link], first: type[Future[Any]]) -> None:
    def run() -> None:
        futures = chain(first(), new_link())
        assert futures[0].cancel()
        assert all(future.cancelled() for future in futures)

    on_a_small_stack(run)


@links(STRAIGHT, GATHERING, APPLYING)
@first_future
def test_the_last_cancels_them_all(new_link: Callable[[], Link], first: type[Future[Any]]) -> None:
    def run() -> None:
        futures = chain(first(), new_link())
        assert futures[-1].cancel() is True
        assert all(future.cancelled() for future in futures)

    on_a_small_stack(run)


@links(STRAIGHT, SHIELDED)
@first_future
def test_the_last_is_refused_by_one_that_runs_or_is_shielded(
    new_link: Callable[[], Link], first: type[Future[Any]]
) -> None:
    def run() -> None:
        futures = chain(first(), new_link())
        assert futures[0].set_running_or_notify_cancel()
        assert futures[-1].cancel() is False
        assert not any(future.done() for future in futures)
        futures[0].set_result("")
        assert futures[-1].cancel() is False

    on_a_small_stack(run)


@links(STRAIGHT, APPLYING, SHIELDED)
@first_future
def test_the_last_runs_while_the_first_does(new_link: Callable[[], Link], first: type[Future[Any]]) -> None:
    def run() -> None:
        futures = chain(first(), new_link())
        assert futures[-1].running() is False
        assert futures[0].set_running_or_notify_cancel()
        assert futures[-1].running() is True
        assert "state=running" in repr(futures[-1])
        futures[0].set_result("")
        assert futures[-1].running() is False

    on_a_small_stack(run)


@links(GATHERING)
def test_what_gathers_does_not_run(new_link: Callable[[], Link]) -> None:
    def run() -> None:
        futures = chain(_core.Future(), new_link())
        assert futures[0].set_running_or_notify_cancel()
        assert futures[-1].running() is False
        assert "state=pending" in repr(futures[-1])

    on_a_small_stack(run)


@every_link
def test_what_is_done_makes_what_is_done(new_link: Callable[[], Link]) -> None:
    def run() -> None:
        futures = chain(f_return(""), new_link())
        assert all(future.done() for future in futures)

    on_a_small_stack(run)


@every_link
def test_one_in_the_middle_may_be_ended_by_hand(new_link: Callable[[], Link]) -> None:
    def run() -> None:
        futures = chain(_core.Future(), new_link())
        futures[DEEP // 2].set_result("")
        assert all(future.done() for future in futures[DEEP // 2 :])
        assert not any(future.done() for future in futures[: DEEP // 2])
        futures[0].set_result("")
        assert all(future.done() for future in futures)

    on_a_small_stack(run)


@every_link
def test_they_may_be_ended_by_hand_from_the_last_to_the_first(new_link: Callable[[], Link]) -> None:
    def run() -> None:
        futures = chain(_core.Future(), new_link())
        for future in reversed(futures):
            assert not future.done()
            future.set_result("")
        assert all(future.result(0) == "" for future in futures)

    on_a_small_stack(run)


# -- going away ----------------------------------------------------------------------------------------------------


@every_link
@first_future
def test_what_nobody_refers_to_goes_away_unfinished(new_link: Callable[[], Link], first: type[Future[Any]]) -> None:
    def run() -> weakref.ref[Any]:
        reference = weakref.ref(last_of(first(), new_link()))
        gc.collect()
        return reference

    assert is_gone(on_a_small_stack(run))


@every_link
def test_they_go_away_when_the_first_is_lost(new_link: Callable[[], Link]) -> None:
    def run() -> None:
        first: Future[Any] = Future()
        last = last_of(first, new_link())
        del first
        gc.collect()
        assert last.cancelled()

    on_a_small_stack(run)


@every_link
def test_half_of_it_may_go_away_first(new_link: Callable[[], Link]) -> None:
    def run() -> None:
        futures = chain(_core.Future(), new_link())
        first, middle = futures[0], futures[DEEP // 2]
        reference = weakref.ref(futures[DEEP // 4])
        futures.clear()
        gc.collect()
        assert not middle.done()
        assert reference() is not None, "needed for the one in the middle"
        # Not a result: not every Python can take down tuples in tuples in tuples on a small stack.
        first.set_exception(SomeError())
        assert middle.done()
        assert is_gone(reference)

    on_a_small_stack(run)


@every_link
def test_what_is_done_goes_away(new_link: Callable[[], Link]) -> None:
    def run() -> None:
        futures = chain(_core.Future(), new_link())
        futures[0].set_exception(SomeError())
        references = [weakref.ref(future) for future in futures[1:]]
        last = futures.pop()
        futures.clear()
        gc.collect()
        assert last.done()
        assert not any(reference() for reference in references[:-1])

    on_a_small_stack(run)


# -- flat maps that lead on ----------------------------------------------------------------------------------------


def nested() -> tuple[list[Future[Any]], list[Future[Any]]]:
    """Gates and futures: once a gate is done its future ends as the next future does; the last, as its gate does."""
    gates: list[Future[Any]] = [_core.Future() for _ in range(DEEP)]
    futures = [f_map(gates[-1])]
    for gate in reversed(gates[:-1]):
        futures.append(f_flat_map(gate, lambda _, following=futures[-1]: following))
    return gates, futures[::-1]


@pytest.mark.parametrize("backwards", [False, True], ids=["from the start", "from the end"])
def test_flat_maps_that_lead_on_may_be_completed(backwards: bool) -> None:
    def run() -> None:
        gates, futures = nested()
        for gate in reversed(gates) if backwards else gates:
            assert not futures[0].done()
            gate.set_result("result")
        assert all(future.result(0) == "result" for future in futures)

    on_a_small_stack(run)


def test_flat_maps_that_lead_on_may_be_cancelled_and_run() -> None:
    def run() -> None:
        gates, futures = nested()
        for gate in gates[:-1]:
            gate.set_result(None)
        assert futures[0].running() is False
        gates[-1].set_running_or_notify_cancel()
        assert futures[0].running() is True
        assert futures[0].cancel() is False
        gates[-1].set_result("result")
        gates, futures = nested()
        for gate in gates[:-1]:
            gate.set_result(None)
        assert futures[0].cancel() is True
        assert all(future.cancelled() for future in futures)
        assert gates[-1].cancelled()

    on_a_small_stack(run)


def test_flat_maps_that_lead_on_go_away() -> None:
    def run() -> weakref.ref[Any]:
        gates, futures = nested()
        for gate in gates[: DEEP // 2]:
            gate.set_result(None)
        return weakref.ref(futures[0])

    assert is_gone(on_a_small_stack(run))


# -- a tree --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["finish", "cancel the root", "cancel a leaf"])
def test_a_tree_that_is_wide_and_deep(how: str) -> None:
    def run() -> None:
        leaves: list[Future[Any]] = [_core.Future() for _ in range(4096)]
        level = list(leaves)
        while len(level) > 1:
            level = [chain(f_zip(*pair), f_map, 20)[-1] for pair in zip(level[::2], level[1::2], strict=True)]
        (root,) = level
        if how == "finish":
            for leaf in leaves:
                assert not root.done()
                leaf.set_result(1)
            assert len(root.result(0)) == 2
        else:
            assert (root if how == "cancel the root" else leaves[1234]).cancel() is True
            assert all(future.cancelled() for future in (root, *leaves))

    on_a_small_stack(run)
