#!/usr/bin/env bash
# celery 5.6.2: revoking returns None, whether the task was queued, is done, or never existed: nobody says whether it was
# cancelled. A cancel function that returns what it returns always says no.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check celery==5.6.2
cd "$folder"
venv/bin/python - <<'PROGRAM'
from celery import Celery

app = Celery("tasks", broker="memory://", backend="cache+memory://")


@app.task
def work():
    return 1


queued = work.delay()
answers = [queued.revoke(), app.control.revoke("no-such-task"), app.control.terminate("no-such-task")]
print("revoke of a queued task, of an unknown one, terminate of an unknown one:", answers)
assert answers == [None] * 3
PROGRAM
