"""The README's program with Slurm runs as it stands there, on a stand-in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fake_slurm import FakeSlurm

from more_executors.services import slurm as module
from more_executors.services.slurm import Slurm

README = Path(__file__).parents[3] / "README.md"


@pytest.mark.skipif(not README.exists(), reason="needs a checkout")
def test_the_program_of_the_readme(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class AtOnce(Slurm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs, interval=0.01, run=fake.at_once)

    monkeypatch.setattr(module, "Slurm", AtOnce)
    (program,) = [
        code for code in re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL) if "Slurm()" in code
    ]
    exec(program, {})
    assert re.fullmatch(r"\d+ seconds on .*\n", capsys.readouterr().out)
    first, second = (call for call in fake.calls if call[0] == "sbatch")
    assert {"align.sh", "chr1.bam", "--mem=4G", "--time=2:00:00"} <= {*first, *second}
    assert "--array=0-99%10" in {*first, *second}
