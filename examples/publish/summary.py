"""The outcome in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence

from audit import Audit
from options import Options
from scenario import Outcome


def summarize(outcome: Outcome, options: Options) -> str:
    """Return the summary, a text of several lines."""
    parts = [_counts(outcome, options), _searches(outcome)]
    if outcome.shards:
        parts.append(_shards(outcome))
    if outcome.costs:
        parts.append(_costs(outcome))
    if outcome.audit is not None:
        parts.append(_books(outcome, outcome.audit))
    return "\n\n".join(parts)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of ``values``, which must not be empty, that ``percent`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def _counts(outcome: Outcome, options: Options) -> str:
    tally = outcome.tally
    done = tally.finished + tally.failed + tally.cancelled
    complaints = ", ".join(f"{text}: {count:,}" for text, count in tally.complaints.most_common(5))
    rows = [
        ("finished", tally.finished, ""),
        ("failed", tally.failed, complaints),
        ("cancelled", tally.cancelled, ""),
        ("never submitted", options.tasks - tally.submitted, ""),
        ("sum", done + options.tasks - tally.submitted, ""),
    ]
    lines = [f"  {name:<16}{count:>8,}   {note}".rstrip() for name, count, note in rows]
    done -= outcome.found.done
    rate = done / outcome.seconds if outcome.seconds else 0.0
    title = f"{done:,} objects in {outcome.seconds:.1f} s, {rate:,.0f} tasks per second"
    if len(outcome.runs) > 1:
        title = f"run {len(outcome.runs)}: {title}"
        lines.insert(0, f"  when it began: {outcome.found}")
    return "\n".join([title, *lines])


def _searches(outcome: Outcome) -> str:
    sizes = [size for run in outcome.runs for size in run.searches]
    polled = max((sample.polled for run in outcome.runs for sample in run.samples), default=0)
    delays = [delay for run in outcome.runs for delay in run.delays]
    lines = [f"{len(sizes):,} searches, for up to {max(sizes):,} tasks each"] if sizes else []
    lines.append(f"up to {polled:,} tasks on the service at the same time")
    if delays:
        median, high, last = (percentile(delays, percent) for percent in (50, 95, 100))
        spread = f"95 % within {high:.2f} s, all within {last:.2f} s"
        lines.append(f"half of the futures were done within {median:.2f} s after their task, {spread}")
    if late := sum(run.late for run in outcome.runs):
        lines.append(f"{late:,} tasks had ended while nothing ran")
    if outcome.doubts:
        lines.append(f"of {outcome.doubts:,} objects in doubt, the service had tasks for {outcome.known:,}")
    return "\n".join(lines)


def _shards(outcome: Outcome) -> str:
    shards = outcome.shards
    happened = [
        f"{what} after {moment - run.began:.1f} s" for run in outcome.runs for moment, what in run.marks
    ]
    lost = sum(shard.lost for shard in shards)
    adopted = sum(shard.adopted for shard in shards)
    now = " in this run" if len(outcome.runs) > 1 else ""
    made = sum(shard.generation - 1 for shard in shards)
    return "\n".join(
        [
            f"{len(shards)} shards; {', '.join(happened) or 'no worker killed, and none added'}",
            f"{lost:,} shards lost with their worker, {made:,} made anew{now}; "
            f"{adopted:,} tasks adopted again",
        ]
    )


def _costs(outcome: Outcome) -> str:
    submitted = outcome.tally.submitted
    if not submitted:
        return "no task, no library time"
    rows = [(cost.name, cost.seconds, cost.explanation) for cost in outcome.costs]
    total = sum(seconds for _, seconds, _ in rows)
    whole = outcome.cpu_seconds / submitted * 1e6
    rows.append(("together", total, f"of {whole:,.0f} µs that the whole program took, with its requests"))
    lines = [f"  {name:<16}{seconds / submitted * 1e6:>8.1f} µs  {note}" for name, seconds, note in rows]
    return "\n".join(["processor time of the library for each task", *lines])


def _books(outcome: Outcome, audit: Audit) -> str:
    lines: list[str] = []
    counts = {kind: sum(count for _, count in times) for kind, times in sorted(audit.faults.items())}
    if counts:
        went_wrong = [f"{kind}: {count:,}" for kind, count in counts.items()]
        for begin, end in (run.outage for run in outcome.runs if run.outage is not None):
            went_wrong.append(f"killed and started again: {end - begin:.1f} s")
        lines.append(f"what went wrong: {', '.join(went_wrong)}")
        lines.append(f"{audit.vanished:,} tasks vanished")
    lines.append(f"the service has {audit.tasks:,} tasks, {len(audit.twice):,} objects published twice")
    odd = len(audit.disagreements)
    lines.append("every future agrees with it" if not odd else f"{odd:,} futures do not agree with it:")
    lines.extend(f"  {line}" for line in audit.disagreements[:5])
    return "\n".join(lines)
