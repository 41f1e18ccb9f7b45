"""f_proxy: a future that is also a stand-in for its result."""

from __future__ import annotations

import copy
import gc
import math
import operator
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, TimeoutError, as_completed, wait
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    PATIENCE,
    DuckFuture,
    FutureKind,
    InThread,
    SomeError,
    every_end,
    is_gone,
    kind_fixture,
    said,
)

from more_executors import _core, f_map, f_proxy, f_return, f_return_cancelled, f_return_error, f_zip

kind = kind_fixture(EVERY_KIND)


def of(value: Any) -> Any:
    return f_proxy(f_return(value))


# -- it is a future ------------------------------------------------------------------------------------------------


@every_end
@pytest.mark.parametrize("before", [True, False], ids=["done before", "done after"])
def test_it_ends_as_its_input(kind: FutureKind, how: str, before: bool) -> None:
    source = kind.pending()
    if before:
        expected = kind.end(source, how)
    proxy = f_proxy(source)
    assert isinstance(proxy, Future)
    assert proxy is not source
    if not before:
        assert not proxy.done()
        expected = kind.end(source, how)
    assert said(proxy, 0) is expected
    assert proxy.cancelled() is (how == "cancel")


def test_cancelling_it_cancels_its_input(kind: FutureKind) -> None:
    source = kind.pending()
    proxy = f_proxy(source)
    assert proxy.cancel() is True
    assert (proxy.cancelled(), source.cancelled()) == (True, True)


def test_an_input_that_runs_refuses(kind: FutureKind) -> None:
    source = kind.pending()
    proxy = f_proxy(source)
    assert proxy.running() is False
    kind.start(source)
    assert (proxy.running(), proxy.cancel()) == (True, False)
    kind.finish(source, "result")
    assert proxy.result(0) == "result"


def test_whoever_takes_futures_takes_it() -> None:
    proxy = of("a")
    assert wait([proxy], PATIENCE).done == {proxy}
    assert list(as_completed([proxy], PATIENCE)) == [proxy]
    assert f_map(proxy, str.upper).result(0) == "A"
    assert f_zip(proxy, proxy).result(0) == ("a", "a")
    called: list[Any] = []
    proxy.add_done_callback(called.append)
    assert called[0] is proxy
    called.clear()


def test_a_proxy_of_a_proxy_will_do() -> None:
    proxy = f_proxy(f_proxy(f_return([1, 2])))
    assert (len(proxy), proxy[1], proxy.result(0)) == (2, 2, [1, 2])


def test_an_exception_is_the_very_object() -> None:
    error = SomeError()
    assert f_proxy(f_return_error(error)).exception(0) is error


def test_a_duck_will_do() -> None:
    duck = DuckFuture()
    proxy = f_proxy(duck)  # type: ignore[arg-type]
    duck.end([1, 2])
    assert len(proxy) == 2


def test_an_input_that_is_lost_cancels_it() -> None:
    proxy = f_proxy(Future())
    gc.collect()
    assert proxy.cancelled()


def test_no_input_is_kept_once_it_is_done(kind: FutureKind) -> None:
    source = kind.pending()
    proxy = f_proxy(source)
    kind.finish(source, 1)
    reference = weakref.ref(source)
    del source
    assert is_gone(reference)
    assert proxy + 1 == 2


@pytest.mark.parametrize("value", [5, None, "text", object], ids=repr)
def test_what_is_no_future_is_refused_at_once(value: Any) -> None:
    with pytest.raises(TypeError) as caught:
        f_proxy(value)
    assert "f_proxy" in str(caught.value)
    assert repr(value) in str(caught.value)


def test_the_timeout_is_given_by_name_only() -> None:
    with pytest.raises(TypeError):
        f_proxy(f_return(1), 5)  # type: ignore[misc]


# -- it stands in for its result -----------------------------------------------------------------------------------


class Page:
    """A value with attributes of every sort."""

    title = "a title"
    _hint = "one underscore"
    __secret = "mangled"

    def __init__(self) -> None:
        self.words = ["some"]

    @property
    def length(self) -> int:
        return len(self.words)

    def add(self, word: str) -> int:
        self.words.append(word)
        return self.length


