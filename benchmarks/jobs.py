"""What the original is made to do. Only its own interpreter runs this: `python -I jobs.py JOB COUNT`.

It prints what was measured, and with which version, as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))  # last: `more_executors` is to be the one that is installed

from benchmarks import footprint, layers, scrape, workload

WORKS = {
    **layers.EXECUTORS,
    **layers.FUNCTIONS,
    **layers.GATHERING,
    "chain": layers.CHAIN,
    "deep": layers.DEEP,
    "scrape": scrape.SCRAPE,
}

JOBS: dict[str, Callable[[int], float]] = {
    "submit": workload.seconds_to_submit,
    "cancel": workload.seconds_to_cancel,
    "live": workload.seconds_to_live,
    "memory": workload.bytes_outstanding,
    **{f"memory of {layer}": partial(footprint.bytes_above_delegate, layer) for layer in footprint.LAYERS},
    **{name: work.seconds for name, work in WORKS.items()},
}

if __name__ == "__main__":
    value = JOBS[sys.argv[1]](int(sys.argv[2]))
    print(json.dumps({"version": version("more-executors"), "value": value}))
