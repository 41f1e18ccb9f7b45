#!/usr/bin/env bash
# google-api-core 2.44.0: if the polling of an Operation fails, or takes longer than its time, the callbacks that were
# added are never called: the thread that polled ends with the error, which is printed at the most. Whoever waits for the callback
# waits for ever. (Each operation with a callback has a thread of its own.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check google-api-core==2.44.0
cd "$folder"
venv/bin/python - 2>errors <<'PROGRAM'
import threading

from google.api_core import exceptions, operation
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2


def refresh(retry=None):
    raise exceptions.PermissionDenied("the key was changed")


pending = [
    operation.Operation(operations_pb2.Operation(name=f"operations/{n}"), refresh, lambda: None, empty_pb2.Empty)
    for n in range(3)
]
before = threading.active_count()
called = []
for one in pending:
    one.add_done_callback(called.append)
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join(30)
print("threads left:", threading.active_count() - before, "- callbacks called:", len(called))
assert threading.active_count() == before and called == []
PROGRAM
echo "on stderr: $(wc -l < errors) lines"
