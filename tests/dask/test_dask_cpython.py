"""CPython's own tests of executors, run over calls that the workers of a Dask cluster make."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from typing import Any

import cpython
import pytest

pytest.importorskip("distributed")

MODULES, MISSING = cpython.load()

pytestmark = pytest.mark.skipif(not MODULES, reason=MISSING or "-")

HERE = "its calls change what is in this process, or wait for that"
OF_A_POOL = "looks at the threads that a pool has for its calls"
AT_EXIT = "has a call print, which a worker does elsewhere, and the end of the interpreter waits for no call"
# What is not run, and why.
EXCLUDED = {
    "test_map_submits_without_iteration": HERE,
    "test_executor_map_current_future_cancel": HERE,
    "test_pending_calls_race": HERE,
    "test_saturation": HERE,
    "test_threads_terminate": HERE,
    "test_default_workers": OF_A_POOL,
    "test_idle_thread_reuse": OF_A_POOL,
    "test_max_workers_negative": OF_A_POOL,
    "test_thread_names_assigned": OF_A_POOL,
    "test_thread_names_default": OF_A_POOL,
    "test_interpreter_shutdown": AT_EXIT,
    "test_hang_gh83386": AT_EXIT,
    "test_hang_issue39205": AT_EXIT,
    "test_cancel_futures_wait_false": "always takes a pool, and has a call print",
    "test_process_fork_from_a_threadpool": "forks, in a call that refers to the test, for what pools have",
    "test_hang_global_shutdown_lock": "forks fifty times, for a lock that pools have",
    "test_cancel_futures": "nothing may have begun yet",
    "test_zero_timeout": "takes 2 s, and `as_completed` is the standard library's",
    "test_map_timeout": "takes 5 s, and `map` is the standard library's",
}
if any(hasattr(case, "create_event") for case in cpython.test_cases(MODULES).values()):  # from 3.13.1 on
    waiting = ("completed", "completed_some_already_completed")
    waiting += ("exception", "exception_one_already_failed", "exception_some_already_complete")
    EXCLUDED.update(dict.fromkeys(("test_timeout", *(f"test_first_{name}" for name in waiting)), HERE))
if sys.version_info < (3, 12):
    EXCLUDED["test_timeout"] = "takes 5 s; later it does not"
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    # What a thread made that waits is freed by the next collection, and none begins while another thread makes one.
    EXCLUDED["test_free_reference"] = "collects once, perhaps while Dask does; see `test_nothing_keeps_a_result`"
# Of futures alone, and of what pools are given for their threads.
OTHER_CASES = ("Future", "ThreadPoolInitializer", "ThreadPoolFailingInitializer")


@pytest.fixture(scope="module", autouse=True)
def workers_know_the_tests(client: Any) -> Iterator[None]:
    client.run(cpython.look_where_told)
    cpython.dask_clients.append(client)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(cpython.DASK, client.scheduler.address)
        yield
    cpython.dask_clients.clear()


def test_the_tests_are_there() -> None:
    run = {test for case in CASES for test in dir(case) if test.startswith("test") and getattr(case, test)}
    assert len(CASES) == 4
    assert len(run) >= 18
    assert run.isdisjoint(EXCLUDED)


CASES = [
    cpython.ours(case, cpython.dask, lambda test, _: test in EXCLUDED, MODULES, __name__, in_haste=False)
    for name, case in cpython.test_cases(MODULES).items()
    if not name.startswith(OTHER_CASES)
]
globals().update({case.__name__: case for case in CASES})
