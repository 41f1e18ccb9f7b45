"""`Executors` and the modules: every name where it belongs, every signature, and names that travel down chains."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from math import inf
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from support import CHILD_PATIENCE, PATIENCE

import more_executors
from more_executors import Executors, SyncExecutor, f_return

FUTURES = [
    *("f_return", "f_return_error", "f_return_cancelled", "f_map", "f_flat_map", "f_zip", "f_sequence", "f_traverse"),
    *("f_apply", "f_and", "f_or", "f_nocancel", "f_timeout", "f_proxy"),
]
PUBLIC = {
    "poll": ["PollExecutor", "PollDescriptor"],
    "map": ["MapExecutor"],
    "flat_map": ["FlatMapExecutor"],
    "retry": ["RetryExecutor", "RetryPolicy", "ExceptionRetryPolicy"],
    "timeout": ["TimeoutExecutor"],
    "throttle": ["ThrottleExecutor"],
    "cancel_on_shutdown": ["CancelOnShutdownExecutor"],
    "sync": ["SyncExecutor"],
    "asyncio": ["AsyncioExecutor"],
    "futures": FUTURES,
}
MODULES = pytest.mark.parametrize("module", PUBLIC)


# -- modules ------------------------------------------------------------------------------------------------------


@MODULES
def test_a_submodule_has_its_names_and_says_so_and_the_package_has_them_too(module: str) -> None:
    found = importlib.import_module(f"more_executors.{module}")
    assert sorted(found.__all__) == sorted(PUBLIC[module])
    for name in PUBLIC[module]:
        assert getattr(found, name) is getattr(more_executors, name)


def test_the_package_says_what_it_has() -> None:
    names = [name for module in PUBLIC.values() for name in module]
    assert sorted(more_executors.__all__) == sorted([*names, "Executors", "futures"])
    namespace: dict[str, Any] = {}
    exec("from more_executors import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(more_executors.__all__)


@MODULES
def test_importing_the_package_makes_every_submodule_reachable(module: str) -> None:
    code = f"import more_executors; assert more_executors.{module}.__name__ == 'more_executors.{module}'"
    run_alone(code)


@MODULES
def test_a_submodule_can_be_imported_alone_and_has_all_its_names(module: str) -> None:
    run_alone(f"from more_executors.{module} import {', '.join(PUBLIC[module])}")


def run_alone(code: str) -> None:
    found = str(Path(more_executors.__file__).parent.parent)
    command = [sys.executable, "-I", "-W", "error", "-c", f"import sys; sys.path.append({found!r}); {code}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_PATIENCE)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("name", [name for module in PUBLIC.values() for name in module])
def test_everything_public_says_where_it_lives_so_that_it_can_be_found(name: str) -> None:
    thing = getattr(more_executors, name)
    assert thing.__module__.startswith("more_executors")
    assert thing.__name__ == name
    assert inspect.getdoc(thing)


# -- signatures ---------------------------------------------------------------------------------------------------

SIGNATURES = {
    "PollExecutor": "delegate, poll_fn, cancel_fn=None, default_interval=5.0, logger=None, name='default'",
    "Executors.with_poll": (
        "executor, poll_fn, cancel_fn=None, default_interval=5.0, logger=None, name=None, **options"
    ),
    "RetryExecutor": "delegate, retry_policy=None, logger=None, name='default', **kwargs",
    "MapExecutor": "delegate, fn=None, logger=None, name='default', *, error_fn=None",
    "FlatMapExecutor": "delegate, fn=None, logger=None, name='default', *, error_fn=None",
    "ThrottleExecutor": "delegate, count, logger=None, name='default', block=False",
    "TimeoutExecutor": "delegate, timeout, logger=None, name='default'",
    "CancelOnShutdownExecutor": "delegate, logger=None, name='default'",
    "AsyncioExecutor": "delegate, loop=None, logger=None, name='default'",
    "SyncExecutor": "logger=None, name='default'",
    "RetryPolicy.should_retry": "self, attempt, future",
    "RetryPolicy.sleep_time": "self, attempt, future",
    "ExceptionRetryPolicy": "*, max_attempts=3, exponent=2.0, sleep=1.0, max_sleep=120, exception_base=Exception",
    "Executors.sync": "logger=None, name='default'",
    "Executors.thread_pool": "*args, **kwargs",
    "Executors.threadpool": "*args, **kwargs",
    "Executors.process_pool": "*args, **kwargs",
    "Executors.bind": "executor, fn",
    "Executors.flat_bind": "executor, fn",
}


def stripped(function: Any) -> inspect.Signature:
    """The signature without annotations, and without the mark of what is by position only."""
    parameters = [
        p.replace(annotation=p.empty, kind=p.POSITIONAL_OR_KEYWORD if p.kind is p.POSITIONAL_ONLY else p.kind)
        for p in inspect.signature(function).parameters.values()
    ]
    return inspect.Signature(parameters)


def found_by(path: str) -> Any:
    thing: Any = more_executors
    for name in path.split("."):
        thing = getattr(thing, name)
    return thing


@pytest.mark.parametrize("path", SIGNATURES)
def test_signatures_are_those_programs_rely_on(path: str) -> None:
    expected = stripped(eval(f"lambda {SIGNATURES[path]}: None"))
    found = stripped(found_by(path))
    if path == "PollExecutor":
        found = found.replace(parameters=[p for p in found.parameters.values() if p.kind is not p.KEYWORD_ONLY])
    assert str(found) == str(expected)


CLASS_OF = {
    "with_poll": "PollExecutor",
    "with_retry": "RetryExecutor",
    "with_map": "MapExecutor",
    "with_flat_map": "FlatMapExecutor",
    "with_throttle": "ThrottleExecutor",
    "with_timeout": "TimeoutExecutor",
    "with_cancel_on_shutdown": "CancelOnShutdownExecutor",
    "with_asyncio": "AsyncioExecutor",
}
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "with_poll": (lambda descriptors: inf,),
    "with_throttle": (1,),
    "with_timeout": (60,),
}
METHODS = pytest.mark.parametrize("method", CLASS_OF)


@METHODS
def test_each_with_method_takes_what_its_class_takes_in_the_same_order(method: str) -> None:
    ours = list(stripped(getattr(Executors, method)).parameters.values())
    theirs = list(stripped(getattr(more_executors, CLASS_OF[method])).parameters.values())
    assert ours[0].name == "executor"
    if method == "with_poll":  # what goes beyond is handed on
        assert ours.pop().kind is inspect.Parameter.VAR_KEYWORD
        theirs = [p for p in theirs if p.kind is not p.KEYWORD_ONLY]
    assert [p.name for p in ours[1:]] == [p.name for p in theirs[1:]]
    for our, their in zip(ours[1:], theirs[1:], strict=True):
        assert our.kind == their.kind
        assert our.default == their.default or our.name == "name"


# -- chaining -----------------------------------------------------------------------------------------------------


def chained(base: Any, method: str, **keywords: Any) -> Any:
    return getattr(base, method)(*ARGUMENTS.get(method, ()), **keywords)


BASES = pytest.mark.parametrize("base", ["sync", "thread_pool", *(m for m in CLASS_OF if m != "with_asyncio")])


def based(base: str) -> Any:
    """An executor of the kind `base`, called "base"."""
    if base == "thread_pool":
        return Executors.thread_pool(1, name="base")
    lowest = SyncExecutor(name="base")
    return lowest if base == "sync" else chained(lowest, base)


@BASES
@METHODS
def test_every_executor_has_every_with_method_and_passes_its_name_on(base: str, method: str) -> None:
    with chained(based(base), method) as upper:
        assert type(upper) is getattr(more_executors, CLASS_OF[method])
        assert isinstance(upper, Executor)
        assert label(upper) == "base"


@BASES
@METHODS
@pytest.mark.parametrize("name", ["given", "default"])
def test_a_name_that_is_given_wins_also_the_default_one(base: str, method: str, name: str) -> None:
    with chained(based(base), method, name=name) as upper:
        assert label(upper) == name


def label(executor: Any) -> str:
    """The name that labels the metrics of `executor`."""
    return str(executor._record.labels[1])


@BASES
@pytest.mark.parametrize("method", [*CLASS_OF, "bind", "flat_bind"])
def test_each_is_the_classmethod_of_executors_with_the_executor_as_first_argument(
    base: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No mock, which would be a class that lives for ever in free-threaded Python 3.13, with what it was called with.
    with based(base) as executor:
        monkeypatch.setattr(Executors, method, lambda *args, **kwargs: (args, kwargs))
        assert getattr(executor, method)(1, two=2) == ((executor, 1), {"two": 2})


@METHODS
def test_a_class_that_is_patched_in_its_module_is_the_one_that_is_made(method: str) -> None:
    name = CLASS_OF[method]
    with mock.patch(f"more_executors.{method.removeprefix('with_')}.{name}") as patched:
        assert chained(SyncExecutor(), method) is patched.return_value
    patched.assert_called_once()


@pytest.mark.parametrize("method", [*CLASS_OF, "bind", "flat_bind"])
def test_an_asyncio_executor_is_the_last_of_a_chain(method: str) -> None:
    with Executors.sync().with_asyncio() as executor:
        assert not hasattr(executor, method)


@METHODS
def test_executors_chains_onto_what_is_not_ours_with_the_default_name(method: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        upper = getattr(Executors, method)(pool, *ARGUMENTS.get(method, ()))
        assert label(upper) == "default"
        upper.shutdown()


@METHODS
def test_what_is_no_executor_and_what_is_no_name_raises_a_type_error(method: str) -> None:
    with pytest.raises(TypeError, match="42"):
        getattr(Executors, method)(42, *ARGUMENTS.get(method, ()))
    with pytest.raises(TypeError, match="name must be a str, not 42"):
        chained(SyncExecutor(), method, name=42)


@pytest.mark.parametrize("kind", ["Poll", "Retry", "Throttle", "Timeout"])
@pytest.mark.parametrize("name", [None, "base"])
def test_the_name_ends_the_name_of_the_thread_which_is_a_daemon(kind: str, name: str | None) -> None:
    base: Any = SyncExecutor() if name is None else SyncExecutor(name=name)
    before = set(threading.enumerate())
    upper = chained(base.with_map(str), f"with_{kind.lower()}")
    (thread,) = set(threading.enumerate()) - before
    assert thread.name == f"{kind}Executor-{name or 'default'}"
    assert thread.daemon
    upper.shutdown()


# -- the base of a chain ------------------------------------------------------------------------------------------


def thread_name() -> str:
    return threading.current_thread().name


@pytest.mark.parametrize("make", [Executors.thread_pool, Executors.threadpool])
def test_the_name_of_a_thread_pool_ends_the_names_of_its_threads(make: Callable[..., Any]) -> None:
    for keywords, start in (
        ({"name": "own"}, "ThreadPoolExecutor-own"),
        ({"name": "own", "thread_name_prefix": "mine"}, "mine"),
    ):
        with make(max_workers=1, **keywords) as pool:
            assert isinstance(pool, ThreadPoolExecutor)
            assert pool.submit(thread_name).result(PATIENCE) == f"{start}_0"
    with make(1, name="default") as pool:
        assert not pool.submit(thread_name).result(PATIENCE).startswith("ThreadPoolExecutor-default")


def test_a_process_pool_takes_a_name_and_passes_it_on() -> None:
    pool = Executors.process_pool(1, name="own")
    assert isinstance(pool, ProcessPoolExecutor)
    with pool.with_map(str) as upper:
        assert label(upper) == "own"
        assert hasattr(pool, "flat_bind")


def test_executors_may_be_subclassed_and_instances_do_as_well() -> None:
    class Mine(Executors):
        pass

    for where in (Mine, Mine()):
        with where.with_map(where.sync(name="own"), str) as upper:
            assert upper.submit(int).result(0) == "0"
            assert label(upper) == "own"


def test_the_name_of_an_executor_that_is_not_ours_is_nobodys_business() -> None:
    class Named:
        _name = 5

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return f_return(fn(*args, **kwargs))

    with Executors.with_map(Named(), str) as executor:  # type: ignore[arg-type]
        assert executor._name == "default"
