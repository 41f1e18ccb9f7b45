"""The package whose API this library has, as a black box to time: installed in an environment of its own."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

from .builds import CACHE

VERSION = "2.11.4"
PYTHON = f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}"
ENVIRONMENT = CACHE / f"original-{VERSION}-{PYTHON}"
REQUIREMENTS = (f"more-executors=={VERSION}", "prometheus_client")
JOBS = Path(__file__).with_name("jobs.py")


class UnavailableError(Exception):
    """The original cannot be installed here."""


class Original:
    """The installed original, on the same interpreter as this process."""

    def __init__(self) -> None:
        """Install it, unless that has been done. Raises UnavailableError."""
        self._python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        installed = ENVIRONMENT / "installed"
        wanted = "\n".join(REQUIREMENTS)
        if not (installed.exists() and installed.read_text() == wanted and self._python.exists()):
            run(sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT))
            pip = (str(self._python), "-I", "-m", "pip", "--disable-pip-version-check", "--retries=1", "--timeout=15")
            run(*pip, "install", *REQUIREMENTS)
            installed.write_text(wanted)

    def measure(self, job: str, count: int, metrics: bool = False) -> float:
        """What `jobs.py` measures with the original, in a fresh process; without `metrics`, it keeps none."""
        environment = {} if metrics else {"MORE_EXECUTORS_PROMETHEUS": "0"}
        answer = json.loads(run(str(self._python), "-I", str(JOBS), job, str(count), **environment).splitlines()[-1])
        if answer["version"] != VERSION:
            raise RuntimeError(f"{ENVIRONMENT} has {answer['version']} instead of the original; delete it")
        return float(answer["value"])


class Missing(Original):
    """Stands in for the original where that is not to be had."""

    def __init__(self) -> None:
        pass

    def measure(self, job: str, count: int, metrics: bool = False) -> float:
        return math.nan


def run(*command: str, **environment: str) -> str:
    """What a command prints, with some more variables in its environment. Raises UnavailableError if it fails."""
    variables = {**os.environ, **environment}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        # The last line only: a traceback would quote the original's source.
        raise UnavailableError(f"{' '.join(command)}: {''.join(done.stderr.strip().splitlines()[-1:])}")
    return done.stdout
