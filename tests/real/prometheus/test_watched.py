"""A real Prometheus watches the publish demo: each query of the dashboard gives numbers, and no alert fires."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_support import Prometheus, free_port, running_prometheus
from support import CHILD_PATIENCE

for package in ("aiohttp", "matplotlib", "prometheus_client", "requests", "rich"):
    pytest.importorskip(package)

ROOT = Path(__file__).parents[3]
DASHBOARD = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text(encoding="utf-8"))
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
RULES = ROOT / "docs" / "alert-rules.yml"

# What Grafana puts in their places.
VARIABLES = {"$executor": ".*", "$__rate_interval": "15s", "$__range": "1m"}


def put(prometheus: Prometheus, query: str) -> list[float]:
    """The numbers that a query of the dashboard gives now."""
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    assert "$" not in query, query
    return [float(series["value"][1]) for series in prometheus.query(query)]


def test_every_query_of_the_dashboard_gives_numbers(tmp_path: Path, prometheus_programs: tuple[str, str]) -> None:
    port = free_port()
    options = ("--tasks=6000", "--publishes=400", "--duration=8", "--interval=0.5", "--failure-rate=0.1")
    command = [sys.executable, str(ROOT / "examples" / "publish"), *options]
    command += [f"--metrics={port}", f"--output={tmp_path / 'publish.png'}"]
    with (
        running_prometheus(prometheus_programs[0], tmp_path, port, rules=RULES) as prometheus,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo,
    ):
        try:
            numbers = watched(prometheus, demo)
            printed, _ = demo.communicate(timeout=CHILD_PATIENCE)
        finally:
            demo.kill()
        assert demo.returncode == 0, printed
        missing = [query for query in QUERIES if not numbers[query]]
        assert not missing, missing
        assert any(number > 0 for number in numbers[QUERIES[0]])
        rules = prometheus.ask("rules")["groups"][0]["rules"]
        assert len(rules) == 7
        assert {(rule["name"], rule["health"]) for rule in rules} == {(rule["name"], "ok") for rule in rules}
        assert prometheus.ask("alerts")["alerts"] == []


def watched(prometheus: Prometheus, demo: subprocess.Popen[str]) -> dict[str, list[float]]:
    """What the queries give while `demo` goes on, until each has given something but "not a number"."""
    numbers: dict[str, list[float]] = {query: [] for query in QUERIES}
    until = time.monotonic() + CHILD_PATIENCE
    while demo.poll() is None and not all(numbers.values()):
        assert time.monotonic() < until
        for query in QUERIES:
            numbers[query] += [number for number in put(prometheus, query) if not math.isnan(number)]
        time.sleep(0.5)
    return numbers


def test_states_that_are_reported_are_series(tmp_path: Path, prometheus_programs: tuple[str, str]) -> None:
    program = """
        import sys
        from prometheus_client import start_http_server
        from more_executors import Executors

        def poll(descriptors):
            for descriptor in descriptors:
                descriptor.report("läuft" if descriptor.result else 'in "line"')
            return 60

        start_http_server(int(sys.argv[1]), "127.0.0.1")
        executor = Executors.sync(name="states").with_poll(poll)
        executor.adopt_many([0, 1, 1])
        sys.stdin.readline()
        executor.cancel_all()
        sys.stdin.readline()
    """
    port = free_port()
    command = [sys.executable, "-c", "\n".join(line[8:] for line in program.splitlines()), str(port)]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    with (
        running_prometheus(prometheus_programs[0], tmp_path, port) as prometheus,
        subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=environment) as process,
    ):
        by_state = 'more_executors_poll_outstanding_by_state{executor="states"}'

        def counts(found: list[dict[str, Any]]) -> dict[str, float]:
            return {series["metric"]["state"]: float(series["value"][1]) for series in found}

        try:
            assert counts(prometheus.wait_for(by_state)) == {'in "line"': 1, "läuft": 2}
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
            assert counts(prometheus.wait_for(f"{by_state} == 0")).keys() <= {'in "line"', "läuft"}
        finally:
            process.communicate("\n", timeout=CHILD_PATIENCE)
