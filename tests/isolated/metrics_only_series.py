"""Right after the import there are the metrics, with no series but those of what the library made for itself."""

import re

from prometheus_client import generate_latest

import more_executors  # noqa: F401

lines = [line for line in generate_latest().decode().splitlines() if "more_executors_" in line]
assert sum(line.startswith("# TYPE") and "_created" not in line for line in lines) == 34
for line in lines:
    assert line.startswith("#") or re.search('executor="internal"', line), line
