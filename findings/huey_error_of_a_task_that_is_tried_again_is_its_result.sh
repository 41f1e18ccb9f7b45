#!/usr/bin/env bash
# huey 3.5.4: the error of a task that has retries left is stored as its result: reading the result raises it, although the
# task is tried again, and ends well. (store_intermediate_errors=False says no; True is the default.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check huey==3.5.4
cd "$folder"
venv/bin/python - <<'PROGRAM'
import logging

from huey import MemoryHuey
from huey.exceptions import TaskException

logging.disable(logging.CRITICAL)
huey = MemoryHuey()
runs = []


@huey.task(retries=1)
def work():
    runs.append(None)
    if len(runs) == 1:
        raise ValueError("once")
    return "at last"


task_id = work().id
huey.execute(huey.dequeue())
try:
    first = huey.result(task_id, preserve=True)
except TaskException as error:
    first = repr(error.metadata["error"])
waiting = len(huey.pending())
huey.execute(huey.dequeue())
second = huey.result(task_id)
print("after the first run:", first, "- in the queue:", waiting, "- after the second:", second)
assert "ValueError" in first
assert waiting == 1
assert second == "at last"
PROGRAM
