"""How shards show themselves in Jupyter."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ...poll._html import NAME, TABLE, VALUE, duration
from ._stats import ShardStats

__all__: list[str] = []

COLUMNS = ("shard", "generation", "worker", "tasks", "starting", "heard", "lost")


def shards_table(shards: Iterable[ShardStats]) -> str:
    """A row for each shard, in HTML that needs nothing else."""
    head = "".join(f'<th scope="col" style="{NAME}">{column}</th>' for column in COLUMNS)
    rows = "".join(f"<tr>{cells_of(shard)}</tr>" for shard in shards)
    return f'<table style="{TABLE}"><tr>{head}</tr>{rows}</table>'


def cells_of(shard: ShardStats) -> str:
    texts = (
        *(f"{shard.shard}", f"{shard.generation}", shard.worker or "none"),
        *(f"{shard.tasks:,}", f"{shard.starting:,}", f"{duration(shard.heard)} ago", f"{shard.lost:,}"),
    )
    return "".join(f'<td style="{VALUE}">{escape(text)}</td>' for text in texts)
