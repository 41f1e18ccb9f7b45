#!/usr/bin/env bash
# distributed 2026.8.0: Client.retire_workers([address]) of a worker that has an actor returns {}, raises nothing, and
# leaves the worker as it was: running, and taking tasks. close_workers=True makes no difference. Without an actor, the
# same call retires it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check distributed==2026.8.0
cat > "$folder/program.py" <<'PROGRAM'
import logging
import time

from distributed import Client, LocalCluster


class Counter:
    def one(self):
        return 1


def main():
    logging.getLogger("distributed").setLevel(logging.ERROR)
    with LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        with Client(cluster) as client:
            client.wait_for_workers(3)
            with_actor, without, _ = client.scheduler_info(n_workers=-1)["workers"]
            actor = client.submit(Counter, actor=True, workers=[with_actor]).result()
            print("with an actor:", client.retire_workers([with_actor], close_workers=True))
            retired = client.retire_workers([without])
            print("without:", list(retired) == [without])
            time.sleep(2)
            left = client.scheduler_info(n_workers=-1)["workers"]
            print("there:", with_actor in left, left[with_actor]["status"], "answers", actor.one().result())
            print("takes tasks:", client.submit(int, "5", workers=[with_actor], pure=False).result())
            assert with_actor in left and left[with_actor]["status"] == "running"
            assert list(retired) == [without] and without not in left


if __name__ == "__main__":
    main()
PROGRAM
cd "$folder"
venv/bin/python program.py
