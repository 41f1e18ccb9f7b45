"""`python -m more_executors journal`: what is on record, and how to change that by hand."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ._error import JournalError
from ._journal import Journal
from ._keys import text_of_key
from ._outcomes import text_of_value
from ._start_records import DONE_WITHOUT, FAILED, IN_DOUBT, MEANT, STARTED, UNRECORDED, StartRecord
from ._view import View, view

__all__: list[str] = []

SHOWN = 10  # keys of each state that needs somebody to look at it

DESCRIPTION = """\
Tells what is on record in a journal, also while a program uses it. Only "forget" changes the file. Only "export" shows
values: they may be secret.
"""
FORGET = """\
Forgets keys: the next run starts their tasks, as if nothing had been. Not while a program uses the journal. A KEY is
text, or JSON if no text like that is on record.
"""


def add_to(commands: Any) -> None:
    """Add the command to those of an ArgumentParser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "journal", help="what is on record in a journal", description=DESCRIPTION
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run, act=summarize)
    acts = parser.add_subparsers(metavar="[ACTION]", title="other things to do")
    forget_parser = acts.add_parser("forget", help="have tasks started again", description=FORGET)
    forget_parser.add_argument("--namespace", metavar="NAME", help="of the keys; needed if there are several")
    forget_parser.add_argument("keys", nargs="+", metavar="KEY")
    forget_parser.set_defaults(act=forget)
    export_parser = acts.add_parser("export", help="all that is on record, a line of JSON each")
    export_parser.set_defaults(act=export)


def run(options: argparse.Namespace) -> int:
    try:
        return int(options.act(options))
    except JournalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # who read the output has seen enough
        sys.stderr.close()
        return 1


# -- what there is ----------------------------------------------------------------------------------------------------


def state_of(record: StartRecord, seen: View) -> str:
    """The state of a task, in a word or two."""
    if record.state == MEANT and seen.is_in_use:
        return "being started"
    if record.state == MEANT:
        return "not started" if record.number in seen.never_begun else IN_DOUBT
    if record.state == STARTED:
        return "going on"
    return record.state


def summarize(options: argparse.Namespace) -> int:
    seen, now = view(options.file), time.time()
    by_namespace: dict[str, dict[str, list[StartRecord]]] = {}
    for record in seen.starts:
        by_namespace.setdefault(record.namespace, {}).setdefault(state_of(record, seen), []).append(record)
    if options.json:
        print(json.dumps(as_json(seen, by_namespace, now), indent=2))
        return 0
    print(f"{seen.path}: {'a program uses it' if seen.is_in_use else 'no program uses it'}")
    for namespace, states in sorted(by_namespace.items()):
        count = sum(map(len, states.values()))
        print(f"\n{f'namespace {namespace!r}: ' if namespace else ''}{count:,} keys")
        for state in in_order(states):
            records = states[state]
            ages = sorted(now - record.since for record in records)
            print(f"  {state:<32}{len(records):>12,}   {span(ages[0], ages[-1])}")
        for state in (IN_DOUBT, FAILED, UNRECORDED):
            if records := states.get(state, []):
                print(f"\n  {state}:")
                for record in records[:SHOWN]:
                    print(f"    {record.key}   {in_words(now - record.since)}")
                if len(records) > SHOWN:
                    print(f"    and {len(records) - SHOWN:,} more")
    if seen.tasks or not seen.starts:
        print(f"\n{len(seen.tasks):,} tasks without keys are going on")
    return 0


def as_json(seen: View, by_namespace: dict[str, dict[str, list[StartRecord]]], now: float) -> dict[str, Any]:
    return {
        "file": seen.path,
        "in_use": seen.is_in_use,
        "tasks_without_keys": len(seen.tasks),
        "namespaces": {
            namespace: {
                state: {
                    "count": len(states[state]),
                    "oldest_seconds": round(now - min(record.since for record in states[state]), 3),
                    "newest_seconds": round(now - max(record.since for record in states[state]), 3),
                }
                for state in in_order(states)
            }
            for namespace, states in sorted(by_namespace.items())
        },
    }


def in_order(states: dict[str, Any]) -> list[str]:
    order = (IN_DOUBT, "not started", "being started", "going on", "done", DONE_WITHOUT, UNRECORDED, FAILED)
    return sorted(states, key=lambda state: (order.index(state) if state in order else len(order), state))


def span(newest: float, oldest: float) -> str:
    first, last = in_words(newest), in_words(oldest)
    return f"for {last}" if first == last else f"for {first} to {last}"


def in_words(seconds: float) -> str:
    """A time, in the two largest units."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if left >= length or unit == "s":
            parts.append(f"{left // length} {unit}")
        left %= length
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part != "0 s" or len(parts) == 1)


# -- other actions ----------------------------------------------------------------------------------------------------


def export(options: argparse.Namespace) -> int:
    """Print a line of JSON for everything."""
    seen = view(options.file)
    for line in lines_of(seen):
        print(json.dumps(line))
    return 0


def lines_of(seen: View) -> Iterator[dict[str, Any]]:
    for record in seen.starts:
        yield {
            "namespace": record.namespace,
            "key": json.loads(record.key),
            "state": state_of(record, seen),
            "since": record.since,
            "run": record.run,
            "token": record.token,
            "value": text_of_value(record.value),
        }
    for number, value in seen.tasks:
        yield {"number": number, "state": "going on", "value": text_of_value(value)}


def forget(options: argparse.Namespace) -> int:
    """Forget keys; says which were not on record."""
    seen = view(options.file)  # refuses what is no journal, or not there, without making one
    namespace = options.namespace
    if namespace is None:
        namespaces = {record.namespace for record in seen.starts} or {""}
        if len(namespaces) > 1:
            names = ", ".join(map(repr, sorted(namespaces)))
            print(f"error: --namespace is needed, as there are several: {names}", file=sys.stderr)
            return 1
        (namespace,) = namespaces
    with Journal(options.file) as journal:
        records = journal.start_records(namespace)
        wanted: dict[str, str] = {}
        missing: list[str] = []
        for given in options.keys:
            text = next((text for text in texts_for(given) if records.find([text])), None)
            if text is None:
                missing.append(given)
            else:
                wanted[text] = given
        states = Counter(record.state for record in records.find(list(wanted)))
        records.forget(list(wanted))
    for state, count in sorted(states.items()):
        print(f"forgotten: {count:,} {'going on' if state == STARTED else state}")
    for given in missing:
        print(f"not on record: {given!r}", file=sys.stderr)
    return 1 if missing else 0


def texts_for(given: str) -> Iterator[str]:
    """What a key may be called in the file that was given on the command line."""
    yield text_of_key(given)
    try:
        yield text_of_key(json.loads(given))
    except (TypeError, ValueError, RecursionError):
        return
