"""The dashboard in docs/ is one that Grafana takes, and asks for nothing but what there is."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
from exposition import PREFIX, eventually, series, unused_name
from prometheus_client.parser import text_string_to_metric_families
from support import PATIENCE, HeardLogger, SomeError, said

from more_executors import Executors, metrics
from more_executors.rate_limit import RateLimit, Throttled

pytestmark = pytest.mark.skipif(not metrics.enabled, reason="needs metrics that are not switched off")

DASHBOARD = json.loads((Path(__file__).parents[2] / "docs" / "grafana-dashboard.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TARGETS = [target for panel in PANELS for target in panel["targets"]]
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

FUNCTIONS = {"sum", "max", "rate", "increase", "deriv", "histogram_quantile"}
SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^{}]*)\}(?:\[([^\]]*)\])?")
GROUPING = re.compile(r"\bby\s*\(([^()]*)\)")


def selectors(expression: str) -> dict[str, set[str]]:
    """The metrics that an expression names, with the labels it chooses them by."""
    return {name: set(re.findall(r"(\w+)\s*=", chosen)) for name, chosen, _ in SELECTOR.findall(expression)}


def groupings(expression: str) -> Iterator[set[str]]:
    """The labels by which an expression sums up."""
    for labels in GROUPING.findall(expression):
        yield {label.strip() for label in labels.split(",")}


def all_metrics() -> dict[str, set[str]]:
    """The samples of an executor to which everything has happened, as they are exported, with their labels."""
    name = unused_name()
    failures: list[Exception] = [Throttled(0.0), SomeError()]

    def poll(descriptors: list[Any]) -> float:
        if failures:
            raise failures.pop()
        for descriptor in descriptors:
            descriptor.report("running")
            descriptor.yield_result(None)
        return inf

    chain = Executors.sync(name=name)
    with chain.with_poll(poll, rate_limit=RateLimit(1_000_000), logger=HeardLogger()) as executor:
        assert said(executor.submit(int)) is SomeError
        executor.submit(int).result(PATIENCE)
        eventually(name, {"poll_error_total": 1, "poll_throttled_total": 1})
        assert series(name)["poll_rate_limit"] > 0
        text = prometheus_client.generate_latest(prometheus_client.REGISTRY).decode()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.labels.get("executor") == name:
                found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_every_expression_asks_for_what_there_is() -> None:
    there = all_metrics()
    for target in TARGETS:
        expression = target["expr"]
        chosen = selectors(expression)
        assert chosen, expression
        for metric, labels in chosen.items():
            assert metric in there, expression
            assert "executor" in labels <= there[metric], expression
            for group in groupings(expression):
                assert group <= there[metric], expression
        left = GROUPING.sub("", SELECTOR.sub("", expression))
        assert set(re.findall(r"[a-zA-Z_]\w*", left)) <= FUNCTIONS, expression


def test_every_metric_of_polling_is_on_it() -> None:
    shown = {metric for target in TARGETS for metric in selectors(target["expr"])}
    polling = {metric for metric in all_metrics() if metric.startswith(f"{PREFIX}poll") and "_created" not in metric}
    assert len(polling) >= 12
    for metric in polling:
        histogram = re.sub("_(bucket|count|sum)$", "", metric)
        assert {metric, f"{histogram}_bucket"} & shown, f"{metric} is on no panel"


def test_counters_and_histograms_are_asked_for_their_rates() -> None:
    for target in TARGETS:
        for name, _, time in SELECTOR.findall(target["expr"]):
            counts = name.endswith(("_total", "_bucket", "_count", "_sum"))
            assert not counts or time, target["expr"]
            assert re.fullmatch(r"(\$__rate_interval|\$__range|\d+m|)", time), target["expr"]


def test_legends_name_labels_that_are_left() -> None:
    for target in TARGETS:
        for label in re.findall(r"{{\s*(\w+)\s*}}", target["legendFormat"]):
            assert any(label in group for group in groupings(target["expr"])), target


def test_brackets_are_closed() -> None:
    for target in TARGETS:
        expression = re.sub(r'"[^"]*"', "", target["expr"])
        while (shorter := re.sub(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}", "", expression)) != expression:
            expression = shorter
        assert not set("()[]{}") & set(expression), target["expr"]


def test_the_data_source_and_the_executors_are_chosen_above_it() -> None:
    source, executor = DASHBOARD["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert (executor["name"], executor["type"], executor["datasource"]) == ("executor", "query", DATASOURCE)
    assert executor["multi"]
    assert executor["includeAll"]
    chosen = re.fullmatch(r"label_values\((\w+), (\w+)\)", executor["query"]["query"])
    assert chosen
    assert chosen[2] in all_metrics()[chosen[1]]
    for panel in PANELS:
        assert panel["datasource"] == DATASOURCE
        for target in panel["targets"]:
            assert target["datasource"] == DATASOURCE
            assert 'executor=~"$executor"' in target["expr"]


def test_it_has_the_shape_of_a_dashboard() -> None:
    assert DASHBOARD["id"] is None, "it is the id of one that exists"
    assert DASHBOARD["uid"]
    assert DASHBOARD["title"]
    assert DASHBOARD["schemaVersion"] >= 38
    assert {"annotations", "editable", "time", "timepicker", "refresh", "tags", "version"} <= DASHBOARD.keys()
    assert {panel["type"] for panel in PANELS} == {"stat", "timeseries", "heatmap"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"]
        assert {"fieldConfig", "options", "gridPos"} <= panel.keys()
        assert panel["fieldConfig"]["defaults"]["unit"]
        references = [target["refId"] for target in panel["targets"]]
        assert references == list("ABCDEFGH"[: len(references)])


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = set(itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])))
        assert not cells & taken, panel["title"]
        taken |= cells
