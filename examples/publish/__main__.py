"""Publish many objects through a task service.

Run ``python examples/publish`` or ``python -m examples.publish``.
"""

from __future__ import annotations

import os
import sys

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
    needed = ("aiohttp", "matplotlib", "more_executors", "requests", "rich")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        print(f"publish: error: not installed: {', '.join(missing)}", file=sys.stderr)
        return 1

    import logging

    from progress import say
    from scenario import run
    from service_process import ServiceError
    from summary import summarize

    if options.faults:
        # They are what this is about; in the terminal they would only be in the way.
        logging.basicConfig(filename=options.log, filemode="w", format=LOG_FORMAT)
    say(f"starting the service; then {options.tasks:,} objects are published")
    try:
        outcome = run(options, interrupts)
    except ServiceError as error:
        print(f"publish: error: {error}", file=sys.stderr)
        return 1
    say(f"\n{summarize(outcome, options)}\n")
    if outcome.service_lost:
        print("publish: error: the service ended too early", file=sys.stderr)
    elif not interrupts.count:
        say("drawing the picture")  # the first time, matplotlib looks through all fonts
        from plot import draw

        try:
            draw(outcome, options.output)
        except OSError as error:
            print(f"publish: error: cannot write {str(options.output)!r}: {error.strerror}", file=sys.stderr)
            return 1
        say(f"picture: {options.output}")
    if options.faults:
        say(f"what the library has logged: {options.log}")

    interrupts.ignore()
    if interrupts.count:
        print("interrupted", file=sys.stderr)
        return 130
    unbalanced = outcome.audit is not None and not outcome.audit.balanced
    return 1 if outcome.service_lost or unbalanced else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
