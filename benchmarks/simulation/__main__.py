"""Simulate a day with a million tasks, print the table and draw the plot: `python -m benchmarks.simulation [--short]`.

    docs/simulation.png         the plot

Nothing sleeps, so a day takes minutes. With `--short` it is 5,000 tasks, in seconds; the service then takes as many ids
less, and nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter

from .day import Day, day_of
from .record import Record
from .report import markdown
from .strategies import STRATEGIES, Limits

PICTURE = Path(__file__).parent.parent.parent / "docs" / "simulation.png"

TASKS, LIMITS = 1_000_000, Limits(ids=100, calls=50.0)
# A hundredth of the ids a second, times two: the tasks are a two-hundredth.
SHORT_TASKS, SHORT_LIMITS = 5_000, Limits(ids=5, calls=5.0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation", description="Simulate a day of polling.")
    parser.add_argument("--short", action="store_true", help="5,000 tasks instead of a million, and no plot")
    short = parser.parse_args().short
    limits = SHORT_LIMITS if short else LIMITS
    day = day_of(SHORT_TASKS if short else TASKS)
    print(f"{len(day):,} tasks, at most {limits.ids} ids a call and {limits.calls:g} calls a second\n", flush=True)
    records = simulated(day, limits)
    print(f"\n{markdown(records)}")
    if not short:
        from .picture import draw  # only this needs matplotlib

        curves = {s.title.replace("`", ""): (s.colour, records[s.title]) for s in STRATEGIES if s.colour is not None}
        draw(day, limits.calls, curves, PICTURE)
        print(f"Written: {PICTURE}. {memory()}")


def simulated(day: Day, limits: Limits) -> dict[str, Record]:
    records = {}
    for strategy in STRATEGIES:
        began = perf_counter()
        records[strategy.title] = strategy.run(day, limits)
        print(f"{perf_counter() - began:6.1f} s for {strategy.title}", flush=True)
    return records


def memory() -> str:
    """What this process has taken at most, where the system says so."""
    try:
        import resource
    except ImportError:
        return ""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"At most {most / (2**30 if sys.platform == 'darwin' else 2**20):.1f} GB of memory."


if __name__ == "__main__":
    main()
