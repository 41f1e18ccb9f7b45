"""CPython's own tests of `concurrent.futures`, where they are installed, made to test ours.

They are in the package `test` of the standard library, which many installations leave out, or leave incomplete. An
environment variable, MORE_EXECUTORS_CPYTHON_TESTS, may name a folder to look for `test_concurrent_futures` in as well:
that of the sources of the same version of Python, `Lib/test`, or of a package that has them.

Programs that those tests start import this module, for `run_python` has them take their executors from here.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import importlib
import logging
import os
import subprocess
import sys
import threading
import time
import types
import unittest
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from typing import Any

import more_executors
from more_executors import Executors, _core

SUITE = "test.test_concurrent_futures"
PARTS = ("test_as_completed", "test_future", "test_init", "test_shutdown", "test_thread_pool", "test_wait")
HASTE = 3.0  # the tests sleep so many times too long


# -- our executors, made as theirs are ----------------------------------------------------------------------------


def resolve(descriptors: list[Any]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)
    return inf


def over(layer: Callable[[Any], Any], pool: Any) -> Any:
    """`layer(pool)`, which shows what tests look for in a pool."""
    executor = layer(pool)
    executor._threads = pool._threads
    executor._max_workers = pool._max_workers
    return executor


def thread_pool(*args: Any, **kwargs: Any) -> Any:
    return Executors.thread_pool(*args, **kwargs)


def sync(*args: Any, **kwargs: Any) -> Any:
    return Executors.sync()


def with_map(*args: Any, **kwargs: Any) -> Any:
    return over(Executors.with_map, thread_pool(*args, **kwargs))


def with_poll(*args: Any, **kwargs: Any) -> Any:
    return over(lambda pool: pool.with_poll(resolve), thread_pool(*args, **kwargs))


def with_retry(*args: Any, **kwargs: Any) -> Any:
    return over(lambda pool: pool.with_retry(max_attempts=1), thread_pool(*args, **kwargs))


def with_throttle(*args: Any, **kwargs: Any) -> Any:
    return over(lambda pool: pool.with_throttle(100), thread_pool(*args, **kwargs))


def with_timeout(*args: Any, **kwargs: Any) -> Any:
    return over(lambda pool: pool.with_timeout(600.0), thread_pool(*args, **kwargs))


def dask(*args: Any, **kwargs: Any) -> Any:
    """Of the client in `dask_clients`, or in a program that a test has started, of a client of its own."""
    from more_executors.dask import DaskExecutor

    executor: Any = DaskExecutor(dask_clients[0] if dask_clients else os.environ[DASK])
    executor._threads = [executor._dispatcher._sender, executor._dispatcher._resolver._thread]
    return executor


DASK = "MORE_EXECUTORS_TESTS_DASK"  # has the address of a scheduler, for programs that tests start
dask_clients: list[Any] = []

ThreadPoolExecutor = thread_pool  # to programs that take this one and no other
EXECUTORS = (thread_pool, sync, with_map, with_poll, with_retry, with_throttle, with_timeout)


# -- their tests --------------------------------------------------------------------------------------------------


def look_where_told() -> None:
    folder = os.environ.get("MORE_EXECUTORS_CPYTHON_TESTS")
    if folder:
        with contextlib.suppress(ImportError):
            importlib.import_module("test").__path__.append(folder)


look_where_told()


def load() -> tuple[list[types.ModuleType], str]:
    """The modules of the tests of this version of Python; if there are none, why."""
    try:
        suite = importlib.import_module(SUITE)
        for path in Path(suite.__file__ or "").parent.glob("test_*.py") if hasattr(suite, "__path__") else ():
            if path.stem in PARTS:
                importlib.import_module(f"{SUITE}.{path.stem}")
    except (ImportError, unittest.SkipTest) as error:
        return [], f"CPython's tests are not installed: {error} (see MORE_EXECUTORS_CPYTHON_TESTS in {__name__}.py)"
    return [module for name, module in sys.modules.items() if (name + ".").startswith(SUITE + ".")], ""


def test_cases(modules: list[types.ModuleType]) -> dict[str, type[unittest.TestCase]]:
    """The classes of tests of futures, and of thread pools."""
    found: dict[str, type[unittest.TestCase]] = {}
    for module in modules:
        for name, value in vars(module).items():
            wanted = name == "FutureTests" or name.startswith("ThreadPool")
            if wanted and isinstance(value, type) and issubclass(value, unittest.TestCase):
                found[name] = value
    return found


def create_future(state: str = "PENDING", exception: BaseException | None = None, result: Any = None) -> Any:
    """What they have of the same name, with the means of an executor."""
    future = _core.Future[Any]()
    if state == "RUNNING":
        future.set_running_or_notify_cancel()
    elif state.startswith("CANCELLED"):
        future.cancel()
        if state == "CANCELLED_AND_NOTIFIED":
            future.set_running_or_notify_cancel()
    elif state == "FINISHED" and exception is not None:
        future.set_exception(exception)
    elif state == "FINISHED":
        future.set_result(result)
    return future


class Impatient(types.ModuleType):
    """The module `time` with a `sleep` that takes a part of the time, and no longer than the test."""

    def __init__(self) -> None:
        super().__init__("time")
        self.test_is_over = threading.Event()
        self.__dict__.update(vars(time))
        self.__dict__["sleep"] = self._sleep

    def _sleep(self, seconds: float) -> None:
        self.test_is_over.wait(seconds if seconds > 5 else seconds / HASTE)  # 6 s are for a timeout of 5 s


class Futures(types.ModuleType):
    """The module `concurrent.futures` with another `ThreadPoolExecutor`."""

    def __init__(self, executor_type: Any) -> None:
        super().__init__("concurrent.futures")
        self.ThreadPoolExecutor = executor_type

    def __getattr__(self, name: str) -> Any:
        return getattr(concurrent.futures, name)


def run_python(option: str, code: str) -> tuple[int, bytes, bytes]:
    """What they have as `assert_python_ok`, for programs whose executors are ours."""
    code = f"import cpython\n{code.replace('from concurrent.futures import', 'from cpython import')}"
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(more_executors.__file__).parent.parent)])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, option, code], capture_output=True, timeout=300, env=environment, check=True)
    return done.returncode, done.stdout, done.stderr


@contextlib.contextmanager
def testing(modules: list[types.ModuleType], executor_type: Any, in_haste: bool) -> Iterator[Callable[[], None]]:
    """Have the tests in `modules` test `executor_type` and our futures; gives what ends all sleep."""
    impatient = Impatient()
    instead: dict[str, Any] = {
        "Future": _core.Future,
        "futures": Futures(executor_type),
        "assert_python_ok": run_python,
        "time": impatient if in_haste else time,
        "create_future": create_future,
        "PENDING_FUTURE": create_future(),
        "RUNNING_FUTURE": create_future("RUNNING"),
        "CANCELLED_FUTURE": create_future("CANCELLED"),
        "CANCELLED_AND_NOTIFIED_FUTURE": create_future("CANCELLED_AND_NOTIFIED"),
        "EXCEPTION_FUTURE": create_future("FINISHED", exception=OSError()),
        "SUCCESSFUL_FUTURE": create_future("FINISHED", result=42),
    }
    logger, to_stderr = logging.getLogger("concurrent.futures"), logging.lastResort  # as where nobody else listens
    assert to_stderr is not None
    before = [(module, name, vars(module)[name]) for module in modules for name in instead if name in vars(module)]
    for module, name, _ in before:
        setattr(module, name, instead[name])
    try:
        logger.addHandler(to_stderr)
        logger.propagate = False
        yield impatient.test_is_over.set
    finally:
        logger.removeHandler(to_stderr)
        logger.propagate = True
        for module, name, value in before:
            setattr(module, name, value)


class Ours:
    """Comes before a class of tests of CPython's, and has it test what is ours."""

    executor_type: Any = None
    tested: list[types.ModuleType]
    in_haste: bool

    def setUp(self: Any) -> None:
        replaced = testing(self.tested, self.executor_type, self.in_haste)
        self.end_sleep = replaced.__enter__()
        self.addCleanup(replaced.__exit__, None, None, None)
        super().setUp()

    def tearDown(self: Any) -> None:
        self.end_sleep()
        super().tearDown()


def ours(
    case: type[unittest.TestCase],
    executor_type: Any,
    excluded: Callable[[str, str], bool],
    modules: list[types.ModuleType],
    collected_in: str,
    in_haste: bool = True,
) -> Any:
    """The class of tests, of what `executor_type` makes, for the module `collected_in`."""
    name = executor_type.__name__
    body: dict[str, Any] = {test: None for test in dir(case) if test.startswith("test") and excluded(test, name)}
    body |= {"executor_type": staticmethod(executor_type), "__module__": collected_in}
    body |= {"tested": modules, "in_haste": in_haste}
    return types.new_class(f"{name}_{case.__name__}", (Ours, case), exec_body=lambda namespace: namespace.update(body))
