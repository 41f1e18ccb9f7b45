"""Options and arguments of sbatch."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from more_executors.services.slurm._options import command_of, options_of, what_to_run


def test_options_are_written_as_sbatch_takes_them() -> None:
    given = {
        "mem": "4G",
        "cpus_per_task": 2,
        "exclusive": True,
        "requeue": False,
        "account": None,
        "output": Path("logs/%j.out"),
        "time": timedelta(days=1, hours=2, minutes=3, seconds=4),
        "comment": "a b; $(rm -rf x) 'q'",
    }
    assert options_of(given) == [
        "--mem=4G",
        "--cpus-per-task=2",
        "--exclusive",
        f"--output={Path('logs/%j.out')}",
        "--time=1-02:03:04",
        "--comment=a b; $(rm -rf x) 'q'",
    ]


def test_a_time_limit_is_rounded_up() -> None:
    assert options_of({"time": timedelta(seconds=59, microseconds=1)}) == ["--time=0-00:01:00"]
    with pytest.raises(ValueError, match="time must not be negative"):
        options_of({"time": timedelta(seconds=-1)})


@pytest.mark.parametrize("name", ["array", "clusters", "wait", "parsable", "test_only", "help"])
def test_an_option_that_would_break_the_reading_of_the_answer_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} cannot be given here"):
        options_of({name: True})


@pytest.mark.parametrize("name", ["N", "a-b", "Mem", "_mem", "mem_", "mem__per", "mem=4G --array"])
def test_a_name_that_is_none_of_sbatch_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="options are named as sbatch names the long ones"):
        options_of({name: "1"})


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"a", object()])
def test_a_value_that_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="mem must be a str, a number or a path"):
        options_of({"mem": value})
    with pytest.raises(ValueError, match="mem must not have a NUL"):
        options_of({"mem": "a\0b"})


def test_a_script_is_never_taken_for_an_option() -> None:
    assert what_to_run("-x.sh", ("--array=1-3", 7, Path("in.txt")), None) == [
        "--",
        "-x.sh",
        "--array=1-3",
        "7",
        "in.txt",
    ]


def test_a_command_is_a_text_for_the_shell_or_words() -> None:
    assert what_to_run(None, (), "a | b") == ["--wrap=a | b"]
    assert command_of(["echo", "a b", "$HOME", 7]) == "echo 'a b' '$HOME' 7"
    for wrong in ([], 7, [True], {"a"}):
        with pytest.raises(TypeError):
            command_of(wrong)


def test_there_must_be_a_script_or_a_command() -> None:
    for script, wrap in ((None, None), ("a.sh", "true")):
        with pytest.raises(TypeError, match="either script or wrap"):
            what_to_run(script, (), wrap)
    with pytest.raises(TypeError, match="only a script takes arguments"):
        what_to_run(None, ("a",), "true")
    with pytest.raises(ValueError, match="script must be the path of one"):
        what_to_run("", (), None)