def test_attributes_are_those_of_the_result() -> None:
    page = Page()
    proxy = of(page)
    assert (proxy.title, proxy._hint, proxy.length, proxy.words) == ("a title", "one underscore", 1, ["some"])
    assert proxy.words is page.words
    assert proxy.add("more") == 2
    assert page.words == ["some", "more"]
    assert proxy._Page__secret == "mangled"
    assert getattr(proxy, "nothing", "a default") == "a default"
    assert not hasattr(proxy, "nothing")


def test_a_missing_attribute_is_reported_as_the_results() -> None:
    with pytest.raises(AttributeError, match="'Page' object has no attribute 'nothing'"):
        _ = of(Page()).nothing


def test_what_futures_have_is_the_futures() -> None:
    class Clashing:
        result = done = cancel = "of the value"

    proxy = of(Clashing())
    assert type(proxy.result()) is Clashing
    assert proxy.done() is True
    assert proxy.cancel() is False


def test_names_that_begin_with_two_underscores_are_not_forwarded() -> None:
    class Special:
        __special__ = "of the value"
        __private = "of the value"

    proxy = of(Special())
    pending = f_proxy(_core.Future())
    for name in ("__special__", "__private", "__", "__array__", "__index__", "__enter__"):
        with pytest.raises(AttributeError):
            getattr(proxy, name)
        assert not hasattr(pending, name), "without waiting"
    pending.cancel()


def test_attributes_are_set_on_the_proxy() -> None:
    page = Page()
    proxy = of(page)
    proxy.title = "another"
    assert (proxy.title, page.title) == ("another", "a title")
    del proxy.title
    assert proxy.title == "a title"
    with pytest.raises(AttributeError):
        del proxy.words


BINARY: list[tuple[Callable[[Any, Any], Any], Any, Any]] = [
    (operator.add, 7, 2),
    (operator.add, "7", "2"),
    (operator.add, [7], [2]),
    (operator.sub, 7, 2),
    (operator.sub, {7, 2}, {2}),
    (operator.mul, 7, 2),
    (operator.mul, "7", 2),
    (operator.truediv, 7, 2),
    (operator.floordiv, 7, 2),
    (operator.mod, 7, 2),
    (operator.mod, "%s!", 2),
    (divmod, 7, 2),
    (pow, 7, 2),
    (operator.pow, 7.5, 2),
    (operator.lshift, 7, 2),
    (operator.rshift, 7, 2),
    (operator.and_, 7, 2),
    (operator.xor, 7, 2),
    (operator.or_, 4, 2),
    (operator.or_, {7: 1}, {2: 1}),
    (operator.getitem, [7, 8, 9], 2),
    (operator.getitem, [7, 8, 9], slice(1, None)),
    (operator.getitem, {7: "x"}, 7),
    (operator.contains, [7, 8], 7),
    (operator.contains, "78", "9"),
    (operator.iadd, 7, 2),
    (operator.isub, 7, 2),
    (operator.imul, 7, 2),
    (operator.ior, 4, 2),
    (round, 7.125, 2),
]


@pytest.mark.parametrize(
    ("operation", "value", "other"), BINARY, ids=[f"{row[0].__name__} {row[1:]}" for row in BINARY]
)
def test_an_operation_with_it_on_the_left_is_that_of_the_result(
    operation: Callable[[Any, Any], Any], value: Any, other: Any
) -> None:
    expected = operation(copy.copy(value), other)
    made = operation(of(value), other)
    assert made == expected
    assert type(made) is type(expected)


UNARY: list[tuple[Callable[[Any], Any], Any]] = [
    (len, "abc"),
    (len, {}),
    (list, "abc"),
    (sorted, {3, 1, 2}),
    (dict, [(1, 2)]),
    (tuple, {1: 2}),
    (operator.neg, 7),
    (operator.pos, -7),
    (abs, -7),
    (abs, 3 + 4j),
    (operator.invert, 7),
    (int, 7.9),
    (int, "7"),
    (int, True),
    (float, 7),
    (float, "7.5"),
    (complex, 7),
    (complex, "7+1j"),
    (round, 7.6),
    (math.trunc, -7.6),
    (math.floor, -7.6),
    (math.ceil, -7.6),
    (set, [1, 1]),
    (sum, [1, 2]),
    (max, [1, 2]),
]


