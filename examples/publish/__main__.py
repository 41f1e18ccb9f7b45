"""Publish many objects through a task service.

Run ``python examples/publish`` or ``python -m examples.publish``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interrupts import Interrupts
    from options import Options
    from state import State

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def main() -> int:
    """Run the demo and return its exit code.

    That is 0, 1 (the service failed, or its books do not balance), 2 (wrong usage) or 130 (Ctrl-C).
    """
    # For -m; a folder that is run is on the path already.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

    # Before the slow imports, which Ctrl-C would otherwise end with a traceback.
    from interrupts import Interrupts

    interrupts = Interrupts()
    interrupts.install()

    from importlib.util import find_spec

    from options import parse

    options = parse()
    needed = ["_sqlite3", "aiohttp", "matplotlib", "more_executors", "requests", "rich"]
    if options.cluster:
        needed.append("distributed")
    if options.metrics:
        needed.append("prometheus_client")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        print(f"publish: error: not installed: {', '.join(missing)}", file=sys.stderr)
        return 1

    from more_executors.journal import JournalError

    from child import ServiceError
    from state import State, StateError

    try:
        state = State(options)
    except StateError as error:
        print(f"publish: error: {error}", file=sys.stderr)
        return 2
    try:
        code = publish(options, interrupts, state)
    except (ServiceError, JournalError) as error:
        print(f"publish: error: {error}", file=sys.stderr)
        code = 1
    interrupts.ignore()
    if code == 0 or interrupts.count:
        state.remove()
    else:
        state.close()
    if interrupts.count:
        print("interrupted", file=sys.stderr)
        return 130
    return code


def publish(options: Options, interrupts: Interrupts, state: State) -> int:
    """Run the scenario and tell about it; return 0 if all is well, 1 if not."""
    import logging

    from progress import say
    from scenario import run
    from summary import summarize

    if options.is_logged:
        # Losses are what this is about; in the terminal they would only be in the way.
        if not state.runs.runs:
            options.log.write_bytes(b"")
        logging.basicConfig(filename=options.log, format=LOG_FORMAT)
    say(f"starting the service; then {options.tasks:,} objects are published")
    outcome = run(options, interrupts, state)
    say(f"\n{summarize(outcome, options)}\n")
    if options.is_logged:
        say(f"what the library has logged: {options.log}")
    if interrupts.count:
        return 130
    if outcome.service_lost:
        print("publish: error: the service ended too early; run this again to go on", file=sys.stderr)
        return 1
    say("drawing the picture")  # the first time, matplotlib looks through all fonts
    if options.cluster:
        from plot_cluster import draw_cluster as draw
    else:
        from plot import draw

    try:
        draw(outcome, options.output)
    except OSError as error:
        print(f"publish: error: cannot write {str(options.output)!r}: {error.strerror}", file=sys.stderr)
        return 1
    say(f"picture: {options.output}")
    if outcome.audit is None or not outcome.audit.balanced:
        what = "the books do not balance; what led to that is kept in"
        print(f"publish: error: {what} {str(options.state)!r}, until --fresh", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
