"""Compare the instruction counts of this tree with those of another commit: `python -m benchmarks.gate [REV]`.

Ends with 1 if an operation takes over 3 % more of them, and with 2, saying why, if there is nothing to compare.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path
from time import perf_counter

from .. import builds
from . import verdict
from .callgrind import Side, UnavailableError, count, mark_library
from .operations import OPERATIONS

LAYOUTS = (1,)  # of objects in memory
MORE_LAYOUTS = (2, 3, 4)  # for what differs then


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate", description="Compare instruction counts.")
    parser.add_argument("rev", nargs="?", metavar="REV", help="the commit to compare with; by default the merge base")
    parser.add_argument("--only", nargs="+", choices=OPERATIONS, metavar="OPERATION", help="count no others")
    arguments = parser.parse_args()
    began = perf_counter()
    try:
        other = builds.chosen_by_user(arguments.rev) if arguments.rev else builds.chosen_by_default()
        if builds.has_same_sources(other.commit):
            raise builds.NothingToCompareError(f"{other} is built of the same sources")
        with tempfile.TemporaryDirectory() as scratch:
            mark = mark_library(Path(scratch))
            print(f"before: {other}; after: this tree; Python {platform.python_version()}", flush=True)
            before, after = both(builds.built(other.commit), mark, arguments.only or list(OPERATIONS), Path(scratch))
    except (builds.NothingToCompareError, UnavailableError) as error:
        print(f"NOT COMPARED: {error}")
        return 2
    found = verdict.lines(before, after)
    allowed = verdict.allowed_in(builds.git("log", "--format=%B", f"{other.commit}..HEAD") or "")
    complaints = verdict.complaints(found, after, allowed)
    print(f"{verdict.caches()}\n\n{verdict.table(found)}")
    for sentence in [*verdict.remarks(before, allowed), *complaints]:
        print(sentence)
    print(f"complaints: {len(complaints)}; {len(found)} operations, {perf_counter() - began:.0f} s")
    return 1 if complaints else 0


def both(other: Path, mark: Path, names: list[str], scratch: Path) -> tuple[Side, Side]:
    """The other side and this one, at the same time."""

    def counted(package: Path, layouts: tuple[int, ...], names: list[str]) -> Side:
        sides = [count(package, mark, layout, names, scratch / f"{package.name}-{layout}") for layout in layouts]
        return reduce(Side.least, sides)

    def counted_both(layouts: tuple[int, ...], names: list[str]) -> list[Side]:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda package: counted(package, layouts, names), (other, builds.ROOT)))

    before, after = counted_both(LAYOUTS, names)
    if suspects := verdict.suspects(before, after):
        again = counted_both(MORE_LAYOUTS, suspects)
        before, after = before.least(again[0]), after.least(again[1])
    return before, after


if __name__ == "__main__":
    sys.exit(main())