@pytest.mark.parametrize(("operation", "value"), UNARY, ids=[f"{row[0].__name__} {row[1]!r:.20}" for row in UNARY])
def test_an_operation_on_it_is_that_of_the_result(operation: Callable[[Any], Any], value: Any) -> None:
    expected = operation(copy.copy(value))
    made = operation(of(copy.copy(value)))
    assert made == expected
    assert type(made) is type(expected)


def test_items_of_the_result_are_set_and_deleted() -> None:
    value: dict[Any, Any] = {"a": 1, "b": 2}
    proxy = of(value)
    proxy["c"] = 3
    del proxy["a"]
    assert value == {"b": 2, "c": 3}
    items = [1, 2, 3]
    of(items)[1:] = [5]
    del of(items)[0]
    assert items == [5]
    assert list(reversed(of([1, 2, 3]))) == [3, 2, 1]


def test_three_arguments_of_pow_and_no_digits_of_round() -> None:
    assert pow(of(2), 5, 7) == 4
    assert round(of(7.6)) == 8
    assert type(round(of(7.6))) is int


def test_an_augmented_assignment_makes_a_plain_value() -> None:
    total = of(7)
    total += 2
    assert (total, type(total)) == (9, int)


def test_the_other_operand_may_have_the_last_word() -> None:
    class Right:
        def __radd__(self, other: Any) -> Any:
            return ("radd", other)

    assert of(7) + Right() == ("radd", 7)


@pytest.mark.parametrize(
    "use",
    [len, iter, lambda p: p[0], lambda p: p + "a", lambda p: 1 in p, lambda p: p % {}, operator.invert, math.floor],
    ids=["len", "iter", "item", "+", "in", "%", "~", "floor"],
)
def test_what_the_result_cannot_do_is_reported_as_the_results(use: Callable[[Any], Any]) -> None:
    class Nothing:
        pass

    value = Nothing()
    with pytest.raises(TypeError) as plain:
        use(value)
    with pytest.raises(TypeError) as caught:
        use(of(value))
    assert str(caught.value) == str(plain.value)


# -- what is not forwarded -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, "", None, [], False], ids=repr)
def test_it_is_always_true(value: Any) -> None:
    assert bool(of(value)) is True
    assert bool(f_proxy(f_return_error(SomeError()))) is True
    pending = f_proxy(_core.Future())
    assert bool(pending) is True, "without waiting"
    assert not pending.done()
    assert bool(f_proxy(f_return_cancelled())) is True


def test_texts_are_the_futures() -> None:
    proxy = of([1, 2])
    for text in (str(proxy), repr(proxy), f"{proxy}", format(proxy)):
        assert "state=finished returned list" in text
        assert "[1, 2]" not in text
    pending = f_proxy(_core.Future())
    assert "state=pending" in repr(pending)
    pending.cancel()
    with pytest.raises(TypeError):
        format(of(5), "d")


