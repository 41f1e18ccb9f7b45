#!/usr/bin/env bash
# dramatiq 2.2.1: what an actor returns and JSON cannot encode is logged at the worker, and no more: the message is done, with
# neither a result nor a failure. Who waits for it waits until a time-out of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check dramatiq==2.2.1
cd "$folder"
venv/bin/python - <<'PROGRAM'
import logging

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.results import ResultMissing, Results
from dramatiq.results.backends import StubBackend

logging.disable(logging.CRITICAL)
broker = StubBroker()
broker.add_middleware(Results(backend=StubBackend()))
dramatiq.set_broker(broker)
runs = []


@dramatiq.actor(store_results=True, max_retries=0)
def work(value):
    runs.append(value)
    return {value} if value == "a set" else [value]


worker = dramatiq.Worker(broker, worker_timeout=10)
worker.start()
messages = [work.send("a set"), work.send("a list")]
broker.join("default")
worker.join()
worker.stop()
outcomes = []
for message in messages:
    try:
        outcomes.append(message.get_result(block=False))
    except ResultMissing as error:
        outcomes.append(type(error).__name__)
print("ran:", sorted(runs), "- results:", outcomes, "- failed ones:", broker.dead_letters)
assert sorted(runs) == ["a list", "a set"]
assert outcomes == ["ResultMissing", ["a list"]]
assert broker.dead_letters == []
PROGRAM
