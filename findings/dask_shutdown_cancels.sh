#!/usr/bin/env bash
# distributed 2026.8.0: shutdown(wait=False) of client.get_executor() cancels what is not done, the tasks that run included;
# of a standard executor it only refuses new work. shutdown(cancel_futures=True) is a TypeError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check distributed==2026.8.0
cd "$folder"
venv/bin/python - <<'PROGRAM'
import concurrent.futures
import logging
import time

from distributed import Client

logging.getLogger("distributed").setLevel(logging.CRITICAL)

if __name__ == "__main__":
    client = Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None)
    executor = client.get_executor()
    futures = [executor.submit(time.sleep, 0.5) for _ in range(4)]
    executor.shutdown(wait=False)
    concurrent.futures.wait(futures, timeout=10)
    print("after shutdown(wait=False):", [future.cancelled() for future in futures], "cancelled")
    assert all(future.cancelled() for future in futures)
    try:
        client.get_executor().shutdown(cancel_futures=True)
    except TypeError as error:
        print("cancel_futures=True:", error)
    else:
        raise SystemExit("it takes cancel_futures now")
    client.close()
PROGRAM
