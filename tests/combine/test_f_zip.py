"""f_zip, f_sequence and f_traverse: all results of many futures."""

from __future__ import annotations

import pickle
import random
import traceback
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from support import EVERY_KIND, PATIENCE, FutureKind, InThread, SomeError, is_gone, kind_fixture, said

from more_executors import Executors, _core, f_return, f_return_error, f_sequence, f_traverse, f_zip

kind = kind_fixture(EVERY_KIND)

Gather = Callable[[list[Any]], Future[Any]]


def zipped(inputs: list[Any]) -> Future[Any]:
    return f_zip(*inputs)


def traversed(inputs: list[Any]) -> Future[Any]:
    return f_traverse(lambda index: inputs[index], range(len(inputs)))


every_gather = pytest.mark.parametrize(
    "gather", [zipped, f_sequence, traversed], ids=["f_zip", "f_sequence", "f_traverse"]
)
before_or_after = pytest.mark.parametrize("before", [True, False], ids=["done before", "done after"])


# -- what comes out ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(20))
def test_up_to_nineteen_results_are_a_named_tuple(count: int) -> None:
    results = f_zip(*map(f_return, range(count))).result(0)
    assert results == tuple(range(count))
    assert isinstance(results, tuple)
    assert type(results).__name__ == f"ZipTuple{count}"
    assert type(results)._fields == tuple(f"f{index}" for index in range(count))
    assert [getattr(results, f"f{index}") for index in range(count)] == list(range(count))
    assert type(results) is type(f_zip(*map(f_return, range(count))).result(0)), "one type for each length"


def test_it_shows_its_fields() -> None:
    assert repr(f_zip(f_return(0), f_return("a")).result(0)) == "ZipTuple2(f0=0, f1='a')"
    assert repr(f_zip().result(0)) == "ZipTuple0()"


def test_a_named_tuple_of_results_can_be_pickled() -> None:
    results = f_zip(f_return(0), f_return("a")).result(0)
    assert type(pickle.loads(pickle.dumps(results))) is type(results)


@pytest.mark.parametrize("count", [20, 21, 1000])
def test_twenty_results_and_more_are_a_plain_tuple(count: int) -> None:
    results = f_zip(*map(f_return, range(count))).result(0)
    assert type(results) is tuple
    assert results == tuple(range(count))


def test_without_inputs_it_is_done_at_once_and_empty() -> None:
    assert f_zip().result(0) == ()
    assert (f_sequence([]).result(0), type(f_sequence([]).result(0))) == ([], list)
    assert f_traverse(f_return, []).result(0) == []


@pytest.mark.parametrize(
    "iterable",
    [
        lambda fs: fs,
        tuple,
        iter,
        lambda fs: (future for future in fs),
        lambda fs: dict.fromkeys(fs),
        lambda fs: dict(enumerate(fs)).values(),
    ],
    ids=["list", "tuple", "iterator", "generator", "dict", "dict view"],
)
def test_any_iterable_will_do(iterable: Any) -> None:
    assert f_sequence(iterable([f_return(1), f_return(2)])).result(0) == [1, 2]
    assert f_traverse(lambda future: future, iterable([f_return(1), f_return(2)])).result(0) == [1, 2]


def test_the_list_of_inputs_is_the_callers_to_change() -> None:
    source: Future[Any] = Future()
    inputs = [f_return(1), source]
    future = f_sequence(inputs)
    inputs.clear()
    source.set_result(2)
    assert future.result(0) == [1, 2]


@every_gather
@before_or_after
def test_results_are_in_the_order_of_inputs(kind: FutureKind, gather: Gather, before: bool) -> None:
    inputs = [kind.pending() for _ in range(5)]
    future = None if before else gather(inputs)
    for index in (3, 0, 4, 2, 1):
        assert future is None or not future.done()
        kind.finish(inputs[index], index)
    future = future or gather(inputs)
    assert list(future.result(0)) == [0, 1, 2, 3, 4]


@every_gather
def test_the_same_future_may_be_there_twice(kind: FutureKind, gather: Gather) -> None:
    source = kind.pending()
    future = gather([source, source])
    kind.finish(source, 1)
    assert list(future.result(0)) == [1, 1]


@every_gather
def test_results_that_are_false_or_futures_are_results_like_others(gather: Gather) -> None:
    inner = f_return_error(SomeError())
    assert list(gather([f_return(None), f_return(0), f_return(inner)]).result(0)) == [None, 0, inner]


@every_gather
def test_a_result_that_cannot_be_compared_is_no_matter(gather: Gather) -> None:
    from support import Hostile

    value = Hostile()
    assert gather([f_return(value), f_return(value)]).result(0)[1] is value


# -- failing -------------------------------------------------------------------------------------------------------


@every_gather
@before_or_after
def test_the_first_failure_decides_at_once_and_leaves_the_others_alone(
    kind: FutureKind, gather: Gather, before: bool
) -> None:
    inputs = [kind.pending() for _ in range(3)]
    error = SomeError()
    future = None if before else gather(inputs)
    kind.fail(inputs[1], error)
    future = future or gather(inputs)
    assert future.exception(0) is error
    assert not inputs[0].done()
    assert not inputs[2].done()
    kind.fail(inputs[0], ValueError())
    assert inputs[2].cancel() is True
    assert future.exception(0) is error
    assert future.cancel() is False


