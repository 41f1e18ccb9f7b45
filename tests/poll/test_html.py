"""What an executor shows in a notebook."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from more_executors import Executors
from more_executors.poll._html import duration, stats_table
from more_executors.poll_stats import PollStats

NOTHING = PollStats(
    outstanding=0,
    with_delegate=0,
    polled=0,
    due=0,
    in_calls=0,
    done=0,
    failed=0,
    cancelled=0,
    calls=0,
    errors=0,
    throttled=0,
    oldest_age=0.0,
    lag=0.0,
    rate=None,
    seconds_left=0.0,
)
BUSY = PollStats(
    outstanding=12_345,
    with_delegate=45,
    polled=12_300,
    due=300,
    in_calls=200,
    done=50_000,
    failed=12,
    cancelled=3,
    calls=1_234,
    errors=5,
    throttled=6,
    oldest_age=3_725.0,
    lag=0.25,
    rate=47.5,
    seconds_left=125.0,
)


class Table(HTMLParser):
    """The rows of a table, as text; that every element which is opened is closed is asserted."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: dict[str, str] = {}
        self.text = ""
        self.caption = ""
        self.attributes: dict[str, dict[str, str | None]] = {}
        self._open: list[str] = []
        self._name = ""
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes[tag] = dict(attrs)
        if tag != "br":
            self._open.append(tag)
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open == ["table", "caption"]:
            self.caption += data

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "th":
            self._name = self.text
        elif tag == "td":
            self.rows[self._name] = self.text


def test_it_tells_everything_in_words() -> None:
    table = Table(stats_table("PollExecutor 'jobs'", BUSY))
    assert table.caption == "PollExecutor 'jobs'"
    assert table.rows == {
        "outstanding": "12,345 (45 with the delegate)",
        "polled": "12,300 (300 due, 200 in calls)",
        "done": "50,000 (12 failed, 3 cancelled)",
        "time left": "2 min 5 s",
        "oldest": "1 h 2 min",
        "lag": "250 ms",
        "calls": "1,234 (5 errors, 6 throttled)",
        "rate limit": "47.5 calls/s",
    }


def test_each_state_has_a_row() -> None:
    states = {f"<step {number}>": number for number in range(1, 24)}
    rows = Table(stats_table("PollExecutor 'jobs'", BUSY._replace(states=states))).rows
    shown = {name: text for name, text in rows.items() if name.startswith("state: ")}
    assert list(shown) == [*(f"state: <step {number}>" for number in range(1, 21)), "state: other"]
    assert (shown["state: <step 20>"], shown["state: other"]) == ("20", str(21 + 22 + 23))


def test_what_is_nothing_takes_no_room() -> None:
    rows = Table(stats_table("idle", NOTHING)).rows
    assert rows == {
        "outstanding": "0",
        "polled": "0",
        "done": "0",
        "time left": "0 s",
        "oldest": "none",
        "lag": "0 s",
        "calls": "0",
        "rate limit": "none",
    }


def test_what_is_unknown_is_said_to_be() -> None:
    assert Table(stats_table("x", BUSY._replace(seconds_left=None))).rows["time left"] == "unknown"


@pytest.mark.parametrize(("stats", "value", "most"), [(BUSY, "50000", "62345"), (NOTHING, "0", "1")])
def test_a_bar_shows_how_many_are_done(stats: PollStats, value: str, most: str) -> None:
    assert Table(stats_table("x", stats)).attributes["progress"] == {"value": value, "max": most}


def test_the_title_is_text_whatever_is_in_it() -> None:
    title = "<script>alert('&')</script>"
    html = stats_table(title, BUSY)
    assert "<script" not in html
    assert Table(html).caption == title


def test_it_needs_nothing_else_and_brings_no_colours_of_its_own() -> None:
    html = stats_table("x", BUSY)
    assert not re.search(r"https?:|url\(|<script|<style|<link|<img|class=", html)
    assert set(re.findall(r"(?:color|background)\s*:\s*([^;\"]+)", html)) == {"inherit", "none"}
    assert not re.search(r"#[0-9a-fA-F]{3}", html)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.0004, "0 s"),
        (0.0123, "12 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3599.6, "1 h"),
        (3661, "1 h 1 min"),
        (86_399, "1 d"),
        (90_000, "1 d 1 h"),
        (864_000, "10 d"),
        (float("inf"), "for ever"),
        (float("nan"), "unknown"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_an_executor_shows_itself() -> None:
    with Executors.sync(name="<jobs>").with_poll(lambda descriptors: None) as executor:
        assert executor.submit(int).cancel()
        table = Table(executor._repr_html_())
    assert table.caption == "PollExecutor '<jobs>'"
    assert table.rows["done"] == "1 (1 cancelled)"
