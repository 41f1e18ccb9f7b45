"""A Prometheus of its own, as a process that scrapes what a test has."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support import PATIENCE

CONFIGURATION = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: more_executors
    static_configs: [{{targets: ["127.0.0.1:{scraped}"]}}]
"""


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


class Prometheus:
    """The HTTP API of one."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=PATIENCE) as reply:
                return bool(reply.status == 200)
        except urllib.error.URLError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that `expression` gives now."""
        found: list[dict[str, Any]] = self.ask("query?" + urllib.parse.urlencode({"query": expression}))["result"]
        return found

    def ask(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1/{what}", timeout=PATIENCE) as reply:
            return json.load(reply)["data"]

    def wait_for(self, expression: str) -> list[dict[str, Any]]:
        """The same as soon as there are any."""
        until = time.monotonic() + PATIENCE
        while not (found := self.query(expression)):
            assert time.monotonic() < until, f"no data for {expression}"
            time.sleep(0.1)
        return found


@contextmanager
def running_prometheus(program: str, folder: Path, scraped: int, rules: Path | None = None) -> Iterator[Prometheus]:
    """Scrapes 127.0.0.1 at the port `scraped`, and has the alert `rules`."""
    configuration = CONFIGURATION.format(scraped=scraped, rules="" if rules is None else json.dumps(str(rules)))
    (folder / "prometheus.yml").write_text(configuration, encoding="utf-8")
    port = free_port()
    command = [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stderr=log)
    try:
        prometheus = Prometheus(port)
        until = time.monotonic() + PATIENCE
        while not prometheus.ready():
            said = (folder / "prometheus.log").read_text(encoding="utf-8")
            assert process.poll() is None, said
            assert time.monotonic() < until, said
            time.sleep(0.1)
        yield prometheus
    finally:
        process.terminate()
        process.wait()
