"""Records what a real Slurm prints of jobs of all kinds, for the tests of those who read it.

python record.py FOLDER OUTPUT     # the folder of a cluster that `cluster.py start` has started
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from cluster import Cluster

from more_executors.services.slurm import _accounting, _queue
from more_executors.services.slurm._commands import VARIABLES

HET = "#!/bin/sh\n#SBATCH -n1\n#SBATCH hetjob\n#SBATCH -n1\nexit 3\n"


def main() -> None:
    cluster, output = Cluster(Path(sys.argv[1])), Path(sys.argv[2])
    output.mkdir(parents=True, exist_ok=True)
    (cluster.folder / "work/het.sh").write_text(HET)

    def submit(*options: str) -> str:
        return cluster.user("sbatch", "--parsable", *options).stdout.strip()

    jobs = {
        "completed": submit("--wrap=true"),
        "exit 3": submit("--wrap=exit 3"),
        "exit 128": submit("--wrap=exit 128"),
        "exit 137": submit("--wrap=exit 137"),
        "exit 255": submit("--wrap=exit 255"),
        "killed": submit("--wrap=kill -9 $$"),
        "named": submit("--job-name=a|b\n7|1|1|1|COMPLETED|0:0|0|n1", "--comment=x|y", "--wrap=exit 1"),
        "cluster": submit("--clusters=one", "--wrap=true").partition(";")[0],
        "held": submit("--hold", "--wrap=true"),
        "array": submit("--array=0-9%2", "--wrap=sleep 300"),
        "odd array": submit(f"--array={','.join(map(str, range(0, 400, 3)))},401-500", "--hold", "--wrap=true"),
        "cancelled array": submit("--array=1-5", "--hold", "--wrap=true"),
        "stubborn": submit("--wrap=trap '' TERM; sleep 300 & wait; wait"),
        "het": submit("het.sh"),
    }
    time.sleep(45)
    cluster.user("scancel", f"{jobs['array']}_7", f"{jobs['array']}_0", jobs["cancelled array"], jobs["stubborn"])
    time.sleep(1)
    lines = [f"{name}\t{number}" for name, number in jobs.items()]
    (output / "jobs.txt").write_text("\n".join(lines) + "\n")
    listed = ",".join([*jobs.values(), "999999"])

    def record(name: str, *command: str) -> None:
        (output / name).write_text(cluster.user(*command, check=False, **VARIABLES).stdout)

    record("version.txt", "sinfo", "-V")
    record("sacct.txt", "sacct", *_accounting.ASK, f"--jobs={listed}")
    record("squeue.txt", "squeue", *_queue.ASK, f"--jobs={listed}")
    record("squeue_cluster.txt", "squeue", "--clusters=one", *_queue.ASK, f"--jobs={listed}")
    record("sdiag.txt", "sdiag")
    cluster.user("scancel", *jobs.values(), check=False)


main()
