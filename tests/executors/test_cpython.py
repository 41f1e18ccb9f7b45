"""CPython's own tests of futures and thread pools, run over ours: what it promises of its futures holds for these."""

from __future__ import annotations

import sys

import cpython
import pytest

MODULES, MISSING = cpython.load()

pytestmark = pytest.mark.skipif(not MODULES, reason=MISSING or "-")

LATER = "looks at the threads of the pool at once, where the tasks get from the executor's own thread"
MEANWHILE = "goes through the set of the pool's threads, which grows while a thread of the executor submits to it"
# What is not run, and why: by test, for all executors ("") or for some of them.
EXCLUDED: dict[str, dict[str, str]] = {
    "test_exception_with_success": {"": "ends a future by writing its private fields"},
    "test_saturation": {"with_retry": LATER, "with_throttle": LATER},
    "test_cancel_futures": {"with_retry": "nothing may have begun yet", "with_throttle": "nothing may have begun yet"},
    "test_threads_terminate": {"with_retry": LATER, "with_throttle": LATER},
}
for test in ("test_shutdown_no_wait", "test_del_shutdown", "test_thread_names_assigned", "test_thread_names_default"):
    EXCLUDED[test] = dict.fromkeys(("with_retry", "with_throttle"), MEANWHILE)
AT_EXIT = "the end of the interpreter waits for no executor on top of a pool: what has not got to the pool is cancelled"
for test in ("test_interpreter_shutdown", "test_hang_gh83386", "test_hang_issue39205"):
    EXCLUDED[test] = dict.fromkeys(("with_retry", "with_throttle"), AT_EXIT)
ON_TOP = [executor.__name__ for executor in cpython.EXECUTORS if executor is not cpython.thread_pool]
EXCLUDED["test_cancel_futures_wait_false"] = dict.fromkeys(ON_TOP, "always takes a pool")
EXCLUDED["test_idle_thread_reuse"] = dict.fromkeys(ON_TOP, "a thread that ends a future of theirs is not idle yet")
EXCLUDED["test_hang_global_shutdown_lock"] = dict.fromkeys(ON_TOP, "forks fifty times, for a lock that pools have")
EXCLUDED["test_map_timeout"] = dict.fromkeys(ON_TOP, "takes 5 s, and `map` is the standard library's")
if not getattr(sys, "_is_gil_enabled", lambda: True)():
    # A reference that other threads have counted down is counted by the thread that made the object, when that runs.
    for test in ("test_del_shutdown", "test_thread_names_assigned", "test_thread_names_default"):
        EXCLUDED[test] = dict.fromkeys(ON_TOP, "sleeps until the threads of what it has made itself end")
if sys.version_info < (3, 12):
    EXCLUDED["test_timeout"] = dict.fromkeys(ON_TOP, "takes 5 s; later it does not")
OF_A_POOL = ("ThreadPoolFailingInitializerTest", "ThreadPoolFailingInitializerTests")  # look at `_broken` of a pool


# What is run of an executor that has no threads: all others need tasks that run beside the test, or look at workers.
WITHOUT_THREADS = (
    "test_submit",
    "test_submit_keyword",
    "test_map",
    "test_map_exception",
    "test_map_submits_without_iteration",
    "test_shutdown_race_issue12456",
    "test_no_stale_references",
    "test_free_reference",
    "test_run_after_shutdown",
    "test_no_timeout",
    "test_duplicate_futures",
    "test_correct_timeout_exception_msg",
    "test_20369",
    "test_all_completed",
)


def excluded(test: str, executor: str) -> bool:
    if executor == "sync" and test not in WITHOUT_THREADS:
        return True
    return bool({"", executor} & EXCLUDED.get(test, {}).keys())


def test_the_tests_are_there() -> None:
    assert "FutureTests" in CASES
    assert len(CASES) >= 4


CASES = cpython.test_cases(MODULES)


def make_all() -> None:
    for case in CASES.values():
        only_once = case.__name__ in ("FutureTests", *OF_A_POOL)
        for executor_type in cpython.EXECUTORS[:1] if only_once else cpython.EXECUTORS:
            made = cpython.ours(case, executor_type, excluded, MODULES, __name__)
            globals()[made.__name__] = made


make_all()
