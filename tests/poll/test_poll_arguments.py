"""What PollExecutor makes of its arguments, good and bad, and what submit passes on."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from decimal import Decimal
from math import inf, nan
from typing import Any
from unittest import mock

import pytest
from support import FOREVER, PATIENCE, DuckDelegate, PollSleeps, RecordingPoll, polling, returning

from more_executors import Executors, PollDescriptor, PollExecutor, SyncExecutor


class SubmitsNothing:
    submit = "no function"

    def __repr__(self) -> str:
        return "<SubmitsNothing>"


def made(**arguments: Any) -> None:
    """Make a PollExecutor of good arguments but for these, and end it."""
    good: dict[str, Any] = {"delegate": SyncExecutor(), "poll_fn": returning()}
    PollExecutor(**{**good, **arguments}).shutdown()


HIGH_VOLUME = {
    "min_interval": None,
    "batch_size": None,
    "group_by": None,
    "max_concurrency": 1,
    "rate_limit": None,
    "retry_policy": None,
    "schedule": None,
    "timeout": None,
    "cancel_many_fn": None,
    "journal": None,
    "keys": None,
    "open_fn": None,
    "close_fn": None,
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("delegate", None),
        ("delegate", 42),
        ("delegate", SubmitsNothing()),
        ("poll_fn", None),
        ("poll_fn", "poll"),
        ("cancel_fn", 42),
        ("cancel_fn", False),
        ("default_interval", None),
        ("default_interval", "5"),
        ("default_interval", 5j),
        ("logger", 42),
        ("logger", "PollExecutor"),
        ("name", None),
        ("name", b"bytes"),
    ],
    ids=repr,
)
def test_an_argument_of_the_wrong_type_raises_a_type_error_with_its_name_and_value(name: str, value: object) -> None:
    with pytest.raises(TypeError) as raised:
        made(**{name: value})
    assert name in str(raised.value)
    assert repr(value) in str(raised.value)


@pytest.mark.parametrize("value", [-1, -0.001, -inf, nan, -(10**400)], ids=lambda value: str(value)[:8])
def test_a_default_interval_that_is_no_time_raises_a_value_error_with_its_name_and_value(value: float) -> None:
    with pytest.raises(ValueError) as raised:
        made(default_interval=value)
    assert "default_interval" in str(raised.value)
    assert repr(value) in str(raised.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(3, 3.0), (0.25, 0.25), (Decimal("0.5"), 0.5), (True, 1.0), (inf, FOREVER), (1e300, FOREVER), (10**400, FOREVER)],
    ids=lambda value: str(value)[:8],
)
def test_a_default_interval_may_be_any_number_of_seconds(
    monkeypatch: pytest.MonkeyPatch, value: float, seconds: float
) -> None:
    sleeps = PollSleeps(monkeypatch)
    with PollExecutor(SyncExecutor(), returning(None), default_interval=value):
        assert sleeps.next() == seconds


@pytest.mark.parametrize("value", [0, 0.0, -0.0, False])
def test_a_default_interval_of_zero_polls_without_a_pause(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    sleeps, poll = PollSleeps(monkeypatch), returning(*[None] * 5)
    calls: list[Any] = []
    with PollExecutor(SyncExecutor(), lambda ds: [calls.append(ds), poll(ds)][1], default_interval=value):
        assert sleeps.next() == FOREVER
        assert len(calls) == 6


def test_an_executor_whose_thread_cannot_start_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as context:
        context.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            made()
    made()


@pytest.mark.parametrize(
    ("function", "signature"),
    [
        (PollExecutor, "(delegate, poll_fn, cancel_fn=None, default_interval=5.0, logger=None, name='default')"),
        (PollExecutor.submit, "(self, fn, /, *args, **kwargs)"),
        (PollExecutor.shutdown, "(self, wait=True, *, cancel_futures=False)"),
        (PollExecutor.notify, "(self)"),
        (
            Executors.with_poll,
            "(executor, poll_fn, cancel_fn=None, default_interval=5.0, logger=None, name=None)",
        ),
    ],
    ids=["PollExecutor", "submit", "shutdown", "notify", "with_poll"],
)
def test_signatures_are_those_programs_rely_on(function: Callable[..., Any], signature: str) -> None:
    found = inspect.signature(function)
    beyond = set(HIGH_VOLUME) if function is PollExecutor else {"options"} if function == Executors.with_poll else set()
    bare = [p.replace(annotation=p.empty) for name, p in found.parameters.items() if name not in beyond]
    assert str(found.replace(parameters=bare, return_annotation=found.empty)) == signature


def test_what_is_for_high_volume_is_by_keyword_only_and_off_by_default() -> None:
    parameters = inspect.signature(PollExecutor).parameters
    assert {name: parameters[name].default for name in HIGH_VOLUME} == HIGH_VOLUME
    assert {parameters[name].kind for name in HIGH_VOLUME} == {inspect.Parameter.KEYWORD_ONLY}


def test_descriptor_methods_take_their_arguments_by_name() -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        futures = [executor.submit(str, key) for key in "ab"]
        first, second = poll.next_with(["a", "b"])
        first.yield_result(result=1)
        second.yield_exception(exception=ValueError(), traceback=None)
        assert futures[0].result(0) == 1
        assert type(futures[1].exception(0)) is ValueError


@pytest.mark.parametrize(
    "base", [SyncExecutor, lambda: Executors.thread_pool(1), lambda: SyncExecutor().with_poll(resolving)]
)
@pytest.mark.parametrize("name", ["self", "fn", "args", "kwargs", "executor", "delegate", "timeout", "wait", "cls"])
def test_every_keyword_gets_to_the_callable(base: Callable[[], Any], name: str) -> None:
    def keywords(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    with base().with_poll(resolving) as executor:
        future = executor.submit(keywords, 1, **{name: "value"})
        assert future.result(10) == ((1,), {name: "value"})


def resolving(descriptors: list[Any]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)
    return inf


def test_submit_wants_a_callable_and_leaves_it_to_the_delegate_to_say_so() -> None:
    with PollExecutor(SyncExecutor(), resolving) as executor:
        with pytest.raises(TypeError):
            executor.submit()  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            executor.submit(fn=int)  # type: ignore[call-arg]
        assert type(executor.submit(42).exception(10)) is TypeError  # type: ignore[arg-type]
    delegate = DuckDelegate()
    with PollExecutor(delegate, resolving) as executor:
        executor.submit(42)  # type: ignore[arg-type]
        assert delegate.submitted == [(42, (), {})]
        delegate.given[0].end(error=TypeError())


def test_descriptors_are_not_made_by_hand() -> None:
    with pytest.raises(TypeError, match="PollDescriptor"):
        PollDescriptor()


def test_a_mock_is_a_poll_function() -> None:
    called = threading.Event()
    poll_fn = mock.Mock(return_value=None, side_effect=lambda _: called.set())
    with PollExecutor(SyncExecutor(), poll_fn, mock.Mock()):
        assert called.wait(PATIENCE)


def test_a_minimum_interval_that_never_ends_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^min_interval must be finite, not inf$"):
        PollExecutor(SyncExecutor(), RecordingPoll(), min_interval=inf)


async def open_something() -> None:
    """An `async def`, as these have to be."""


@pytest.mark.parametrize("hook", ["open_fn", "close_fn"])
@pytest.mark.parametrize("value", [42, returning(), threading.Event().set], ids=["number", "function", "method"])
def test_a_hook_that_is_no_async_def_is_refused_with_its_name_and_value(hook: str, value: Any) -> None:
    with pytest.raises(TypeError, match=hook) as raised:
        made(cancel_fn=open_something, **{hook: value})
    assert repr(value) in str(raised.value)


@pytest.mark.parametrize("hook", ["open_fn", "close_fn"])
def test_a_hook_that_nothing_would_await_is_refused(hook: str) -> None:
    with pytest.raises(
        ValueError, match=rf"^{hook} is awaited where one of poll_fn, cancel_fn or cancel_many_fn is an"
    ):
        made(**{hook: open_something})
