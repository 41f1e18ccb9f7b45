"""Running operations under callgrind, and reading what it counted."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

HERE = Path(__file__).parent
CACHES = {"I1": (32, 8), "D1": (32, 8), "LL": (512, 16)}  # KiB, ways; the last as small as a neighbour may leave it
LINE = 64  # bytes
MISSES = ("ILmr", "DLmr", "DLmw")


class UnavailableError(Exception):
    """Nothing can be counted here; why is in the message."""


@dataclass(frozen=True)
class Counts:
    """What one operation takes."""

    instructions: float
    misses: float  # lines that were not in the last-level cache

    def least(self, other: Counts) -> Counts:
        return Counts(min(self.instructions, other.instructions), min(self.misses, other.misses))


@dataclass(frozen=True)
class Side:
    """What was counted of one build, and for the other operations, why not."""

    counts: dict[str, Counts]
    faults: dict[str, str]

    def least(self, other: Side) -> Side:
        """The lower count of each: where objects lie badly in memory, a look-up takes more, and never less."""
        lower = {name: counts.least(self.counts.get(name, counts)) for name, counts in other.counts.items()}
        return Side({**self.counts, **lower}, {**self.faults, **other.faults})


def mark_library(folder: Path) -> Path:
    """The compiled `mark.c`. Raises UnavailableError where valgrind or a compiler is missing."""
    for tool in ("valgrind", "cc"):
        if shutil.which(tool) is None:
            raise UnavailableError(f"{tool} is not installed here (Debian: apt-get install valgrind gcc)")
    library = folder / "mark.so"
    command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(HERE / "mark.c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"valgrind's header is not installed here: {done.stderr.strip()}")
    return library


def count(package: Path, mark: Path, layout: int, names: list[str], scratch: Path) -> Side:
    """Count these operations of the `more_executors` that is in the folder `package`."""
    scratch.mkdir()
    sizes = [f"--{cache}={kib * 1024},{ways},{LINE}" for cache, (kib, ways) in CACHES.items()]
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--cache-sim=yes", *sizes]
    command += [f"--callgrind-out-file={scratch}/counts.%p", f"--log-file={scratch}/log.%p"]
    command += [sys.executable, "-S", str(HERE / "driver.py"), str(package), str(mark), str(layout), *names]
    environment = {name: os.environ[name] for name in ("PATH", "VALGRIND_LIB") if name in os.environ}  # and no more
    environment |= {"TMPDIR": str(scratch), "PYTHONHASHSEED": str(layout)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"callgrind failed: {done.stderr[-2000:]}{last_log(scratch)}")
    faults: dict[str, str] = {}
    for line in done.stdout.splitlines():
        faults.update(json.loads(line))
    counts = counts_in(path.read_text() for path in scratch.glob("counts.*.*"))
    return Side(counts, {**{name: "nothing was counted" for name in names if name not in counts}, **faults})


def last_log(scratch: Path) -> str:
    return "".join(path.read_text()[-2000:] for path in sorted(scratch.glob("log.*"))[:1])


def counts_in(dumps: Iterable[str]) -> dict[str, Counts]:
    """What one operation takes, of each that there are two dumps of."""
    found: dict[str, dict[int, Counts]] = {}
    for dump in dumps:
        trigger = re.search(r"^desc: Trigger: Client Request: (.+): (\d+)$", dump, re.MULTILINE)
        if trigger:
            found.setdefault(trigger[1], {})[int(trigger[2])] = total_of(dump)
    return {name: per_operation(sizes) for name, sizes in found.items() if len(sizes) == 2}


def total_of(dump: str) -> Counts:
    lines = dict(line.split(": ", 1) for line in dump.splitlines() if line.startswith(("events: ", "totals: ")))
    # what is not counted at the end of the line is zero
    events = dict(zip_longest(lines["events"].split(), map(int, lines["totals"].split()), fillvalue=0))
    return Counts(events["Ir"], sum(events[event] for event in MISSES))


def per_operation(sizes: dict[int, Counts]) -> Counts:
    """The difference of both, so that what is paid once is not in it."""
    (few, less), (many, more) = sorted(sizes.items())
    times = many - few
    return Counts((more.instructions - less.instructions) / times, (more.misses - less.misses) / times)
