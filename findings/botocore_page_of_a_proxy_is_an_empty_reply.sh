#!/usr/bin/env bash
# botocore 1.44.8: a reply with status 200 whose body is no JSON, such as the page of a proxy that wants a login, is a
# success in which there is nothing: describe_jobs raises no error, and its reply has no key "jobs". A program that reads
# reply.get("jobs", []) takes all its jobs for forgotten. With any other status, the same body is an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check botocore==1.44.8
cd "$folder"
venv/bin/python - <<'PROGRAM'
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import botocore.session
from botocore.config import Config


class Proxy(BaseHTTPRequestHandler):
    def do_POST(self):
        page = b"<html><body>Please log in</body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", 0), Proxy)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = botocore.session.Session().create_client(
    "batch",
    region_name="eu-west-1",
    endpoint_url=f"http://127.0.0.1:{server.server_port}",
    aws_access_key_id="a",
    aws_secret_access_key="b",
    config=Config(retries={"total_max_attempts": 1}),
)
reply = client.describe_jobs(jobs=["0cffddb0-8bfa-4ba4-86ba-c5cad59e4529"])
about = reply.pop("ResponseMetadata")
print("status", about["HTTPStatusCode"], "content type", about["HTTPHeaders"]["content-type"], "- the rest of the reply:", reply)
assert about["HTTPStatusCode"] == 200 and reply == {}
server.shutdown()
PROGRAM
