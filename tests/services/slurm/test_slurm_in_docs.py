"""What the page about Slurm has programs do, on a stand-in."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fake_slurm import FakeSlurm
from support import PATIENCE

from more_executors import Executors
from more_executors.services.slurm import Slurm, SubmissionInDoubt

PAGE = Path(__file__).parents[3] / "docs" / "services" / "slurm.md"
TOO_LATE = "the time is up"
LOST = [
    "ssh: connect to host login port 22: Connection refused\n",
    "Connection to login closed by remote host.\n",
    "client_loop: send disconnect: Broken pipe\n",
    "Timeout, server login not responding.\n",
]

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="needs a checkout")


def names_of(words: str) -> dict[str, Any]:
    """What the block of the page that has these words defines."""
    names: dict[str, Any] = {"Executors": Executors, "Slurm": Slurm}
    (code,) = [code for code in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL) if words in code]
    exec(code, names)
    return names


class Ssh:
    """Stands in for `subprocess.run` of ssh: loses the connection as it is told to, else has `fake` do it."""

    def __init__(self, fake: FakeSlurm) -> None:
        self.fake = fake
        self.lost: str | None = None
        self.times_lost = 0

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        assert command[:2] == ["ssh", "login"]
        if self.lost is not None:
            self.times_lost += 1
            if self.lost == TOO_LATE:
                raise subprocess.TimeoutExpired([*command, "TOKEN=planted"], options["timeout"], stderr=b"a banner")
            return subprocess.CompletedProcess(command, 255, "", self.lost)
        _, time_format, length, *words = command[2].split(" ")
        variables = dict(part.split("=") for part in (time_format, length))
        done = self.fake([word.strip("'") for word in words], variables)
        return subprocess.CompletedProcess(command, *done)


@pytest.mark.parametrize("lost", [*LOST, TOO_LATE])
def test_a_connection_that_is_lost_fails_nothing_and_leaves_submissions_in_doubt(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    ssh = Ssh(fake)
    names = names_of("def on_login_node")
    monkeypatch.setattr(names["subprocess"], "run", ssh)
    slurm = Slurm(run=names["on_login_node"], interval=0.001)
    task = slurm.start("a.sh")
    fake.end(task)
    ssh.lost = lost
    with pytest.raises(SubmissionInDoubt) as caught:
        slurm.start("a.sh")
    assert "planted" not in repr(caught.value) + repr(caught.value.__context__)
    with Executors.for_service(slurm) as executor:
        future = executor.adopt(task)
        while ssh.times_lost < 7:
            assert not future.done()
        ssh.lost = None
        assert future.result(PATIENCE).state == "COMPLETED"


def test_a_result_is_a_record_in_each_run(fake: FakeSlurm, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = names_of("def nightly")
    for _ in range(2):
        names["slurm"] = Slurm(run=fake.at_once, interval=0.001)
        names["nightly"](tmp_path / "journal.db", ["chr1.bam"])
        assert capsys.readouterr().out == "0 s\n"
    assert [name for name, *_ in fake.calls].count("sbatch") == 1
