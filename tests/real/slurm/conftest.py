"""A cluster for the tests of this folder: started once, and stopped at the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cluster import PACKAGES, Cluster, install, why_not
from debian_support import need_apt

from more_executors.services.slurm import CommandResult, Slurm


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if why_not() is not None:
        need_apt(("slurmctld", "slurmd", "slurmdbd", "sbatch", "mariadbd", "munged"))
        install()
    if problem := why_not():
        pytest.skip(f"{problem} (packages: {', '.join(PACKAGES)})")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # not below that of pytest, which others may not enter
    folder.chmod(0o755)
    made = Cluster(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


class Runner:
    """Runs commands as a user without rights, and counts them."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.calls: list[str] = []

    def __call__(self, command: list[str], variables: Mapping[str, str]) -> CommandResult:
        self.calls.append(command[0])
        done = self.cluster.user(*command, check=False, **variables)
        return CommandResult(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def runner(cluster: Cluster) -> Runner:
    return Runner(cluster)


@pytest.fixture
def slurm(runner: Runner) -> Slurm:
    """Asks each second, and gives a job up after 30 s that nobody knows."""
    made = Slurm(run=runner, interval=1)
    made.missing_after = 30
    return made
