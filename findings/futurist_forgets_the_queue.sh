#!/usr/bin/env bash
# futurist 3.5.0: shutdown(wait=False) of a ThreadPoolExecutor forgets what is queued: those futures are neither run nor
# cancelled, and stay pending. The standard library's pool, which it resembles, runs them all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check futurist==3.5.0
cd "$folder"
venv/bin/python - <<'PROGRAM'
import concurrent.futures
import os
import threading

import futurist


def states(pool):
    gate, begun = threading.Event(), threading.Event()

    def first():
        begun.set()
        gate.wait(10)

    futures = [pool.submit(first), *(pool.submit(int) for _ in range(3))]
    begun.wait(10)
    pool.shutdown(wait=False)
    gate.set()
    concurrent.futures.wait(futures, timeout=3)
    return [future._state for future in futures]


ours = states(concurrent.futures.ThreadPoolExecutor(1))
theirs = states(futurist.ThreadPoolExecutor(max_workers=1))
print("concurrent.futures:", ours)
print("futurist:          ", theirs, flush=True)
assert ours == ["FINISHED"] * 4
assert theirs == ["FINISHED"] + ["PENDING"] * 3
os._exit(0)
PROGRAM
