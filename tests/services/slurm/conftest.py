"""A stand-in for Slurm, and a `Slurm` that runs its commands; time passes only there."""

from __future__ import annotations

import pytest
from fake_slurm import FakeSlurm

from more_executors.services.slurm import Slurm, _cancelling, _finding, _slurm


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    made = FakeSlurm()

    def sleep(seconds: float) -> None:
        made.now += 1
        made.slept(seconds)

    monkeypatch.setattr(_cancelling, "sleep", sleep)
    monkeypatch.setattr(_finding, "sleep", sleep)
    monkeypatch.setattr(_slurm, "time", lambda: made.now)
    return made


@pytest.fixture
def slurm(fake: FakeSlurm) -> Slurm:
    return Slurm(run=fake)
