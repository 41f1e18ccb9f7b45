#!/usr/bin/env bash
# rq 3.0.0: a job that is put into a queue under the id of one that waits there takes its place, and the id is in the queue twice:
# the later call is made two times, the earlier one never. An id of one's own does not make starting a job idempotent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check rq==3.0.0 fakeredis==2.41.0
cd "$folder"
venv/bin/python - <<'PROGRAM'
import logging
import math

import fakeredis
import rq

logging.disable(logging.CRITICAL)
connection = fakeredis.FakeStrictRedis()
queue = rq.Queue(connection=connection)
queue.enqueue(math.factorial, 3, job_id="night-1")
queue.enqueue(math.factorial, 5, job_id="night-1")
waiting = queue.job_ids
rq.SimpleWorker([queue], connection=connection).work(burst=True)
results = [result.return_value for result in queue.fetch_job("night-1").results()]
print("in the queue:", waiting)
print("results of factorial(3) and factorial(5):", results)
assert waiting == ["night-1"] * 2
assert results == [120, 120]
PROGRAM
