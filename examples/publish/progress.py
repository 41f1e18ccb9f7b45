"""Live progress: a bar in a terminal, a line now and then anywhere else."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TimeElapsedColumn
from rich.table import Table

from shard_progress import shard_line, shard_table
from tally import Sample

SAMPLING = 0.1
"""Seconds between two samples."""

LINES_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""


def say(text: str) -> None:
    """Print a line. If that fails, as nobody reads the other end of the pipe, go on without output."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Display(AbstractContextManager["Display"], Protocol):
    """Shows samples while in its ``with`` block."""

    def show(self, sample: Sample) -> None:
        """Show the state of things."""


class Bar(Progress):
    """A bar of the futures that are done, above the counts."""

    def __init__(self, console: Console, total: int) -> None:
        columns = (BarColumn(None), TaskProgressColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._counts: list[RenderableType] = []
        super().__init__(*columns, console=console, expand=True, refresh_per_second=4)
        self._task = self.add_task("publishing", total=total)

    def show(self, sample: Sample) -> None:
        """Show the state of things at the next refresh."""
        row = Table.grid(expand=True)
        row.add_row(
            f"submitted [bold]{sample.submitted:,}",
            f"[cyan]outstanding [bold]{sample.outstanding:,}",
            f"[blue]polled [bold]{sample.polled:,}",
            f"[green]finished [bold]{sample.finished:,}",
            f"[red]failed [bold]{sample.failed:,}",
            f"[yellow]cancelled [bold]{sample.cancelled:,}",
        )
        self._counts = [row, shard_table(sample)] if sample.shards else [row]
        self.update(self._task, completed=sample.done)

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar and the counts, and the shards."""
        yield from super().get_renderables()
        yield from self._counts


class Lines(AbstractContextManager["Lines"]):
    """A line of text every few seconds."""

    def __init__(self) -> None:
        self._next = 0.0

    def show(self, sample: Sample) -> None:
        """Print the state of things, unless that was done only just now."""
        if sample.seconds < self._next:
            return
        self._next = sample.seconds + LINES_EVERY
        say(
            f"{sample.seconds:6.1f} s  submitted {sample.submitted:,}  outstanding {sample.outstanding:,}"
            f"  polled {sample.polled:,}  finished {sample.finished:,}  failed {sample.failed:,}"
            f"  cancelled {sample.cancelled:,}{shard_line(sample)}"
        )

    def __exit__(self, *_: object) -> None:
        pass


class Monitor:
    """A thread that calls ``measure`` often, and shows what it returns."""

    def __init__(self, measure: Callable[[], Sample], total: int) -> None:
        console = Console()
        self._measure = measure
        self._display: Display = Bar(console, total) if console.is_terminal else Lines()
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)
        self._stack = ExitStack()

    def __enter__(self) -> Monitor:
        self._stack.enter_context(self._display)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join()
        self._take()
        self._stack.close()

    def _run(self) -> None:
        while True:
            self._take()
            if self._left.wait(SAMPLING):
                break

    def _take(self) -> None:
        self._display.show(self._measure())
