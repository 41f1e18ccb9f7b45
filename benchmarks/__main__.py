"""Run all benchmarks, print the tables, and write them down with the plots: `python -m benchmarks [FILE ...]`.

    benchmarks/results.json     the rows with their targets, the value of each turn, and the machine
    docs/performance.md         the tables in it
    docs/*.png                  the plots

It also says which targets were missed. Those are for whoever works on the library, and are in no page of the guide.

    FILE ...          only these, such as bench_submit.py: their rows replace those that are in results.json
    --short           everything is tiny and nothing is written there: it shows that all of it runs, and no more
    --compare REV     this tree and another commit in turns, and the ratios; nothing is written
    --before REV      measure another commit with the benchmarks of this tree, into benchmarks/before.json
    --render          measure nothing, and write the page and the plots of what is on record
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import before_after, builds, compare, page, running, table

HERE = running.HERE
DOCS = builds.ROOT / "docs"
RESULTS, BEFORE = HERE / "results.json", HERE / "before.json"

Record = dict[str, Any]


def main() -> int | str:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--short", action="store_true")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--compare", metavar="REV")
    mode.add_argument("--before", metavar="REV")
    mode.add_argument("--render", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        try:
            if given.render:
                return render(json.loads(RESULTS.read_text(encoding="utf-8")), DOCS)
            if given.compare:
                return compared(given.compare, scratch, given.files, given.short)
            if given.before:
                return measure_before(given.before, scratch, given.files, given.short)
        except builds.NothingToCompareError as error:
            return f"NOT COMPARED: {error}"
        return measure(scratch, given.files, given.short)


def measure(scratch: Path, files: list[str], short: bool) -> int | str:
    """The library of this tree."""
    report, well = running.run(builds.ROOT, scratch, files, *(["--short"] if short else []))
    if not well:
        return "a benchmark failed"
    found = table.found_in(report["benchmarks"])
    if not files and (lost := table.not_in(found, running.gil())):
        return f"not measured: {', '.join(lost)}"
    record = {"measured": running.about(report, running.this_commit()), "turns": found}
    if files:
        print(table.markdown(list(table.lines(found))))
        if not short:
            record = with_rows(RESULTS, record)
    if short:
        if not files:
            render(record, scratch)
        print("A short run: everything ran, the figures mean nothing.")
        return 0
    write(RESULTS, {**record, "table": [line.record() for line in table.lines(record["turns"])]})
    return render(record, DOCS)


def measure_before(rev: str, scratch: Path, files: list[str], short: bool) -> int | str:
    """Another commit. A row that it cannot have is missing then."""
    other = builds.chosen_by_user(rev)
    report, well = running.run(builds.built(other.commit), scratch, files, *(["--short"] if short else []))
    found = table.found_in(report["benchmarks"])
    if not found:
        return "nothing could be measured"
    if not well:
        print(f"could not be measured: {', '.join(table.not_in(found, running.gil())) or 'something'}")
    if short:
        print("A short run: the figures mean nothing.")
        return 0
    record = {"measured": running.about(report, other.commit), "turns": found}
    write(BEFORE, with_rows(BEFORE, record) if files else record)
    return 0


def compared(rev: str, scratch: Path, files: list[str], short: bool) -> int | str:
    """Both in turns."""
    other = builds.chosen_by_user(rev)
    before, after, failed = compare.in_turns(builds.built(other.commit), scratch, files, short)
    ratios = list(compare.ratios(before, after))
    print(f"\nbefore: {other}; after: this tree. Of the ratios of the turns: the median, the least and the greatest\n")
    print(compare.markdown(ratios))
    for ratio in compare.slower(ratios):
        print(f"slower in each turn: {ratio.row.title}")
    for title in compare.missing(before, after):
        print(f"not compared, as only one of both has it: {title}")
    return f"failed: {', '.join(sorted(failed))}" if failed else 0


def with_rows(path: Path, record: Record) -> Record:
    """The record that is there, with the rows of this one, and a note of when those were measured."""
    if not path.exists():
        return record
    old: Record = json.loads(path.read_text(encoding="utf-8"))
    later = {**record["measured"], "rows": list(record["turns"])}
    return {
        "measured": old["measured"],
        "measured later": [*old.get("measured later", []), later],
        "turns": {**old["turns"], **record["turns"]},
    }


def render(record: Record, docs: Path) -> int:
    """Print the tables, and write the page and the plots into the folder `docs`."""
    from .plot import draw  # takes matplotlib, which not every Python has that benchmarks run on

    lines = list(table.lines(record["turns"]))
    figures = page.figures(lines, record["measured"])
    print(f"\n{figures}")
    shown = page.with_figures((DOCS / "performance.md").read_text(encoding="utf-8"), figures)
    if BEFORE.exists():
        both = before_after.markdown(json.loads(BEFORE.read_text(encoding="utf-8")), record)
        print(both)
        shown = page.with_figures(shown, both, page.BEFORE_AFTER, page.END_OF_BEFORE_AFTER)
    for missed in filter(None, (line.missed() for line in lines)):
        print(f"above its target: {missed}")
    (docs / "performance.md").write_text(shown, encoding="utf-8")
    print(f"Written: {', '.join(path.name for path in [docs / 'performance.md', *draw(record['turns'], docs)])}")
    return 0


def write(path: Path, record: Record) -> None:
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Written: {path.name}")


if __name__ == "__main__":
    sys.exit(main())
