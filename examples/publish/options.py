"""The command line of the demo."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checks import OneLineParser, positive_seconds, rate, seconds, whole_number

PICTURE_FORMATS = (".pdf", ".png", ".svg")


@dataclass(frozen=True)
class Options:
    """What to do; see ``--help``. Times are in seconds, rates are probabilities."""

    tasks: int
    workers: int
    interval: float
    cancel_rate: float
    duration: float
    distribution: str
    failure_rate: float
    reject_rate: float
    latency: float
    seed: int
    port: int
    output: Path


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line (by default this process's); exit with code 2 and one line if it is wrong."""
    parser = OneLineParser(
        prog="publish",
        description="Publish many objects through a task service over HTTP, one thread watching all tasks.",
        epilog="Ctrl-C cancels what is outstanding; a second Ctrl-C leaves that to the end of the service.",
    )
    add = parser.add_argument
    number = whole_number(1)
    workers = whole_number(1, 1_000)
    add("--tasks", type=number, default=50_000, metavar="N", help="objects to publish (%(default)s)")
    add("--workers", type=workers, default=8, metavar="N", help="threads (%(default)s)")
    add(
        "--interval",
        type=positive_seconds,
        default=1.0,
        metavar="S",
        help="from poll to poll (%(default)s s)",
    )
    add("--cancel-rate", type=rate, default=0.02, metavar="P", help="share to cancel (%(default)s)")
    add("--seed", type=int, default=1, metavar="N", help="of all random choices (%(default)s)")
    add(
        "--output",
        type=Path,
        default="publish.png",
        metavar="PATH",
        help="picture to write (%(default)s)",
    )
    add = parser.add_argument_group("the service").add_argument
    shapes = ("exponential", "fixed", "uniform")
    add("--duration", type=seconds, default=15.0, metavar="S", help="mean time of a task (%(default)s s)")
    add("--distribution", choices=shapes, default="uniform", help="of that time (%(default)s, 50 to 150 %%)")
    add("--failure-rate", type=rate, default=0.02, metavar="P", help="share of tasks that fail (%(default)s)")
    add("--reject-rate", type=rate, default=0.002, metavar="P", help="share of objects refused (%(default)s)")
    add("--latency", type=seconds, default=0.002, metavar="S", help="mean time of a request (%(default)s s)")
    add("--port", type=whole_number(0, 65535), default=0, metavar="N", help="port to serve on (any free one)")
    options = Options(**vars(parser.parse_args(arguments)))
    problem = _problem_with(options.output)
    if problem is not None:
        parser.error(f"argument --output: {problem}")
    return options


def _problem_with(output: Path) -> str | None:
    if output.suffix.lower() not in PICTURE_FORMATS:
        return f"expected a path that ends in {', '.join(PICTURE_FORMATS)}, not {str(output)!r}"
    try:
        if output.exists():
            os.close(os.open(output, os.O_WRONLY))
        else:
            # Asking for permissions is not enough: root has all of them, even where nobody can write.
            tempfile.TemporaryFile(dir=output.parent).close()
    except (OSError, ValueError) as error:
        return f"cannot write {str(output)!r}: {getattr(error, 'strerror', None) or error}"
    return None
