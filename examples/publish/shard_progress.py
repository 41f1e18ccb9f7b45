"""The shards of a cluster in the live progress."""

from __future__ import annotations

from rich.bar import Bar
from rich.table import Table

from tally import Sample

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "red")
"""Those of the workers, in turns."""


def shard_table(sample: Sample) -> Table:
    """A row for each shard: where it is, how many tasks it has, and a bar of these."""
    table = Table.grid(expand=True, padding=(0, 1))
    for column, ratio in ((0, None), (1, None), (2, None), (3, 1)):
        table.add_column(justify="right" if column == 2 else "left", ratio=ratio)
    most = max(1, *sample.shards)
    for number, (tasks, worker) in enumerate(zip(sample.shards, sample.workers, strict=True)):
        colour = COLOURS[worker % len(COLOURS)]
        where = f"[{colour}]worker {worker}" if worker else "[dim]no worker"
        table.add_row(f"shard {number}", where, f"{tasks:,}", Bar(most, 0, tasks, color=colour))
    return table


def shard_line(sample: Sample) -> str:
    """The number of tasks of each worker with its shards, in a line of text."""
    if not sample.shards:
        return ""
    places: dict[int, list[str]] = {}
    for worker, tasks in sorted(zip(sample.workers, sample.shards, strict=True)):
        places.setdefault(worker, []).append(f"{tasks:,}")
    shown = [
        f"{f'worker {worker}' if worker else 'no worker'}: {' + '.join(of_it)}"
        for worker, of_it in places.items()
    ]
    return f"\n          {'   '.join(shown)}"
