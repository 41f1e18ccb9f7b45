"""Reading the metrics of many executors, each with a name of its own; by the public API alone, see `workload`."""

from __future__ import annotations

from concurrent.futures import Executor

from prometheus_client import generate_latest

from more_executors import Executors

from .layers import Work, identity


def used(count: int) -> list[Executor]:
    """Executors that have had a future each. Their names are the same each time, so that metrics do not pile up."""
    executors: list[Executor] = []
    for index in range(count // 2):
        base = Executors.sync(name=f"executor {index}")
        executors += [base, base.with_map(identity)]
    for executor in executors:
        executor.submit(int)
    return executors


def scrape(executors: list[Executor]) -> None:
    assert b"executor 0" in generate_latest()


def shut_down(executors: list[Executor]) -> None:
    for executor in executors:
        executor.shutdown()


SCRAPE = Work(used, scrape, shut_down)
