#!/usr/bin/env bash
# rq 3.0.0: a job that is canceled while it runs is CANCELED at once, runs on, and is FINISHED then, with a result. Who takes
# CANCELED as an end has given up a job that goes on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check rq==3.0.0 fakeredis==2.41.0
cd "$folder"
cat > jobs.py <<'PROGRAM'
import rq

seen = []


def work():
    job = rq.get_current_job()
    job.cancel()  # as anybody may, from anywhere
    job.refresh()
    seen.append(job.get_status())
    return "the end"
PROGRAM
venv/bin/python - <<'PROGRAM'
import logging

import fakeredis
import jobs
import rq

logging.disable(logging.CRITICAL)
connection = fakeredis.FakeStrictRedis()
queue = rq.Queue(connection=connection)
job = queue.enqueue(jobs.work)
rq.SimpleWorker([queue], connection=connection).work(burst=True)
print("while it runs:", jobs.seen[0], "- then:", job.get_status(), repr(job.return_value()))
assert jobs.seen == ["canceled"]
assert job.get_status() == "finished"
assert job.return_value() == "the end"
PROGRAM
