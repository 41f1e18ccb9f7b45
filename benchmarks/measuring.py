"""How a benchmark measures: through pytest-benchmark, with a note of what it was that it measured."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .layers import Work
from .rows import OURS, Row


class Bench:
    """The `bench` fixture: one measurement for the table, of one row, for ours or for a reference."""

    def __init__(self, benchmark: BenchmarkFixture, short: bool, only_ours: bool) -> None:
        self._benchmark = benchmark
        self._only_ours = only_ours
        self._pedantic: Callable[..., Any] = benchmark.pedantic
        self._short = short

    def size(self, count: int) -> int:
        """How many futures to use where the row says `count`."""
        return max(10, count // 1000) if self._short else count

    def time(
        self,
        row: Row,
        who: str,
        run: Callable[..., object],
        *,
        per: int,
        setup: Callable[[], Any] = object,
        teardown: Callable[[Any], object] = lambda prepared: None,
        rounds: int = 3,
        collecting: bool = True,
    ) -> None:
        """Time `run(prepared)`, which does `per` things, where `prepared` is what `setup()` made.

        Only `run` is timed, and the best of the rounds counts. The garbage collector is on, unless not `collecting`;
        it has nothing left to do when a round begins.
        """

        def begin() -> tuple[tuple[Any, ...], dict[str, Any]]:
            prepared = setup()
            gc.collect()
            if not collecting:
                gc.disable()
            return (prepared,), {}

        def end(prepared: Any) -> None:
            gc.enable()
            teardown(prepared)

        self._tag(row, who, per=per)
        self._pedantic(run, setup=begin, teardown=end, rounds=1 if self._short else rounds)

    def work(
        self,
        row: Row,
        who: str,
        work: Work,
        nominal: int,
        *,
        rounds: int = 3,
        collecting: bool = True,
        shared_by: int = 1,
    ) -> None:
        """`time` of `work` for `nominal` futures, each of which is so many things to do."""
        count = self.size(nominal)
        self.time(
            row,
            who,
            work.run,
            per=count * shared_by,
            setup=lambda: work.prepare(count),
            teardown=work.finish,
            rounds=rounds,
            collecting=collecting,
        )

    def value(self, row: Row, who: str, measure: Callable[[], float]) -> None:
        """Record what `measure()` returns: seconds or bytes, as the row has it."""
        self._tag(row, who)
        self._benchmark.extra_info["value"] = self._pedantic(measure, rounds=1)

    def _tag(self, row: Row, who: str, per: int = 1) -> None:
        if self._only_ours and who != OURS:
            pytest.skip("a reference")
        target = {"at most": row.at_most, "times": row.times}
        self._benchmark.extra_info.update(row=row.title, who=who, per=per, target=target)
