#!/usr/bin/env bash
# distributed 2026.8.0: Client(address) where nobody answers raises OSError, as it should, and leaves the thread of its
# event loop running: one more for each try. There is no client that could be closed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check distributed==2026.8.0
cd "$folder"
venv/bin/python - <<'PROGRAM'
import gc
import threading
import time

from distributed import Client

for _ in range(3):
    try:
        Client("tcp://127.0.0.1:9", timeout=0.5)
    except OSError as error:
        print(type(error).__name__, str(error)[:60])
    else:
        raise SystemExit("somebody answers")
gc.collect()
time.sleep(2)
left = [thread.name for thread in threading.enumerate() if thread.name == "IO loop"]
print("threads:", left)
assert len(left) == 3
PROGRAM
