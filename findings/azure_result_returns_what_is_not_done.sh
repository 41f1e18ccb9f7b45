#!/usr/bin/env bash
# azure-core 1.41.0: LROPoller.result(timeout) raises nothing when the time is up. It returns the resource as it is then,
# as if the operation had succeeded: here one that is still being created.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check azure-core==1.41.0 requests
cd "$folder"
venv/bin/python - <<'PROGRAM'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from azure.core import PipelineClient
from azure.core.polling import LROPoller
from azure.core.polling.base_polling import LROBasePolling
from azure.core.rest import HttpRequest


class Service(BaseHTTPRequestHandler):
    def send(self, status, body, **headers):
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_PUT(self):
        self.send(201, {"state": "being created"}, Operation_Location=f"{url}/operations/1")

    def do_GET(self):
        self.send(200, {"status": "InProgress"}, Retry_After="1")

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
url = f"http://127.0.0.1:{server.server_port}"
threading.Thread(target=server.serve_forever, daemon=True).start()
client = PipelineClient(url)
first = client.send_request(HttpRequest("PUT", f"{url}/things/1"), _return_pipeline_response=True)
poller = LROPoller(client, first, lambda reply: reply.http_response.json(), LROBasePolling(timeout=1))
result = poller.result(timeout=0.5)
print("result(timeout=0.5):", result, "- done():", poller.done(), "- status():", poller.status())
assert not poller.done() and poller.status() == "InProgress"
PROGRAM
