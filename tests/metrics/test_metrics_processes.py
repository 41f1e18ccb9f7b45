"""What is exported to Prometheus of programs of several processes: through files, which any process reads."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import prometheus_client
import pytest
from exposition import Series, executors, futures, series_in, timeless
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from support import CHILD_PATIENCE, PATIENCE

from more_executors.metrics._files import MetricFiles
from more_executors.metrics._totals import Totals

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

# Where Python cannot ask the system how many threads there are, it counts those that it knows of, and does so after the
# fork: then the thread is there again.
GUESSES_THREADS = sys.platform == "linux" and not Path("/proc/self/stat").exists()
WARNINGS = ["-W", "error", *(["-W", "ignore:This process:DeprecationWarning"] if GUESSES_THREADS else [])]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def start(folder: Path, program: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    command = [sys.executable, *WARNINGS, "-c", textwrap.dedent(program), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment)


def run(folder: Path, program: str, *arguments: str, status: int = 0) -> str:
    """Run a program of many processes until its end; returns what it prints."""
    process = start(folder, program, *arguments)
    output, errors = process.communicate(timeout=CHILD_PATIENCE)
    assert (process.returncode, errors) == (status, "")
    return output


def scraped(folder: Path) -> str:
    registry = prometheus_client.CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return prometheus_client.generate_latest(registry).decode()
        except struct.error:  # it has met a file that is being made
            assert time.monotonic() < until
            pause()


def pause() -> None:
    """Leave the processor to those whose files are read."""
    threading.Event().wait(0.02)


def eventually(folder: Path, expected: Series, name: str = "books") -> None:
    """Wait until the series of `name` have these among them, or fail as they are."""
    until = time.monotonic() + PATIENCE
    while not (found := series(folder, name)).items() >= expected.items() and time.monotonic() < until:
        pause()
    assert {key: found.get(key) for key in expected} == expected


def wait_for(folder: Path, line: str) -> None:
    """Wait until `line` is among what is scraped."""
    until = time.monotonic() + PATIENCE
    while line not in (lines := scraped(folder).splitlines()):
        assert time.monotonic() < until, lines
        pause()


def series(folder: Path, name: str = "books") -> Series:
    return timeless(series_in(scraped(folder), name))


MAPS = """
    import sys
    from more_executors import Executors
    def use(name="books"):
        executor = Executors.sync(name=name).with_map(int)
        executor.submit(str, 1)
        executor.submit(str, "x")
        return executor
