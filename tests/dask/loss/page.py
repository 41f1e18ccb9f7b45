"""How runs are shown: a line each, and a table in the guide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from verdict import Verdict

BEGIN = "<!-- losses: written by `make prove-losses` -->"
END = "<!-- end of losses -->"


def line_of(kind: str, mode: str, seed: int, verdict: Verdict) -> str:
    parts = [
        f"{kind} ({mode}, {seed}): {verdict.tasks} tasks, resolved {verdict.resolved}",
        f"failed {counted(verdict.failed)}",
        f"lost {verdict.lost}",
        f"created twice {verdict.twice}",
    ]
    parts += [
        f"{name} {getattr(verdict, name)}" for name in ("wrong", "hung", "unsettled", "late") if getattr(verdict, name)
    ]
    parts += [f"run {number} failed {counted(failed)}" for number, failed in enumerate(verdict.before, 1)]
    return f"{', '.join(parts)}; {verdict.seconds:.0f} s"


def counted(failed: Counter[str]) -> str:
    return " + ".join(f"{count} {what}" for what, count in sorted(failed.items())) or "0"


def table_of(sums: Mapping[tuple[str, str], Verdict]) -> str:
    heads = ("what happens", "in doubt", "times", "tasks", "resolved", "stay in doubt", "lost", "created twice")
    rows = [heads, tuple("---" for _ in heads)]
    names = {"fail": "fail", "token": "start, with a token", "find": "are asked for"}
    for (kind, mode), verdict in sums.items():
        in_doubt = verdict.failed["StartInDoubt"] + verdict.failed["ShardLost"]
        numbers = (verdict.times - verdict.late, verdict.tasks, verdict.resolved, in_doubt, verdict.lost, verdict.twice)
        rows.append((kind, names[mode], *(f"{number:,}" for number in numbers)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def write_table(page: Path, sums: Mapping[tuple[str, str], Verdict]) -> None:
    """Put the table between the comments in `page`, instead of what is there."""
    before, found, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not found or not found_end:
        raise ValueError(f"{BEGIN!r} and {END!r} must be in {page.name}")
    page.write_text(f"{before}{BEGIN}\n\n{table_of(sums)}\n{END}{after}", encoding="utf-8")
