"""What a task costs that is polled by shards: `python -m benchmarks.shard_costs`, two minutes, on Linux.

Processor time of the client and of its threads, of the workers, and of one poll executor in this process, in turns;
what processes take idle is subtracted, but not from the threads. All futures are waited for: by asking each for its
result, or by `wait` of the standard library; and as a measure of that, what it takes for its own futures, which a
thread ends. Then what the client takes with a journal, and the bytes of an outstanding task, which is known by an int:
those of that and of a place in a list of futures are counted in.
"""

from __future__ import annotations

import gc
import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from more_executors import Executors, Journal, PollExecutor

from .dask_calls import make_shard, started

TASKS, TURNS = 60_000, 4


def seconds_of(process: int | str) -> dict[int, float]:
    """The processor time of each of its threads."""
    found = {}
    for thread in Path(f"/proc/{process}/task").iterdir():
        try:
            found[int(thread.name)] = int((thread / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            continue
    return found


def used_in(processes: list[Any], run: Callable[[], object]) -> tuple[list[dict[int, float]], float]:
    """What each thread of each process has used meanwhile; and how long it took."""
    before, began = [seconds_of(process) for process in processes], time.perf_counter()
    run()
    after, took = [seconds_of(process) for process in processes], time.perf_counter() - began
    return [{t: a[t] - b.get(t, 0.0) for t in a} for a, b in zip(after, before, strict=True)], took


def results_of(futures: list[Any]) -> None:
    for future in futures:
        future.result()


def through(executor: Any, wait_for: Callable[[list[Any]], object], count: int) -> None:
    wait_for([executor.submit(started, number) for number in range(count)])


def print_processor_time(
    executor: Any, local: Any, workers: list[int], wait_for: Callable[[list[Any]], object]
) -> None:
    processes = ["self", *workers]
    for one in (executor, local):
        through(one, wait_for, TASKS // 4)
    for _ in range(TURNS):
        idle, second = used_in(processes, lambda: time.sleep(1))
        used, took = used_in(processes, lambda: through(executor, wait_for, TASKS))
        alone, took_alone = used_in(["self"], lambda: through(local, wait_for, TASKS))
        each = [sum(u.values()) - sum(i.values()) / second * took for u, i in zip(used, idle, strict=True)]
        here = sum(alone[0].values()) - sum(idle[0].values()) / second * took_alone
        print(f"client {us(each[0])}, workers {us(sum(each[1:]))}; without shards {us(here)}: {sum(each) / here:.1f} x")
        names = {thread.native_id: thread.name for thread in threading.enumerate()}
        print("    " + ", ".join(f"{names.get(t, '?')} {us(s)}" for t, s in used[0].items() if s > TASKS * 1e-7))


def print_client_with_journal(kept: Any, executor: Any) -> None:
    """What `kept`, which has a journal, takes on the client, and `executor`."""
    through(kept, results_of, TASKS // 4)
    for _ in range(TURNS):
        idle, second = used_in(["self"], lambda: time.sleep(1))
        both = [(used_in(["self"], lambda e=one: through(e, results_of, TASKS))) for one in (kept, executor)]
        with_it, without = (sum(used[0].values()) - sum(idle[0].values()) / second * took for used, took in both)
        print(f"    client with a journal {us(with_it)}, without {us(without)}")


def ended_elsewhere(futures: list[Future[None]]) -> None:
    """Wait for `futures`, which another thread ends."""

    def end_all() -> None:
        time.sleep(0.5)  # until the other one is in `wait`
        for future in futures:
            future.set_result(None)

    thread = threading.Thread(target=end_all)
    thread.start()
    wait(futures)
    thread.join()


def us(seconds: float) -> str:
    return f"{seconds / TASKS * 1e6:.1f} us"


def ask_nobody(descriptors: list[Any]) -> None:
    """All go on."""


def make_quiet() -> PollExecutor[Any, Any, Any]:
    return Executors.thread_pool(2).with_poll(ask_nobody, default_interval=1000.0)


def traced() -> int:
    """How many bytes there are, of those that came since the first call."""
    gc.collect()
    tracemalloc.start()
    return tracemalloc.get_traced_memory()[0]


def grown(executor: Any, traced_in_all: Callable[[], list[int]]) -> list[int]:
    """By how much, while there came so many tasks."""
    traced_in_all()
    futures: list[Any] = []
    sizes = []
    for count in (TASKS // 6, TASKS):
        futures += [executor.submit(started, 10_000 + len(futures) + number) for number in range(count)]
        while executor.stats().polled < len(futures):
            time.sleep(0.1)
        time.sleep(1.5)  # until all is said
        sizes.append(traced_in_all())
    return [last - first for first, last in zip(*sizes, strict=True)]


def main() -> None:
    import distributed

    from more_executors.dask import ShardedPollExecutor

    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster, set_as_default=False) as client:
        with ShardedPollExecutor(client, make_shard, shards=2) as executor, make_shard() as local:
            workers = list(client.run(os.getpid).values())
            print("every future asked for its result:")
            print_processor_time(executor, local, workers, results_of)
            print("`wait` for all futures:")
            print_processor_time(executor, local, workers, wait)
            with TemporaryDirectory() as folder, Journal(Path(folder) / "tasks.db") as journal:
                with ShardedPollExecutor(client, make_shard, shards=2, journal=journal) as kept:
                    print_client_with_journal(kept, executor)
            futures: list[Future[None]] = [Future() for _ in range(TASKS)]
            used, took = used_in(["self"], lambda: ended_elsewhere(futures))
            idle, second = used_in(["self"], lambda: time.sleep(1))
            seconds = sum(used[0].values()) - sum(idle[0].values()) / second * took
            print(f"    for futures of the standard library, `wait` and `set_result` alone: {us(seconds)}")
        executor, local = ShardedPollExecutor(client, make_quiet, shards=2, lease=60.0), make_quiet()
        sizes = grown(executor, lambda: [traced(), *client.run(traced).values()])
        alone = grown(local, lambda: [traced()])
        shard = sum(sizes[1:]) / TASKS
        print(f"bytes: client {sizes[0] / TASKS:.0f}, its shard {shard:.0f}; without shards {alone[0] / TASKS:.0f}")
        executor.leave()
        local.leave()


if __name__ == "__main__":
    main()
