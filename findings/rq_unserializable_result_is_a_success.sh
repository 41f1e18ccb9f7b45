#!/usr/bin/env bash
# rq 3.0.0: a job whose return value cannot be pickled is FINISHED, and what it returned is the text "Unserializable return
# value", as for a job that has returned that very text: nothing tells the two apart.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check rq==3.0.0 fakeredis==2.41.0
cd "$folder"
venv/bin/python - <<'PROGRAM'
import logging

import fakeredis
import rq

logging.disable(logging.CRITICAL)
connection = fakeredis.FakeStrictRedis()
queue = rq.Queue(connection=connection)
lock = queue.enqueue("threading.Lock")
text = queue.enqueue("operator.concat", "Unserializable return ", "value")
rq.SimpleWorker([queue], connection=connection).work(burst=True)
for name, job in (("a lock", lock), ("that text", text)):
    job.refresh()
    print(f"a job that returned {name}:", job.get_status(), job.latest_result().type, repr(job.return_value()))
    assert job.get_status() == "finished"
    assert job.latest_result().type == rq.results.Result.Type.SUCCESSFUL
    assert job.return_value() == "Unserializable return value"
PROGRAM
