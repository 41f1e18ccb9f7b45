#!/usr/bin/env bash
# huey 3.5.4: two tasks with one id are both run. Their results share a place, and reading takes the result out: the first who
# asks gets that of the later task, the other one gets None, which means not done yet.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check huey==3.5.4
cd "$folder"
venv/bin/python - <<'PROGRAM'
from huey import MemoryHuey

huey = MemoryHuey(immediate=False)
runs = []


@huey.task()
def work(number):
    runs.append(number)
    return number


tasks = [work.s(1), work.s(2)]
for task in tasks:
    task.id = "night-1"
handles = [huey.enqueue(task) for task in tasks]
while (task := huey.dequeue()) is not None:
    huey.execute(task)
results = [handle.get() for handle in handles]
print("runs:", runs, "results:", results)
assert runs == [1, 2]
assert results == [2, None]
PROGRAM
