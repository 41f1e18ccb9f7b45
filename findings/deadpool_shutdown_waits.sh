#!/usr/bin/env bash
# deadpool-executor 2026.7.1: shutdown(wait=False) waits for the task that runs, and cancels those that are queued. The
# standard library's process pool returns at once and runs them all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check deadpool-executor==2026.7.1
cd "$folder"
cat > program.py <<'PROGRAM'
import concurrent.futures
import time

import deadpool

if __name__ == "__main__":
    pool = deadpool.Deadpool(max_workers=1)
    pool.submit(int).result(60)
    futures = [pool.submit(time.sleep, 3) for _ in range(4)]
    time.sleep(1)  # the first one has begun by then
    began = time.monotonic()
    pool.shutdown(wait=False)
    seconds = time.monotonic() - began
    concurrent.futures.wait(futures, timeout=20)
    cancelled = [future.cancelled() for future in futures]
    print(f"shutdown(wait=False) returned after {seconds:.1f} s; cancelled: {cancelled}")
    assert seconds > 1 and cancelled[-1]
PROGRAM
venv/bin/python program.py
