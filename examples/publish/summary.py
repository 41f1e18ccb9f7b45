"""The outcome in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence

from options import Options
from scenario import Outcome


def summarize(outcome: Outcome, options: Options) -> str:
    """Return the summary, a text of several lines."""
    return "\n\n".join([_counts(outcome, options), _polls(outcome), _costs(outcome)])


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
    rate = done / outcome.seconds if outcome.seconds else 0.0
    title = f"{options.tasks:,} objects in {outcome.seconds:.1f} s, {rate:,.0f} tasks per second"
    return "\n".join([title, *lines])


def _polls(outcome: Outcome) -> str:
    peak = max((size for _, size in outcome.polls), default=0)
    lines = [f"{len(outcome.polls):,} polls, of up to {peak:,} tasks at once"]
    if outcome.delays:
        median, high, last = (percentile(outcome.delays, percent) for percent in (50, 95, 100))
        spread = f"median; 95 % within {high:.2f} s, all within {last:.2f} s"
        lines.append(f"futures resolved {median:.2f} s after their task had ended ({spread})")
    return "\n".join(lines)


def _costs(outcome: Outcome) -> str:
    submitted = outcome.tally.submitted
    if not submitted:
        return "no task, no library time"
    rows = [(cost.name, cost.seconds, cost.explanation) for cost in outcome.costs]
    total = sum(seconds for _, seconds, _ in rows)
    whole = outcome.cpu_seconds / submitted * 1e6
    rows.append(("together", total, f"of {whole:,.0f} µs that this process took per task, requests and all"))
    lines = [f"  {name:<16}{seconds / submitted * 1e6:>8.1f} µs  {note}" for name, seconds, note in rows]
    return "\n".join(["CPU time of the library per task", *lines])
