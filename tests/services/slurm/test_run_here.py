"""Commands are run without a shell, with what was asked for in their environment, and not for ever."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from more_executors.services.slurm import Slurm, SlurmError, SubmissionInDoubt
from more_executors.services.slurm._commands import Commands, RunHere

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="where Slurm is, scripts are programs")


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for commands, the only one that is looked into."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def command(commands: Path, name: str, program: str) -> None:
    path = commands / name
    path.write_text(f"#!{sys.executable} -I\nimport json, os, sys, time\n{program}\n")
    path.chmod(0o755)


def test_words_arrive_as_they_are(commands: Path) -> None:
    command(commands, "sbatch", "print(7); json.dump(sys.argv[1:], open(os.environ['LOG'], 'w'))")
    log = commands / "log"
    awkward = "a b; $(exit 1) 'q' \"d\" * \n|"
    assert Slurm(environment={"LOG": str(log)}).start("a.sh", awkward, comment=awkward) == "7"
    assert json.loads(log.read_text()) == ["--parsable", f"--comment={awkward}", "--", "a.sh", awkward]


def test_what_users_have_set_for_themselves_is_not_passed_on(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = ["SQUEUE_STATES", "SACCT_FORMAT", "SCANCEL_STATE", "SBATCH_WAIT", "SBATCH_ARRAY_INX", "SLURM_CLUSTERS"]
    for name in [*theirs, "SBATCH_ACCOUNT", "SLURM_TIME_FORMAT"]:
        monkeypatch.setenv(name, "x")
    command(commands, "sacct", "print(json.dumps(dict(os.environ)))")
    variables = {"SLURM_TIME_FORMAT": "%s"}
    found = json.loads(RunHere(60, {"SLURM_CONF": "/c"})(["sacct"], variables).stdout)
    assert not set(theirs) & set(found)
    assert (found["SLURM_CONF"], found["SLURM_TIME_FORMAT"], found["SBATCH_ACCOUNT"]) == ("/c", "%s", "x")


def test_there_is_nothing_on_standard_input(commands: Path) -> None:
    command(commands, "sbatch", "print(len(sys.stdin.read()) + 7)")
    assert Slurm().start("a.sh") == "7"


def test_a_ctrl_c_in_a_terminal_is_not_for_it(commands: Path) -> None:
    command(commands, "sbatch", "print(os.getsid(0))")
    assert Slurm().start("a.sh") != str(os.getsid(0))


def test_a_command_that_hangs_is_killed(commands: Path) -> None:
    command(commands, "sbatch", "print('waiting', file=sys.stderr, flush=True)\ntime.sleep(600)")
    slurm = Slurm(timeout=2)
    with pytest.raises(SubmissionInDoubt, match=r"sbatch was killed after 2 s"):
        slurm.start("a.sh")
    with pytest.raises(slurm.outage_errors, match=r"sbatch was killed after 0\.5 s, and said: ") as caught:
        Commands(RunHere(0.5, {}), None).ended("sbatch", "--export=TOKEN=planted")
    assert "planted" not in repr(caught.value)
    assert caught.value.__context__ is None


def test_a_command_that_is_not_there(commands: Path) -> None:
    with pytest.raises(SlurmError, match="sbatch: it cannot be run"):
        Slurm().start("a.sh")
    with pytest.raises(SlurmError, match="sacct: it cannot be run") as caught:
        Slurm().fetch(["7"])
    assert not isinstance(caught.value, Slurm().outage_errors)


def test_bytes_that_are_no_text(commands: Path) -> None:
    command(commands, "sacct", "sys.stdout.buffer.write(b'a\\xff\\n'); sys.stderr.buffer.write(b'\\xfe'); sys.exit(3)")
    assert RunHere(60, {})(["sacct"], {}) == (3, "a\ufffd\n", "\ufffd")


def test_errors_say_what_the_command_said_and_nothing_of_the_environment(
    commands: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JWT", "secret-token")
    command(commands, "sacct", "print('sacct: error: no', file=sys.stderr); sys.exit(1)")
    with pytest.raises(SlurmError) as caught:
        Slurm(environment={"TOKEN": "other-secret"}).fetch(["7"])
    assert str(caught.value) == "sacct ended with 1 and said: sacct: error: no"
    assert os.environ["SLURM_JWT"] not in repr(caught.value)
