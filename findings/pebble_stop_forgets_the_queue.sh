#!/usr/bin/env bash
# pebble 5.2.3: its pools are not executors: they have no submit(fn, *args) like the standard one, and no shutdown. stop()
# of a ThreadPool lets the call that runs end, and leaves the futures that are queued pending: join() returns, and nobody
# ends them any more.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check pebble==5.2.3
cd "$folder"
venv/bin/python - <<'PROGRAM'
import concurrent.futures
import threading

from pebble import ThreadPool

pool = ThreadPool(max_workers=1)
gate, begun = threading.Event(), threading.Event()


def first():
    begun.set()
    gate.wait(10)


futures = [pool.schedule(first), *(pool.schedule(int) for _ in range(3))]
begun.wait(10)
pool.stop()
gate.set()
pool.join(10)
concurrent.futures.wait(futures, timeout=3)
states = [future._state for future in futures]
print("shutdown:", hasattr(pool, "shutdown"), "- after stop() and join():", states)
assert not hasattr(pool, "shutdown") and states[1:] == ["PENDING"] * 3
PROGRAM