@every_gather
def test_once_failed_it_has_nothing_to_do_with_the_others(gather: Gather) -> None:
    inputs: list[Future[Any]] = [Future() for _ in range(3)]
    future = gather(inputs)
    inputs[0].set_exception(SomeError())
    inputs[1].cancel()
    assert not inputs[2].done()
    assert said(future, 0) is SomeError


@every_gather
def test_of_inputs_that_are_done_the_first_given_failure_decides(gather: Gather) -> None:
    first, second = SomeError(), SomeError()
    assert gather([f_return(), f_return_error(first), f_return_error(second)]).exception(0) is first


@every_gather
def test_the_exception_has_the_traceback_it_had(kind: FutureKind, gather: Gather) -> None:
    def failing() -> None:
        raise SomeError

    error: BaseException | None = InThread(lambda: f_traverse(lambda _: failing(), [1])).outcome().exception(0)
    assert error is not None
    before = error.__traceback__
    source = kind.pending()
    future = gather([f_return(1), gather([source])])
    kind.fail(source, error)
    assert future.exception(0) is error
    assert error.__traceback__ is before
    with pytest.raises(SomeError):
        future.result(0)
    assert traceback.extract_tb(error.__traceback__)[-1].name == "failing"


# -- f_sequence and f_traverse: functions and iterables that fail ------------------------------------------------


def test_the_function_is_called_once_for_each_in_order() -> None:
    calls: list[int] = []

    def call(x: int) -> Future[int]:
        calls.append(x)
        return f_return(x * x)

    assert f_traverse(call, iter([3, 1, 2])).result(0) == [9, 1, 4]
    assert calls == [3, 1, 2]


def test_a_function_that_raises_is_not_called_again_and_its_exception_is_the_futures() -> None:
    begun: list[Future[Any]] = []
    error = SomeError()

    def call(x: int) -> Future[Any]:
        if x == 2:
            raise error
        begun.append(_core.Future())
        return begun[-1]

    future = f_traverse(call, range(5))
    assert future.exception(0) is error
    assert traceback.extract_tb(error.__traceback__)[-1].name == "call"
    assert [source.done() for source in begun] == [False, False], "what it has begun goes on"


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_the_functions_interrupts_are_the_callers(error: type[BaseException]) -> None:
    def call(x: int) -> Future[Any]:
        raise error

    with pytest.raises(error):
        f_traverse(call, [1])


def broken() -> Iterator[Future[Any]]:
    yield f_return(1)
    raise SomeError


def test_an_iterable_that_breaks_off_makes_a_future_that_failed() -> None:
    assert said(f_sequence(broken()), 0) is SomeError
    assert said(f_traverse(f_return, broken()), 0) is SomeError


def test_what_cannot_be_iterated_makes_a_future_that_failed() -> None:
    assert said(f_sequence(5), 0) is TypeError  # type: ignore[arg-type]
    assert said(f_traverse(f_return, 5), 0) is TypeError  # type: ignore[arg-type]
    assert said(f_traverse(None, [5]), 0) is TypeError  # type: ignore[arg-type]


@every_gather
@pytest.mark.parametrize("value", [5, None, "text", object], ids=repr)
def test_what_is_no_future_is_refused_at_once_with_nothing_cancelled(gather: Gather, value: Any) -> None:
    source: Future[Any] = Future()
    with pytest.raises(TypeError) as caught:
        gather([source, value])
    name = {zipped: "f_zip", traversed: "f_traverse"}.get(gather, "f_sequence")
    assert name in str(caught.value)
    assert repr(value) in str(caught.value)
    assert not source.done()


# -- many ------------------------------------------------------------------------------------------------------------

MANY = 100_000


def many(gather: Gather) -> tuple[list[Future[Any]], Future[Any]]:
    inputs: list[Future[Any]] = [_core.Future() for _ in range(MANY)]
    return inputs, gather(inputs)


@every_gather
def test_a_hundred_thousand_may_succeed_in_any_order(gather: Gather) -> None:
    inputs, future = many(gather)
    order = list(range(MANY))
    random.Random(1).shuffle(order)
    for index in order:
        assert not future.done()
        inputs[index].set_result(index)
    assert list(future.result(0)) == list(range(MANY))


@every_gather
def test_a_hundred_thousand_that_are_done_are_done_at_once(gather: Gather) -> None:
    assert list(gather([f_return(index) for index in range(MANY)]).result(0)) == list(range(MANY))


@every_gather
def test_a_hundred_thousand_are_cancelled_by_the_output(gather: Gather) -> None:
    inputs, future = many(gather)
    assert future.cancel() is True
    assert all(source.cancelled() for source in inputs)


@every_gather
def test_a_hundred_thousand_are_cancelled_by_one_of_them(gather: Gather) -> None:
    inputs, future = many(gather)
    inputs[MANY // 2].cancel()
    assert future.cancelled()
    assert all(source.cancelled() for source in inputs)


def test_those_of_a_pool_will_do() -> None:
    with Executors.thread_pool(max_workers=2) as executor:
        assert f_traverse(lambda x: executor.submit(int, x), "1234").result(PATIENCE) == [1, 2, 3, 4]
        assert f_zip(executor.submit(int, 5), f_return(6)).result(PATIENCE) == (5, 6)


def test_after_a_failure_no_input_is_kept_because_another_one_is_pending() -> None:
    failing, pending, dropped = (_core.Future() for _ in range(3))
    zipped = f_zip(failing, pending, dropped)
    failing.set_exception(SomeError())
    assert zipped.done()
    reference = weakref.ref(dropped)
    del dropped
    assert is_gone(reference)
    assert not pending.done()
