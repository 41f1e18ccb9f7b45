#!/usr/bin/env bash
# APScheduler 3.11.3: before the scheduler is started, a second job with the id of the first is accepted. It is start() that
# raises, and the scheduler does not run then: whoever added the jobs hears nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check apscheduler==3.11.3
cd "$folder"
venv/bin/python - <<'PROGRAM'
from apscheduler.jobstores.base import ConflictingIdError
from apscheduler.schedulers.background import BackgroundScheduler

scheduler = BackgroundScheduler()
scheduler.add_job(int, "date", id="night-1")
scheduler.add_job(str, "date", id="night-1")
accepted = [job.id for job in scheduler.get_jobs()]
try:
    scheduler.start()
    raised = None
except ConflictingIdError as error:
    raised = error
print("accepted:", accepted)
print("start:", repr(raised), "running:", scheduler.running)
assert accepted == ["night-1"] * 2
assert raised is not None
assert not scheduler.running
PROGRAM
