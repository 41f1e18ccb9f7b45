#!/usr/bin/env bash
# google-api-core 2.44.0: running() of an Operation, which is a future to its users, asks the service each time. It is
# also True for one that nobody has begun to execute: all that it says is "not done". A log line that shows whether a
# future runs makes a request, and fails when the service is away.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check google-api-core==2.44.0
cd "$folder"
venv/bin/python - <<'PROGRAM'
from google.api_core import operation
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

requests = []


def refresh(retry=None):
    requests.append("get")
    return operations_pb2.Operation(name="operations/1", done=False)


pending = operation.Operation(
    operations_pb2.Operation(name="operations/1", done=False), refresh, lambda: None, empty_pb2.Empty
)
answers = [pending.running() for _ in range(3)]
print("running() three times:", answers, "- requests made:", len(requests))
assert answers == [True] * 3 and len(requests) == 3


def away(retry=None):
    raise ConnectionError("the service is away")


lost = operation.Operation(operations_pb2.Operation(name="operations/2"), away, lambda: None, empty_pb2.Empty)
try:
    lost.running()
except ConnectionError as error:
    print("running() while the service is away raises:", repr(error))
else:
    raise SystemExit("it answers now")
PROGRAM