def test_it_equals_itself_only() -> None:
    source = f_return(5)
    proxy = f_proxy(source)
    same = proxy
    assert proxy == same
    assert proxy != 5
    assert proxy != f_proxy(source)
    assert hash(proxy) == hash(same) == object.__hash__(proxy)
    assert hash(f_proxy(f_return([]))) is not None
    assert {proxy: 1}[same] == 1


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_it_has_no_order(compare: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(TypeError):
        compare(of(5), 6)


@pytest.mark.parametrize(
    "use",
    [
        lambda p: 1 + p,
        lambda p: p + p,
        lambda p: [1, 2, 3][p],
        lambda p: range(p),
        lambda p: p(),
        lambda p: next(p),
        lambda p: bytes(p),
        lambda p: p @ p,
        lambda p: operator.index(p),
    ],
    ids=["on the right", "on both sides", "as an index", "range", "call", "next", "bytes", "@", "index"],
)
def test_other_uses_are_not_forwarded(use: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError):
        use(of(1))


def test_with_is_not_forwarded() -> None:
    class Manager:
        def __enter__(self) -> None: ...
        def __exit__(self, *error: object) -> None: ...

    with pytest.raises((AttributeError, TypeError)):
        of(Manager()).__enter__()
    with pytest.raises((AttributeError, TypeError)):
        with of(Manager()):
            pass


def test_its_type_is_its_own() -> None:
    proxy = of([])
    assert isinstance(proxy, Future)
    assert not isinstance(proxy, list)
    assert proxy.__class__ is type(proxy)


# -- waiting, and failing ------------------------------------------------------------------------------------------

USES: dict[str, Callable[[Any], Any]] = {
    "attribute": lambda p: p.title,
    "len": len,
    "iter": iter,
    "item": lambda p: p[0],
    "set item": lambda p: operator.setitem(p, 0, 1),
    "delete item": lambda p: operator.delitem(p, 0),
    "in": lambda p: 1 in p,
    "+": lambda p: p + 1,
    "neg": operator.neg,
    "int": int,
    "round": round,
    "hasattr": lambda p: hasattr(p, "title"),
}
every_use = pytest.mark.parametrize("use", USES.values(), ids=USES)


@every_use
@pytest.mark.parametrize("timeout", [0, 0.001], ids=["at once", "after a while"])
def test_waiting_is_bounded(use: Callable[[Any], Any], timeout: float) -> None:
    proxy = f_proxy(_core.Future(), timeout=timeout)
    with pytest.raises(TimeoutError):
        use(proxy)
    assert not proxy.done(), "and that is all"
    proxy.cancel()


@every_use
def test_the_exception_comes_out_of_every_use(use: Callable[[Any], Any]) -> None:
    error = SomeError()
    with pytest.raises(SomeError) as caught:
        use(f_proxy(f_return_error(error)))
    assert caught.value is error
    with pytest.raises(CancelledError):
        use(f_proxy(f_return_cancelled()))


@every_use
def test_an_attribute_error_that_is_the_exception_comes_out_as_itself(use: Callable[[Any], Any]) -> None:
    error = AttributeError("of the future")
    proxy = f_proxy(f_return_error(error))
    if use is USES["hasattr"]:
        assert use(proxy) is False
        return
    with pytest.raises(AttributeError) as caught:
        use(proxy)
    assert caught.value is error


@pytest.mark.parametrize("timeout", [None, 0, 5, 1e9], ids=repr)
def test_a_timeout_is_nothing_to_one_that_is_done(timeout: float | None) -> None:
    proxy = f_proxy(f_return([1]), timeout=timeout)
    assert (len(proxy), proxy[0], proxy.copy()) == (1, 1, [1])


def test_it_waits_for_its_result() -> None:
    source: Future[Any] = _core.Future()
    proxies = f_proxy(source), f_proxy(source, timeout=PATIENCE), f_proxy(source, timeout=None)
    uses = [lambda p: len(p), lambda p: p.upper(), lambda p: p + "!"]
    threads = [InThread(use, proxy) for proxy in proxies for use in uses]
    assert all(thread.is_alive() for thread in threads)
    source.set_result("ab")
    assert [thread.outcome() for thread in threads] == [2, "AB", "ab!"] * 3


def test_the_timeout_of_result_is_its_own() -> None:
    proxy = f_proxy(_core.Future(), timeout=0)
    with pytest.raises(TimeoutError):
        proxy.result(0.001)
    assert InThread(lambda: said(proxy, 0)).outcome() is TimeoutError
    waiting = InThread(lambda: said(proxy))
    proxy.set_result(5)
    assert waiting.outcome() == 5


def test_a_copy_is_another_name_for_the_result() -> None:
    proxy = of([1])
    assert proxy.copy() == [1]
    assert proxy.copy() is not proxy.result()
