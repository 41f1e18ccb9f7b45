#!/usr/bin/env bash
# loky 3.7.0: its executors are concurrent.futures.Executor by class, but shutdown(cancel_futures=True), known there since
# Python 3.9, is a TypeError; the way to drop what is queued is called kill_workers, and kills what runs as well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check loky==3.7.0
cd "$folder"
venv/bin/python - <<'PROGRAM'
import concurrent.futures
import inspect

import loky

kind = loky.ProcessPoolExecutor
assert issubclass(kind, concurrent.futures.Executor)
print("parameters of shutdown:", list(inspect.signature(kind.shutdown).parameters))
try:
    kind.shutdown(None, cancel_futures=True)
except TypeError as error:
    print("cancel_futures=True:", error)
else:
    raise SystemExit("it takes cancel_futures now")
PROGRAM
