"""What sacct and squeue print is read: outputs of real ones, recorded by tests/real/slurm/record.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from more_executors.services.slurm import CommandResult, JobRecord, Slurm, SlurmError
from more_executors.services.slurm import _accounting as accounting
from more_executors.services.slurm import _queue as queue
from more_executors.services.slurm._commands import Commands
from more_executors.services.slurm._ids import parsed
from more_executors.services.slurm._settled import records_wait

RECORDED = sorted(path for path in Path(__file__).with_name("recorded").iterdir() if path.is_dir())


@pytest.fixture(params=RECORDED, ids=lambda path: path.name)
def recorded(request: pytest.FixtureRequest) -> Path:
    return request.param


def numbers(recorded: Path) -> dict[str, str]:
    return dict(line.split("\t") for line in (recorded / "jobs.txt").read_text().splitlines())


def records(recorded: Path, *, controller: bool = True, suffixes: tuple[str, ...] = ("",)) -> dict[str, JobRecord]:
    """What becomes of the jobs that were recorded, by what they are there for."""

    def run(command, _):
        if command[0] == "squeue" and not controller:
            return CommandResult(0, "", "")
        return CommandResult(0, (recorded / f"{command[0]}.txt").read_text(), "")

    names = {number + suffix: name + suffix for name, number in numbers(recorded).items() for suffix in suffixes}
    return {names[task]: record for task, record in Slurm(run=run).fetch(list(names)).items()}


def test_a_job_ends_as_its_script_did(recorded: Path) -> None:
    found = records(recorded)
    assert {
        name: (record.state, record.exit_code, record.signal, record.exit_code_certain)
        for name, record in found.items()
    } == {
        "completed": ("COMPLETED", 0, 0, True),
        "exit 3": ("FAILED", 3, 0, True),
        "exit 128": ("FAILED", 128, 0, True),
        "exit 137": ("FAILED", 137, 0, True),
        "exit 255": ("FAILED", 255, 0, True),
        "killed": ("FAILED", 0, 9, True),
        "named": ("FAILED", 1, 0, True),
        "cluster": ("COMPLETED", 0, 0, True),
        "held": ("PENDING", 0, 0, True),
        "array": ("RUNNING", 0, 0, True),
        "odd array": ("PENDING", 0, 0, True),
        "cancelled array": ("CANCELLED", 0, 0, True),
        "stubborn": ("COMPLETING", 0, 0, True),
        "het": ("FAILED", 3, 0, True),
    }
    assert found["completed"].nodes == "n1"
    assert found["held"].nodes == ""
    assert found["stubborn"].elapsed > 30
    assert found["exit 3"].submitted is not None
    assert found["exit 3"].submitted <= (found["exit 3"].started or 0) <= (found["exit 3"].ended or 0)


def test_without_the_controller_it_is_not_certain_what_high_exit_codes_were(recorded: Path) -> None:
    found = records(recorded, controller=False)
    assert {
        name: (found[name].exit_code, found[name].exit_code_certain) for name in ("exit 3", "exit 128", "exit 137")
    } == {
        "exit 3": (3, False),
        "exit 128": (0, False),
        "exit 137": (9, False),
    }
    assert found["exit 137"].why() == "FAILED, exit code 9 or 137"
    assert found["exit 128"].why() == "FAILED, exit code 128 or none"
    assert found["killed"].why() == "FAILED, by signal 9"
    assert found["stubborn"].why().startswith("CANCELLED by user ")
    assert found["completed"].exit_code_certain


def test_elements_have_what_their_rows_say_or_those_of_all_that_wait(recorded: Path) -> None:
    array = records(recorded, suffixes=tuple(f"_{index}" for index in (0, 1, 3, 7, 9, 20, 21, 450)))
    states = {name: record.state for name, record in array.items() if "array" in name and "odd" not in name}
    assert states == {
        "array_0": "CANCELLED",
        "array_1": "RUNNING",
        "array_3": "PENDING",
        "array_9": "PENDING",  # and none of 7, of which nothing is kept
        "cancelled array_1": "CANCELLED",
        "cancelled array_3": "CANCELLED",
    }
    odd = [name.partition("_")[2] for name in array if name.startswith("odd")]
    assert odd == ["0", "3", "9", "21", "450"]


def test_the_parts_of_a_heterogeneous_job_are_polled_one_by_one_as_well(recorded: Path) -> None:
    found = records(recorded, suffixes=("+0", "+1", "+2"))
    assert {name: (record.exit_code, record.nodes) for name, record in found.items()} == {
        "het+0": (3, "n1"),
        "het+1": (3, "n2"),
    }


def test_squeue_that_is_asked_about_a_cluster_says_the_same(recorded: Path) -> None:
    plain, named = ((recorded / f"{name}.txt").read_text() for name in ("squeue", "squeue_cluster"))
    assert list(queue.rows_of(plain)) == list(queue.rows_of(named))


def test_sdiag_says_how_many_records_wait(recorded: Path) -> None:
    text = (recorded / "sdiag.txt").read_text()

    def says(text):
        return records_wait(Commands(lambda command, _: CommandResult(0, text, ""), None))

    assert not says(text)
    assert says(text.replace("DBD Agent queue size: 0", "DBD Agent queue size: 31"))
    assert not says("Agent queue size: 7\nDBD Agent queue size: 0\n")


@pytest.mark.parametrize(
    ("code", "bits"), [("0", (0, 0)), ("35072", (137, 0)), ("9", (0, 9)), ("137:0", (137, 0)), ("0:15", (0, 15))]
)
def test_an_exit_status_is_read(code: str, bits: tuple[int, int]) -> None:
    assert queue.exit_of(code) == bits


def test_of_two_rows_of_a_job_that_of_the_later_submission_counts() -> None:
    rows = [f"7|{when}|1|1|{state}|0:0|0|n1" for when, state in ((9, "COMPLETED"), (5, "FAILED"))]
    for lines in (rows, rows[::-1]):
        row = accounting.Accounting(accounting.rows_of("\n".join(lines))).row(parsed("7"))
        assert row is not None
        assert row.state == "COMPLETED"


@pytest.mark.parametrize(
    "row", ["", "7|1|1", "7|1|1|1|COMPLETED|0:0|0|n1|", "x|1|1|1|COMPLETED|0:0|0|n1", "7|now|1|1|COMPLETED|0:0|0|n1"]
)
def test_a_row_of_sacct_that_cannot_be_read_is_an_error_and_no_status(row: str) -> None:
    with pytest.raises(SlurmError, match="sacct: a row that is none") as caught:
        list(accounting.rows_of(f"7|1|1|1|COMPLETED|0:0|0|n1\n{row}\n"))
    assert repr(row) in str(caught.value)


@pytest.mark.parametrize("row", ["7|PENDING|0", "x|PENDING|0|1|", "7|PENDING|zero|1|"])
def test_a_row_of_squeue_that_cannot_be_read_is_an_error_and_no_status(row: str) -> None:
    with pytest.raises(SlurmError, match="squeue: a row that is none"):
        list(queue.rows_of(f"{row}\n"))