"""
MAPPED = executors("map", in_use=1) | executors("sync", in_use=1) | futures("map", 2, failed=1) | futures("sync", 2)
OVER = MAPPED | {"exec_inprogress map": 0, "exec_inprogress sync": 0}


def times(count: int, once: Series) -> Series:
    return {key: count * value for key, value in once.items()}


def test_all_that_one_process_has_is_there(folder: Path) -> None:
    program = """
        import time
        from prometheus_client import REGISTRY, generate_latest
        from more_executors import Executors, RateLimit, f_return, f_zip
        from more_executors.poll import PollExecutor
        def poll(descriptors):
            for descriptor in descriptors:
                descriptor.yield_result(1)
        chain = Executors.thread_pool(name="books").with_retry(max_attempts=2, sleep=0).with_map(str)
        chain = chain.with_flat_map(f_return).with_poll(poll).with_throttle(2).with_timeout(60)
        with chain.with_cancel_on_shutdown() as executor:
            for argument in "x123":
                executor.submit(int, argument)
        with PollExecutor(Executors.sync(name="slow"), poll, name="slow", rate_limit=RateLimit(5)) as slow:
            slow.submit(int).result()
        f_zip(f_return(1))
        print(generate_latest(REGISTRY).decode())
    """
    printed = run(folder, program)
    found = scraped(folder)
    for name in ("books", "slow", "default", "none"):
        here = timeless(series_in(printed, name))
        assert here
        here.pop("poll_rate_limit", None)
        in_use = {key for key in here if "_inprogress" in key}
        assert timeless(series_in(found, name)) == here | dict.fromkeys(in_use, 0)
    buckets = [line for line in printed.splitlines() if "_bucket{" in line or "_count{" in line]
    assert len(buckets) > 50
    assert set(buckets) - set(found.splitlines()) == set()
    assert "pid=" not in found


# ---------------------------------------------------------------------------------------- when it is written


def test_it_is_there_while_the_process_goes_on(folder: Path) -> None:
    program = (
        MAPS
        + """
    kept = use()
    print("begun", flush=True)
    sys.stdin.readline()
    kept.submit(str, 2)
    print("more", flush=True)
    sys.stdin.readline()
    """
    )
    with start(folder, program) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for expected in (MAPPED, MAPPED | futures("map", 3, failed=1) | futures("sync", 3)):
            process.stdout.readline()
            eventually(folder, expected)
            process.stdin.write("\n")
            process.stdin.flush()
        process.stdin.close()
        assert process.wait(CHILD_PATIENCE) == 0
    assert series(folder)["exec_inprogress map"] == 0


def test_gauges_of_what_is_gone_are_0(folder: Path) -> None:
    program = """
        import gc, sys, threading
        from more_executors import Executors
        from more_executors.rate_limit import RateLimit
        def poll(descriptors):
            for descriptor in descriptors:
                descriptor.report("running")
            return 60.0
        executor = Executors.sync(name="books").with_poll(poll)
        limited = Executors.with_poll(Executors.sync(name="books"), id, rate_limit=RateLimit(5))
        pending = executor.submit(int)
        print("begun", flush=True)
        sys.stdin.readline()
        pending.cancel()
        del executor, limited, pending
        while [thread for thread in threading.enumerate() if thread.name.startswith("PollExecutor-")]:
            # Without a GIL, what one of these had last goes away when the thread that made it runs again: this one.
            threading.Event().wait(0.01)
            gc.collect()
        gc.collect()
        print("gone", flush=True)
        sys.stdin.readline()
    """
    with start(folder, program) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        eventually(folder, {"poll_rate_limit": 5, "poll_outstanding": 1, "exec_inprogress poll": 2})
        by_state = 'more_executors_poll_outstanding_by_state{executor="books",state="running"} '
        wait_for(folder, by_state + "1.0")
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()
        eventually(folder, {"poll_rate_limit": 0, "poll_outstanding": 0, "exec_inprogress poll": 0})
        wait_for(folder, by_state + "0.0")
        process.stdin.close()
        assert process.wait(CHILD_PATIENCE) == 0


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("import threading; t = threading.Thread(target=lambda: use().submit(int)); t.start(); t.join()", 0),
        ("import atexit; atexit.register(lambda: Executors.sync(name='late').submit(int))", 0),
    ],
    ids=["by itself", "sys.exit", "with a thread", "with an exit function"],
)
def test_it_is_right_when_the_process_has_ended(folder: Path, end: str, status: int) -> None:
    run(folder, MAPS + f"\n    kept = use()\n    {end}\n", status=status)
    found = series(folder)
    if "target" in end:
        assert (found["exec_total map"], found["future_total map"]) == (2, 5)
    else:
        assert found == OVER
    if "atexit" in end:
        assert series(folder, "late") == executors("sync", in_use=0) | futures("sync", 1)


def test_what_is_pending_at_the_end_is_cancelled_and_counted(folder: Path) -> None:
    program = (
        MAPS
        + """
    from concurrent.futures import Future
    executor = Executors.sync(name="books").with_flat_map(lambda _: Future())
    pending = executor.submit(int)
    """
    )
    run(folder, program)
    assert series(folder).items() >= futures("flat_map", 1, cancelled=1).items()


def test_functions_alone_are_written_too(folder: Path) -> None:
    run(folder, "from more_executors import f_return; f_return(1); f_return(2)")
    assert series(folder, "none") == futures("return", 2)


# ------------------------------------------------------------------------------------------- several processes


def test_processes_add_up(folder: Path) -> None:
    for _ in range(3):
        run(folder, MAPS + "\n    kept = use()\n")
    assert series(folder) == times(3, OVER)


@needs_fork
@pytest.mark.parametrize("end", ["sys.exit()", "os._exit(0)"])
def test_a_forked_child_counts_what_is_its_own(folder: Path, end: str) -> None:
    program = (
        MAPS
        + f"""
    import os, warnings
    from concurrent.futures import Future
    from more_executors import f_map
    kept = use()
    pending = f_map(Future())
    children = []
    for _ in range(3):
        child = os.fork()
        if not child:
            own = use()
            if {end!r} == "os._exit(0)":
                from more_executors._runtime import lifecycle
                lifecycle._end_with_interpreter()
            {end}
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    more = use()
    """
    )
    run(folder, program)
    assert series(folder) == times(5, OVER)
    found = series(folder, "default")
    assert (found["future_total map"], found["future_inprogress map"]) == (1, 0)


@needs_fork
def test_a_forked_child_adds_nothing_while_it_goes_on(folder: Path) -> None:
    program = (
        MAPS
        + """
    import os
    kept = use()
    child = os.fork()
    if not child:
        own = use("own")
        while sys.stdin.readline():
            pass
        sys.exit()
    print("begun", flush=True)
    assert os.waitpid(child, 0)[1] == 0
    """
    )
    with start(folder, program) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        eventually(folder, MAPPED)
        eventually(folder, MAPPED, "own")
        assert series(folder) == series(folder, "own") == MAPPED
        process.stdin.close()
        assert process.wait(CHILD_PATIENCE) == 0
    assert series(folder) == series(folder, "own") == OVER


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_of_multiprocessing_count(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, method: str
) -> None:
    if method == "fork" and not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    program = textwrap.dedent(MAPS) + textwrap.dedent("""
        import multiprocessing
        if __name__ == "__main__":
            processes = [multiprocessing.get_context(sys.argv[1]).Process(target=use) for _ in range(2)]
            for process in processes:
                process.start()
            for process in processes:
                process.join()
                assert process.exitcode == 0
    """)
    path = tmp_path_factory.mktemp("program") / "program.py"
    path.write_text(program)
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    command = [sys.executable, *WARNINGS, str(path), method]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_PATIENCE, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert series(folder) == times(2, OVER)


def test_what_a_killed_process_had_in_use_is_not_added_once_that_is_said(folder: Path) -> None:
    program = (
        MAPS
        + """
    kept = use()
    print("begun", flush=True)
    sys.stdin.readline()
    """
    )
    with start(folder, program) as process:
        assert process.stdout is not None
        process.stdout.readline()
        eventually(folder, MAPPED)
        process.kill()
    assert series(folder)["exec_inprogress map"] == 1
    mark_process_dead(process.pid, str(folder))
    found = series(folder)
    assert "exec_inprogress map" not in found
    assert found["exec_total map"] == 1


# ----------------------------------------------------------------------------------------------- what goes wrong


def test_a_folder_that_is_missing_is_told_of_once_and_disturbs_nobody(folder: Path) -> None:
    program = MAPS + "\n    kept = use()\n    from more_executors._runtime import lifecycle\n    print('used')\n"
    process = start(folder / "missing", program)
    output, errors = process.communicate(timeout=CHILD_PATIENCE)
    assert (process.returncode, output) == (0, "used\n")
    assert errors.count("the metrics cannot be written") <= 1


def test_an_error_is_logged_once_until_it_works_again(caplog: pytest.LogCaptureFixture) -> None:
    failing = iter([True, True, False, True])

    def totals() -> dict[tuple[str, str], Totals]:
        if next(failing):
            raise OSError("disk full")
        return {}

    files = MetricFiles(totals, lambda: None)
    for _ in range(4):
        files.write()
    assert [record.message[:30] for record in caplog.records] == ["the metrics cannot be written "] * 2
    caplog.clear()


@needs_fork
def test_its_thread_is_not_there_while_it_forks_and_is_afterwards(folder: Path) -> None:
    program = """
        import os, threading
        def show():
            print([thread.name for thread in threading.enumerate()[1:]], flush=True)
        os.register_at_fork(before=show)  # called last, as it is registered first
        import more_executors
        show()
        child = os.fork()
        if child:
            os.waitpid(child, 0)
        show()
        if not child:
            os._exit(0)
    """
    there = "['more-executors-metrics']"
    assert run(folder, program).splitlines() == [there, "[]", there, there]


def test_without_the_variable_nothing_is_written_and_no_thread_started(folder: Path) -> None:
    program = MAPS + "\n    import threading\n    kept = use()\n    print(threading.active_count())\n"
    environment = {key: value for key, value in os.environ.items() if key.upper() != "PROMETHEUS_MULTIPROC_DIR"}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    assert subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder).stdout == "1\n"
    assert os.listdir(folder) == []


def test_in_a_forked_child_nobody_is_writing() -> None:
    files = MetricFiles(dict, lambda: None)
    assert files._lock.acquire(blocking=False)
    files._after_fork_in_child()
    files._stop_thread()
    assert files._lock.acquire(blocking=False)


def test_what_was_counted_for_a_moment_only_takes_nothing_back(caplog: pytest.LogCaptureFixture) -> None:
    found: dict[tuple[str, str], Totals] = {}
    files = MetricFiles(found.copy, lambda: None)
    for started in (5.0, 4.0, 4.0, 6.0):
        found["sync", "a name"] = totals = Totals(0.0)
        totals.counts["started"] = started
        files.write()
    assert files._metrics["more_executors_future"].labels("sync", "a name")._value.get() == 6
    assert not caplog.records
