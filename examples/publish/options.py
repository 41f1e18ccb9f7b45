"""The command line of the demo."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from checks import OneLineParser, positive_seconds, rate, seconds, whole_number
from faults import ALL_FAULTS, NO_FAULTS, Faults

OF_THE_WORK = ("tasks", "seed", "duration", "distribution", "failure_rate", "reject_rate", "faults")
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
    state: Path
    fresh: bool
    by_coroutines: bool
    cluster: int
    metrics: int

    @property
    def missing_after(self) -> float:
        """For how long every search has to leave a task out before it counts as lost, in seconds."""
        return 10 * self.interval

    def of_the_work(self) -> dict[str, Any]:
        """The options that a run must have to go on with what another has begun, by name."""
        return {name: getattr(self, name) for name in OF_THE_WORK}

    @property
    def is_logged(self) -> bool:
        """Whether much is logged: that something is lost is what it is about then."""
        return self.faults or self.cluster > 0

    @property
    def log(self) -> Path:
        """Where to log."""
        return self.output.with_suffix(".log")

    @property
    def service_faults(self) -> Faults:
        """What goes wrong with the service."""
        if not self.faults:
            return NO_FAULTS
        return replace(ALL_FAULTS, slow=2 * self.interval, hidden_for=2 * self.interval)


DESCRIPTION = """\
Publish many objects through a task service that this starts on this machine. Each object is one task of the
service and one future here; a few searches at a time ask for the states of all tasks.
"""
EPILOG = """\
If this is killed, or the service is, the next run publishes what is left, and nothing twice. Ctrl-C gives up:
it cancels all tasks that are outstanding and waits for that; a second Ctrl-C does not wait: the tasks end
with the service. No picture is drawn then, and the next run begins anew.
"""
VARIES = "how that time varies (%(default)s, which is 50 to 150 %% of the mean)"
STATE = "folder of what the next run has to know if this one is killed (beside the picture: publish.state)"
FRESH = "begin anew, whatever a run that was killed has left"
ASYNC = "start and search by coroutines, with one session for all, instead of by threads"
FAULTS = "make it fail: errors, lost connections, rate limits, slow answers, lost tasks, a restart"
METRICS = "have Prometheus scrape this, on this machine, at http://127.0.0.1:PORT/metrics (0: it cannot)"
CLUSTER = "have N workers of a Dask cluster do it, 2 or more; one is killed, and another one comes"
USUAL: dict[str, Any] = {
    "workers": 8,
    "publishes": 5_000,
    "batch_size": 5_000,
    "output": Path("publish.png"),
}
WITH_FAULTS: dict[str, Any] = {
    "workers": 16,
    "publishes": 1_200,
    "batch_size": 200,
    "output": Path("faults.png"),
}
WITH_CLUSTER: dict[str, Any] = {**USUAL, "workers": 16, "output": Path("cluster.png")}


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line (by default this process's); exit with code 2 and one line if it is wrong."""
    parser = OneLineParser(prog="publish", description=DESCRIPTION, epilog=EPILOG)
    number, workers = whole_number(1), whole_number(1, 1_000)
    batch, port = whole_number(1, 10_000), whole_number(0, 65535)
    shapes = ("exponential", "fixed", "uniform")

    def add(name: str, type: Callable[[str], Any], metavar: str, default: Any, help: str) -> None:
        group.add_argument(f"--{name}", type=type, metavar=metavar, default=default, help=help)

    def depends(name: str) -> str:
        return f"({USUAL[name]}; with --faults {WITH_FAULTS[name]}, with --cluster {WITH_CLUSTER[name]})"

    group = parser.add_argument_group("the program")
    add("tasks", number, "N", 50_000, "objects to publish (%(default)s)")
    add("workers", workers, "N", None, f"threads that start tasks {depends('workers')}")
    add("publishes", number, "N", None, f"tasks started per second, at most {depends('publishes')}")
    add("searches", workers, "N", 4, "searches at the same time, at most (%(default)s)")
    add("batch-size", batch, "N", None, f"tasks in one search, at most {depends('batch_size')}")
    add("interval", positive_seconds, "S", 1.0, "time from one search for a task to the next (%(default)s s)")
    add("cancel-rate", rate, "P", 0.02, "share of tasks that are cancelled on the way (%(default)s)")
    add("seed", int, "N", 1, "seed of all random choices (%(default)s)")
    add("output", Path, "PATH", None, f"picture to write: .png, .svg or .pdf {depends('output')}")
    add("state", Path, "DIR", None, STATE)
    group.add_argument(
        "--fresh", action="store_true", help="begin anew, whatever a run that was killed has left"
    )
    group.add_argument("--async", action="store_true", dest="by_coroutines", help=ASYNC)
    add("cluster", whole_number(2, 64), "N", 0, CLUSTER)
    add("metrics", port, "PORT", 0, METRICS)
    group = parser.add_argument_group("the service")
    add("duration", seconds, "S", 15.0, "mean time of a task (%(default)s s)")
    group.add_argument("--distribution", choices=shapes, default="uniform", help=VARIES)
    add("failure-rate", rate, "P", 0.02, "share of tasks that fail (%(default)s)")
    add("reject-rate", rate, "P", 0.002, "share of objects that it refuses (%(default)s)")
    add("latency", seconds, "S", 0.002, "mean time until it answers (%(default)s s)")
    add("port", port, "N", 0, "port that it listens on (any free one)")
    group.add_argument("--faults", action="store_true", help=FAULTS)
    values = vars(parser.parse_args(arguments))
    if values["cluster"] and (values["faults"] or values["by_coroutines"]):
        parser.error("argument --cluster: not with --faults or --async")
    usual = WITH_FAULTS if values["faults"] else WITH_CLUSTER if values["cluster"] else USUAL
    output: Path = values["output"] or usual["output"]
    defaults: dict[str, Any] = {**usual, "state": output.parent / f"{output.stem}.state"}
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
