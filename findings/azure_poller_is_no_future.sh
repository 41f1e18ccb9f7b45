#!/usr/bin/env bash
# azure-core 1.41.0: a callback that was added to an LROPoller is called with its polling method, not with the poller as
# the callbacks of a concurrent.futures.Future are called with the future. A poller has no cancelled(), exception() or
# cancel() either, although it has add_done_callback(), result() and done().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check azure-core==1.41.0
cd "$folder"
venv/bin/python - <<'PROGRAM'
from azure.core.polling import LROPoller, NoPolling

poller = LROPoller(None, object(), lambda response: "resource", NoPolling())
seen = []
poller.add_done_callback(seen.append)
poller.wait(10)
print("result:", poller.result(), "- the callback was called with a", type(seen[0]).__name__)
assert isinstance(seen[0], NoPolling) and seen[0] is not poller
missing = [name for name in ("cancel", "cancelled", "exception", "running") if not hasattr(poller, name)]
print("missing:", missing)
assert missing == ["cancel", "cancelled", "exception", "running"]
PROGRAM
