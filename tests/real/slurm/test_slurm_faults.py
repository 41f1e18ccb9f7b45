"""Two hundred jobs of all kinds at a real Slurm that has a bad day: each future ends as its job did.

Meanwhile a node fails, jobs have to make room for others and are queued again, slurmdbd and its database are away, and
the controller is restarted. What a job is to end with is known beforehand, as the job is made so, and each that ends
well has left a mark by then.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, wait
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cluster import Cluster

from more_executors import Executors
from more_executors.services import TaskFailed
from more_executors.services.slurm import JobForgotten, JobRecord, Slurm

CODES = [1, 2, 3, 9, 15, 126, 127, 128, 129, 137, 143, 200, 254, 255]
NAMES = [
    "a|b",
    "x|COMPLETED|0:0",
    "7|1|1|1|COMPLETED|0:0|0|n1",
    "two\nlines",
    "new\n8|1|1|1|FAILED|1:0|0|n1\n",
    '"',
    "日本",
    " ",
]
PATIENCE = 400  # seconds

JOB = """\
#!/bin/sh
# job.sh SECONDS CODE: what has come this far has left a mark
sleep "$1"
echo "$SLURM_JOB_ID" >>"marks/$SLURM_JOB_ID"
exit "$2"
"""
WAITS = """\
#!/bin/sh
# goes on until the test has seen it run, however long that takes
until [ -e go ]; do sleep 0.5; done
echo "$SLURM_JOB_ID" >>"marks/$SLURM_JOB_ID"
"""
AGAIN = """\
#!/bin/sh
# fails when it has been queued again, as it asks for itself
[ -e "again-$SLURM_JOB_ID" ] && exit 5
touch "again-$SLURM_JOB_ID"
scontrol requeue "$SLURM_JOB_ID"
sleep 60
"""
HET = """\
#!/bin/sh
#SBATCH --ntasks=1
#SBATCH hetjob
#SBATCH --ntasks=1
sleep 2
exit {code}
"""
ARRAY = """\
#!/bin/sh
#SBATCH --array=0-4
exit $SLURM_ARRAY_TASK_ID
"""


class Jobs:
    """Futures, and what is to become of each: what `outcome` says of it."""

    def __init__(self, cluster: Cluster, slurm: Slurm, executor: Any) -> None:
        self.cluster = cluster
        self.slurm = slurm
        self.executor = executor
        self.expected: dict[Future[JobRecord], tuple[str, str]] = {}

    def add(self, kind: str, expected: str, *arguments: Any, **options: Any) -> Future[JobRecord]:
        future = self.executor.submit(self.slurm.start, *arguments, **options)
        self.expected[future] = (kind, expected)
        return future

    def add_array(self, kind: str, expected: Callable[[int], str], array: str, *arguments: Any, **options: Any) -> Any:
        tasks = self.slurm.start_array("job.sh", array, *arguments, **options)
        futures = self.executor.adopt_many(tasks)
        for task, future in zip(tasks, futures, strict=True):
            self.expected[future] = (kind, expected(int(task.partition("_")[2])))
        return tasks, futures

    def task(self, future: Future[JobRecord]) -> str | None:
        """The id of a job, once it has one."""
        return {entry.future: entry.result for entry in self.executor.outstanding()}.get(future)

    def running(self, futures: Sequence[Future[JobRecord]]) -> list[str]:
        """Their ids, when all run."""
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            tasks = [task for future in futures if (task := self.task(future)) is not None]
            if len(tasks) == len(futures):
                listed = self.cluster.admin("squeue", "-h", "-t", "running", "-o", "%i").split()
                if set(tasks) <= set(listed):
                    return tasks
            time.sleep(0.3)
        raise TimeoutError(f"they do not run: {self.cluster.admin('squeue')}")


def outcome(future: Future[JobRecord]) -> str:
    """What has become of a job, as its future says."""
    if not future.done():
        return "not done"
    try:
        record = future.result()
    except CancelledError:
        return "cancelled"
    except TaskFailed as error:
        record = error.status
        if record.state != "FAILED":
            return record.state  # by which signal that came about, Slurm does not always know
        return f"FAILED {record.exit_code}:{record.signal}{'' if record.exit_code_certain else ' perhaps'}"
    except JobForgotten:
        return "forgotten"
    except Exception as error:
        return repr(error)
    return record.state


def truth_of_exit(code: int) -> str:
    return f"FAILED {code}:0" if code else "COMPLETED"


@pytest.mark.timeout(900)
def test_every_future_ends_as_its_job_did(cluster: Cluster, slurm: Slurm, runner: Any) -> None:
    work = cluster.folder / "work"
    prepare(cluster, work)
    with Executors.for_service(slurm) as executor:
        jobs = Jobs(cluster, slurm, executor)
        flaky = [jobs.add("node fails", "COMPLETED", "waits.sh", partition="flaky", requeue=True) for _ in range(16)]
        flaky += [jobs.add("node fails", "NODE_FAIL", "waits.sh", partition="flaky", no_requeue=True) for _ in range(4)]
        low = [jobs.add("makes room", "COMPLETED", "waits.sh", partition="low", requeue=True) for _ in range(16)]
        stopped = [jobs.add("cancelled by others", "CANCELLED", "job.sh", 300, 0) for _ in range(5)]
        stopped.append(jobs.add("cancelled by others", "CANCELLED", wrap="trap '' TERM; while :; do sleep 1; done"))
        ours = [jobs.add("cancelled", "cancelled", "job.sh", 300, 0) for _ in range(4)]
        held = [jobs.add("cancelled", "cancelled", "job.sh", 0, 0, hold=True) for _ in range(4)]
        add_plain(jobs)

        # Somebody cancels: an element alone, which nothing is kept of; an array as a whole; jobs that run.
        tasks, _ = jobs.add_array("elements", lambda index: "forgotten" if index >= 18 else "COMPLETED", "0-19%2", 1, 0)
        cluster.user("scancel", *tasks[18:])
        tasks, _ = jobs.add_array("array", lambda _: "CANCELLED", "0-9", 1, 0, hold=True)
        cluster.user("scancel", tasks[0].partition("_")[0])
        running = jobs.running(stopped)
        cluster.user("scancel", *running)
        jobs.running(ours)
        executor_cancels = {future: future.cancel() for future in [*ours, *held]}
        for future, is_cancelled in executor_cancels.items():
            if not is_cancelled:  # a poll has seen it before scancel came back
                jobs.expected[future] = ("cancelled, and seen before", "CANCELLED")

        # Things fail.
        jobs.running(flaky)
        cluster.fail("n3")
        jobs.running(low)
        jobs.running([jobs.add("others", "COMPLETED", "waits.sh", partition="high", ntasks=60)])
        (work / "go").touch()
        cluster.stop("slurmdbd")
        time.sleep(10)
        cluster.start("slurmdbd")
        cluster.resume("n3")
        cluster.stop("mariadbd")
        time.sleep(8)
        cluster.start("mariadbd")
        cluster.restart("slurmctld")
        tasks_of_held = cluster.admin("squeue", "-h", "-t", "pending", "--name=released", "-o", "%i").split()
        cluster.user("scontrol", "release", ",".join(tasks_of_held))
        wait(jobs.expected, PATIENCE)
        wrong = Counter(
            (kind, expected, outcome(future))
            for future, (kind, expected) in jobs.expected.items()
            if outcome(future) != expected
        )
        completed = [future for future in jobs.expected if outcome(future) == "COMPLETED"]
        records = [future.result() for future in completed]
        unmarked = {future.result().job for future in completed if jobs.expected[future][0] == "het"}
        if wrong:
            executor.cancel_all()
    print(f"{len(jobs.expected)} jobs; calls: {dict(Counter(runner.calls))}; {Counter(jobs.expected.values())}")
    assert not wrong, "\n".join(f"{count} of {what}" for what, count in wrong.items())
    assert any(executor_cancels.values())
    assert len(jobs.expected) >= 200
    marks = {mark.name for mark in (work / "marks").iterdir()}
    listed = cluster.admin("sacct", "-aXnP", "-D", "--format=JobID,JobIDRaw").split()
    raw = dict(name.split("|") for name in listed)
    names = [record.job if record.element is None else f"{record.job}_{record.element}" for record in records]
    assert [name for name in names if raw.get(name, name) not in marks and name not in unmarked] == []


def prepare(cluster: Cluster, work: Path) -> None:
    marks = work / "marks"
    marks.mkdir()
    marks.chmod(0o777)
    for name, text in {
        "job.sh": JOB,
        "waits.sh": WAITS,
        "again.sh": AGAIN,
        "het0.sh": HET.format(code=0),
        "het3.sh": HET.format(code=3),
    }.items():
        (work / name).write_text(text)
    (work / "array.sh").write_text(ARRAY)


def add_plain(jobs: Jobs) -> None:
    """Those that nothing in particular happens to."""
    for number in range(48):
        jobs.add("plain", "COMPLETED", "job.sh", number % 7, 0)
    for code in CODES * 2:
        jobs.add("exit", truth_of_exit(code), "job.sh", code % 5, code)
    for signal in (1, 9, 11, 15):
        jobs.add("signal", f"FAILED 0:{signal}", wrap=f"kill -{signal} $$; sleep 9")
    for name in NAMES:
        jobs.add("names", "FAILED 4:0", "job.sh", 1, 4, job_name=name, comment=name)
    for command in ("sleep 300", "trap '' TERM; while :; do sleep 1; done"):
        for _ in range(2):
            jobs.add("time", "TIMEOUT", wrap=command, time=timedelta(seconds=30))
    jobs.add_array("array", lambda _: "FAILED 7:0", "0-39:2%5", 1, 7)
    for _ in range(2):
        jobs.add("queues itself", "FAILED 5:0", "again.sh", requeue=True)
        jobs.add("held", "COMPLETED", "job.sh", 0, 0, hold=True, job_name="released")
        jobs.add("later", "COMPLETED", "job.sh", 0, 0, begin="now+20")
    jobs.add("het", "COMPLETED", "het0.sh")
    jobs.add("het", "FAILED 3:0", "het3.sh")
    jobs.add("whole array", "FAILED 1:0", "array.sh")
    there = Slurm(cluster="one", run=jobs.slurm._run)
    for task, code in ((there.start("job.sh", 1, code), code) for code in (0, 128)):
        jobs.expected[jobs.executor.adopt(task)] = ("cluster", truth_of_exit(code))
    never = jobs.slurm.start("job.sh", 0, 1)
    options = {"dependency": f"afterok:{never}", "kill_on_invalid_dep": "yes"}
    jobs.add("never", "CANCELLED", "job.sh", 0, 0, **options)
