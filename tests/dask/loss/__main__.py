"""Show that `ShardedPollExecutor` loses nothing: `python tests/dask/loss`, or `make prove-losses`.

Each run has a scheduler, three workers, a service that keeps books, and a client that runs tasks by key on shards: all
are processes. At a moment that is left to chance something happens to one of them. Then the client is run until all is
done, but for what stays in doubt, and what it says is compared with the books. A line is printed for each run.

It ends with 1 if anything was lost or created twice. What processes of such a run wrote is kept then.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from harms import KINDS
from page import line_of, write_table
from processes import set_path
from run import Options, run
from verdict import MODES, Verdict

from more_executors import Executors

PAGE = Path(__file__).parents[3] / "docs" / "dask.md"


def main() -> int:
    parser = argparse.ArgumentParser(description="Show that ShardedPollExecutor loses nothing.")
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=1, help="so many runs at a time")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=MODES)
    parser.add_argument("--lease", type=float, default=1.5, help="seconds")
    parser.add_argument("--cancel", type=float, default=0.02, help="the part of the tasks that is cancelled")
    parser.add_argument("--seed", type=int, default=0, help="that of the first time; then come those after it")
    parser.add_argument("--write", action="store_true", help="write the table into docs/dask.md")
    options = parser.parse_args()
    unknown = [kind for kind in options.kinds if kind not in KINDS]
    if unknown:
        parser.error(f"there is no kind {unknown[0]!r}")
    set_path()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    runs = [
        Options(kind, mode, options.tasks, seed, options.lease, options.cancel)
        for seed in range(options.seed, options.seed + options.times)
        for kind in options.kinds
        for mode in options.modes
    ]
    sums: dict[tuple[str, str], Verdict] = {}
    executor = Executors.thread_pool(options.at_once)
    try:
        for wanted, future in [(wanted, executor.submit(one, wanted)) for wanted in runs]:
            row = (wanted.kind, wanted.mode)
            sums[row] = sums.get(row, Verdict()) + future.result()
            if options.write:  # what there is so far, if this is interrupted
                write_table(PAGE, sums)
    finally:
        executor.shutdown(cancel_futures=True)  # each run that goes on ends the processes that it has started
    return 0 if all(verdict.is_fine() for verdict in sums.values()) else 1


def one(options: Options) -> Verdict:
    folder = Path(tempfile.mkdtemp(prefix="losses-"))
    is_fine = False
    try:
        verdict = run(options, folder)
        is_fine = verdict.is_fine()
        print(line_of(options.kind, options.mode, options.seed, verdict), flush=True)
    finally:
        if is_fine:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"    see {folder}", flush=True)
    return verdict


if __name__ == "__main__":
    sys.exit(main())
