"""The command line of the demo."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from checks import OneLineParser, positive_seconds, rate, seconds, whole_number
from faults import ALL_FAULTS, NO_FAULTS, Faults

PICTURE_FORMATS = (".pdf", ".png", ".svg")


@dataclass(frozen=True)
class Options:
    """What to do; see ``--help``. Times are in seconds, rates are probabilities."""

    tasks: int
    workers: int
    publishes: int
    searches: int
    batch_size: int
    interval: float
    cancel_rate: float
    duration: float
    distribution: str
    failure_rate: float
    reject_rate: float
    latency: float
    seed: int
    port: int
    faults: bool
    output: Path

    @property
    def missing_after(self) -> float:
        """For how long every search has to leave a task out before it counts as lost, in seconds."""
        return 10 * self.interval

    @property
    def log(self) -> Path:
        """Where to log, with faults; there is nothing to log without."""
        return self.output.with_suffix(".log")

    @property
    def service_faults(self) -> Faults:
        """What goes wrong with the service."""
        if not self.faults:
            return NO_FAULTS
        return replace(ALL_FAULTS, slow=2 * self.interval, hidden_for=2 * self.interval)


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
    add("--workers", type=workers, metavar="N", help="threads that publish (8; with faults 16)")
    add("--publishes", type=number, metavar="N", help="per second, at most (5,000; with faults 1,200)")
    add("--searches", type=workers, default=4, metavar="N", help="at the same time, at most (%(default)s)")
    batch = whole_number(1, 10_000)
    add("--batch-size", type=batch, metavar="N", help="tasks in one search, at most (5,000; with faults 200)")
    add(
        "--interval",
        type=positive_seconds,
        default=1.0,
        metavar="S",
        help="from search to search for a task (%(default)s s)",
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
    add(
        "--faults",
        action="store_true",
        help="errors, lost connections, limits, slow answers, lost tasks, a restart",
    )
    values = vars(parser.parse_args(arguments))
    defaults: dict[str, Any] = {"workers": 8, "publishes": 5_000, "batch_size": 5_000}
    if values["faults"]:
        defaults = {"workers": 16, "publishes": 1_200, "batch_size": 200}
    options = Options(**{name: defaults[name] if value is None else value for name, value in values.items()})
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
