"""In a forked child the parent's retries are cancelled without callbacks, and new ones work. The parent goes on."""

import os
import sys
import threading
import warnings

from more_executors import Executors, RetryPolicy

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is what this is about

called = []
go = threading.Event()
asked = threading.Semaphore(0)


class UntilGo(RetryPolicy):
    def should_retry(self, attempt, future):
        asked.release()
        return future.exception() is not None

    def sleep_time(self, attempt, future):
        return 0.01 if go.is_set() else 0.1


def fn():
    if not go.is_set():
        raise ValueError
    return "parent's"


executor = Executors.thread_pool(max_workers=1).with_retry(UntilGo())
chained = executor.with_map(str).with_flat_map(lambda result: Executors.sync().submit(str, result))
futures = [executor.submit(fn) for _ in range(5)] + [chained.submit(fn) for _ in range(5)]
for future in futures:
    future.add_done_callback(called.append)
for _ in futures:
    assert asked.acquire(timeout=10)

child = os.fork()
if child == 0:
    try:
        assert all(future.cancelled() for future in futures), futures
        assert called == [], "callbacks are the parent's to run"
        for dead in (executor, chained):
            try:
                dead.submit(int)
            except RuntimeError as error:
                assert "forked" in str(error), error
            else:
                raise AssertionError("submit in the child")
        with Executors.sync().with_retry(sleep=0) as new:
            errors = iter([ValueError(), ValueError()])

            def third_time():
                for error in errors:
                    raise error
                return "child's"

            assert new.submit(third_time).result(10) == "child's"
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(1)
    os._exit(0)

assert os.waitpid(child, 0)[1] == 0
assert not any(future.done() for future in futures)
go.set()
assert {future.result(10) for future in futures} == {"parent's"}
chained.shutdown()
assert len(called) == 10
