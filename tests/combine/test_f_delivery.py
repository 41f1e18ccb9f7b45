"""Who ends a future finds all that follows from it done, even in a callback in the midst of a long chain."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Any

import pytest
from support import DuckFuture, SomeError, all_at_once, listening_to

from more_executors import Executors, _core, f_flat_map, f_map, f_or, f_return, f_timeout, f_zip

LONG = 1000

# How far from the start of a chain user code sits: on the way down, and where the thread goes on from its list.
places = pytest.mark.parametrize("place", [0, 1, 14, 15, 16, 17, 18, 100, LONG - 1])


def chain(first: Future[Any], length: int, link: Callable[[Any], Any] = f_map) -> Future[Any]:
    """The last of a chain that begins with `first`."""
    for _ in range(length):
        first = link(first)
    return first


class Follower:
    """A long chain of its own, and what was seen of it when its first future was ended."""

    def __init__(self, link: Callable[[Any], Any] = f_map) -> None:
        self.first: Future[Any] = _core.Future()
        self.last = chain(self.first, LONG, link)
        self.calls: list[str] = []
        self.last.add_done_callback(lambda _: self.calls.append("called"))
        self.seen: list[Any] = []

    def end(self, *_: Any) -> Any:
        self.first.set_result("theirs")
        self.note()

    def fail(self, *_: Any) -> Any:
        self.first.set_exception(SomeError())
        self.note()

    def cancel(self, *_: Any) -> Any:
        self.first.cancel()
        self.note()

    def cancel_last(self, *_: Any) -> Any:
        self.last.cancel()
        self.note()

    def note(self) -> None:
        self.seen.append((self.first.done(), self.last.done(), list(self.calls)))


# The classes are out here, and their instances are told what to do: free-threaded Python 3.13 keeps classes for ever.


class Truth:
    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def __bool__(self) -> bool:
        self.act()
        return True


class Theirs(Future):  # type: ignore[type-arg]
    act: Callable[[], Any]

    def cancel(self) -> bool:
        self.act()
        return super().cancel()


class Duck(DuckFuture):
    def __init__(self, act: Callable[[], Any], method: str) -> None:
        super().__init__()
        self.act, self.method = act, method

    def __getattribute__(self, name: str) -> Any:
        own = super().__getattribute__
        if name in ("add_done_callback", "cancelled", "exception", "result") and name == own("method"):
            own("act")()
        return own(name)


class Handler(logging.Handler):
    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__()
        self.act = act

    def handle(self, record: logging.LogRecord) -> bool:
        return bool(self.act())


class Object:
    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def __call__(self, value: Any) -> Any:
        return value

    def __del__(self) -> None:
        self.act()


ENDS = [Follower.end, Follower.fail, Follower.cancel, Follower.cancel_last]
every_way = pytest.mark.parametrize("end", ENDS, ids=[end.__name__ for end in ENDS])


@places
@every_way
def test_a_done_callback_may_end_other_futures(place: int, end: Callable[..., Any]) -> None:
    theirs = Follower()
    first: Future[Any] = _core.Future()
    middle = chain(first, place)
    middle.add_done_callback(lambda _: end(theirs))
    last = chain(middle, LONG)
    first.set_result("mine")
    assert theirs.seen == [(True, True, ["called"])]
    assert last.result(0) == "mine"


@places
@every_way
def test_a_mapping_function_may_end_other_futures(place: int, end: Callable[..., Any]) -> None:
    theirs = Follower()
    first: Future[Any] = _core.Future()
    last = chain(f_map(chain(first, place), lambda value: end(theirs) or value), LONG)
    first.set_result("mine")
    assert theirs.seen == [(True, True, ["called"])]
    assert last.result(0) == "mine"


@places
@every_way
def test_a_flat_mapping_function_may_end_what_it_returns(place: int, end: Callable[..., Any]) -> None:
    theirs = Follower()
    first: Future[Any] = _core.Future()
    last = chain(f_flat_map(chain(first, place), lambda _: end(theirs) or theirs.last), LONG)
    first.set_result("mine")
    assert theirs.seen == [(True, True, ["called"])]
    assert last.done()


@places
def test_a_truth_may_end_other_futures(place: int) -> None:
    theirs = Follower()
    first: Future[Any] = _core.Future()
    last = chain(f_or(chain(first, place), _core.Future()), LONG)
    first.set_result(Truth(theirs.end))
    assert theirs.seen == [(True, True, ["called"])]
    assert last.done()
    del last, first


@places
def test_a_cancel_of_somebody_elses_future_may_end_other_futures(place: int) -> None:
    theirs = Follower(f_zip)
    inner = Theirs()
    inner.act = theirs.cancel_last
    last = chain(f_zip(inner), LONG, f_zip)
    outer = chain(last, place, f_zip)
    assert outer.cancel() is True
    assert inner.cancelled()
    assert theirs.seen == [(True, True, ["called"])]


class Witness:
    """User code that ends one chain, cancels what gathers another future, and notes what it finds."""

    def __init__(self) -> None:
        self.ended = Follower()
        self.source: Future[Any] = _core.Future()
        self.gathered = chain(f_zip(f_zip(self.source)), LONG)
        self.seen: list[bool] = []

    def __call__(self, *_: Any) -> bool:
        if not self.seen:
            self.ended.first.set_result("theirs")
            self.gathered.cancel()
            self.seen += [self.ended.last.done(), self.source.cancelled()]
        return True


@places
def test_a_callback_of_somebody_elses_future_below_may_do_so(place: int) -> None:
    witness = Witness()
    theirs: Future[Any] = Future()
    theirs.add_done_callback(witness)
    first: Future[Any] = _core.Future()
    gathered = f_zip(chain(first, place), f_map(theirs))
    first.cancel()
    assert gathered.cancelled()
    assert theirs.cancelled()
    assert witness.seen == [True, True]


@places
def test_a_cancel_of_somebody_elses_future_below_may_do_so(place: int) -> None:
    witness = Witness()
    theirs = Theirs()
    theirs.act = witness
    assert chain(f_zip(f_map(theirs)), place, f_zip).cancel() is True
    assert theirs.cancelled()
    assert witness.seen == [True, True]


@places
def test_a_cancel_function_of_a_poll_executor_below_may_do_so(place: int) -> None:
    witness = Witness()
    with Executors.sync().with_poll(lambda descriptors: None, witness) as executor:
        polled = executor.submit(int)
        assert chain(f_zip(polled), place, f_zip).cancel() is True
    assert polled.cancelled()
    assert witness.seen == [True, True]


@places
@pytest.mark.parametrize("method", ["add_done_callback", "cancelled", "exception", "result"])
def test_a_duck_on_the_way_may_do_so(place: int, method: str) -> None:
    witness = Witness()
    duck = Duck(witness, method)
    duck.end("theirs")
    first: Future[Any] = _core.Future()
    last = f_flat_map(chain(first, place), lambda _: duck)
    first.set_result("mine")
    assert last.result(0) == "theirs"
    assert witness.seen == [True, True]


@places
def test_a_logging_handler_may_do_so(place: int) -> None:
    witness = Witness()
    logger, handler = logging.getLogger("concurrent.futures"), Handler(witness)
    first: Future[Any] = _core.Future()
    middle = chain(first, place)
    middle.add_done_callback(lambda _: 1 / 0)
    last = chain(middle, LONG)
    with listening_to("concurrent.futures"):
        logger.addHandler(handler)
        first.set_result("mine")
        logger.removeHandler(handler)
    assert last.result(0) == "mine"
    assert witness.seen == [True, True]


@places
def test_the_end_of_an_object_that_is_let_go_of_on_the_way_may_do_so(place: int) -> None:
    witness = Witness()
    first: Future[Any] = _core.Future()
    last = chain(f_map(chain(first, place), Object(witness)), LONG)
    first.set_result("mine")
    assert last.result(0) == "mine"
    assert witness.seen == [True, True]


@places
def test_user_code_may_do_so_several_levels_deep(place: int) -> None:
    followers = [Follower() for _ in range(20)]
    for follower, following in itertools.pairwise(followers):
        chain(follower.first, place).add_done_callback(following.end)
    followers[0].end()
    assert [follower.seen for follower in followers] == [[(True, True, ["called"])]] * 20


@places
def test_a_callback_that_raises_disturbs_nobody(place: int) -> None:
    def raising(_: Any) -> None:
        theirs.end()
        raise SomeError

    theirs = Follower()
    first: Future[Any] = _core.Future()
    middle = chain(first, place)
    order: list[str] = []
    middle.add_done_callback(raising)
    middle.add_done_callback(lambda _: order.append("next"))
    last = chain(middle, LONG)
    with listening_to("concurrent.futures") as heard:
        first.set_result("mine")
    assert len(heard.of_level("ERROR")) == 1
    assert theirs.seen == [(True, True, ["called"])]
    assert order == ["next"]
    assert last.result(0) == "mine"


@places
def test_a_future_made_in_the_midst_of_a_chain_is_done_at_once_if_its_input_is(place: int) -> None:
    made: list[Any] = []

    def make(value: Any) -> Any:
        mapped = chain(f_map(f_return(value), str.upper), LONG)
        gathered = chain(f_zip(mapped, f_timeout(mapped, 60)), LONG)
        made.append((mapped.done(), gathered.done()))
        return gathered

    first: Future[Any] = _core.Future()
    last = chain(f_flat_map(chain(first, place), make), LONG)
    first.set_result("a")
    assert made == [(True, True)]
    assert last.result(0) == ("A", "A")


@places
def test_a_callback_finds_the_futures_before_its_own_done(place: int) -> None:
    first: Future[Any] = _core.Future()
    before = chain(first, place)
    middle = f_map(before)
    seen: list[tuple[bool, ...]] = []
    middle.add_done_callback(lambda own: seen.append((first.done(), before.done(), own.done())))
    chain(middle, LONG)
    first.set_result(1)
    assert seen == [(True, True, True)]


def test_callbacks_of_one_future_run_in_order_however_long_the_chains_between_them() -> None:
    order: list[int] = []
    first: Future[Any] = _core.Future()
    kept = []
    for number in range(10):
        first.add_done_callback(lambda _, number=number: order.append(number))
        kept.append(chain(first, LONG))
    first.set_result(1)
    assert order == list(range(10))
    assert all(last.done() for last in kept)


def test_each_thread_sees_to_what_follows_from_its_own() -> None:
    def run() -> list[Any]:
        outer, inner = Follower(), Follower()
        chain(outer.first, LONG // 2).add_done_callback(inner.end)
        outer.end()
        return outer.seen + inner.seen

    for _ in range(5):
        assert all_at_once(*[run] * 6) == [[(True, True, ["called"])] * 2] * 6


def test_two_threads_may_end_the_same_chain() -> None:
    for _ in range(20):
        followers = Follower(), Follower()
        gathered = chain(f_zip(followers[0].last, followers[1].last), LONG)
        all_at_once(followers[0].end, followers[1].end)
        assert gathered.result(0) == ("theirs", "theirs")
        assert [follower.seen for follower in followers] == [[(True, True, ["called"])]] * 2


def test_ending_a_future_again_from_within_is_an_error_as_ever() -> None:
    first: Future[Any] = _core.Future()
    errors: list[BaseException] = []

    def again(_: Any) -> None:
        try:
            first.set_result("again")
        except InvalidStateError as error:
            errors.append(error.with_traceback(None))

    chain(first, LONG).add_done_callback(again)
    first.set_result("once")
    assert len(errors) == 1
    errors.clear()
