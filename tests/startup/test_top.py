"""The live view."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.request_group_info import bucket_of, longest_of
from catalina.startup import top

NOW: dict[str, Any] = {
    "version": "Catalina/1",
    "state": "STARTED",
    "draining": False,
    "now": 102.0,
    "process": {"uptime": 7.5, "cpu": 2.0, "memory": 3 * 2**20, "threads": 9, "files": 20},
    "connectors": [
        {"name": "http-nio-8080", "requests": 30, "errors": 4, "connections": 5, "running": 2, "busy": 2,
         "threads": 200, "sent": 4096, "times": {str(bucket_of(1_000_000)): 20, str(bucket_of(500_000_000)): 10}}
    ],
    "applications": [
        {"host": "localhost", "path": "/shop", "state": "running", "requests": 30, "errors": 4, "running": 2,
         "sessions": 6}
    ],
    "clusters": [
        {"name": "Catalina", "members": [{"name": "tcp://b:4000", "alive": 61.2, "given": 3000, "backlog": 7}]}
    ],
    "slow": [{"seconds": 3.25, "client": "10.0.0.9", "request": "GET /shop/buy"}],
}  # fmt: skip
BEFORE = {
    **NOW,
    "now": 100.0,
    "process": {**NOW["process"], "cpu": 1.0},
    "connectors": [
        {**NOW["connectors"][0], "requests": 10, "errors": 0, "sent": 0, "times": {str(bucket_of(500_000_000)): 10}}
    ],
    "applications": [{**NOW["applications"][0], "requests": 10, "errors": 4}],
    "clusters": [{"name": "Catalina", "members": [{**NOW["clusters"][0]["members"][0], "given": 1000}]}],
}


def row(beginning):
    (found,) = [line for line in top.frame(NOW, BEFORE) if line.startswith(beginning)]
    return found.split()


def test_rates_are_of_the_time_between_two_looks():
    assert "cpu 50%" in next(top.frame(NOW, BEFORE))
    assert row("http-nio")[1:3] == ["10.0", "2.0"]
    assert row("http-nio")[-1] == "2.0K"
    assert row("localhost/shop") == ["localhost/shop", "running", "10.0", "0.0", "2", "6"]
    assert row("tcp://b") == ["tcp://b:4000", "61", "s", "7", "1000B"]


def test_the_response_times_are_of_the_requests_since_the_look_before():
    """The ten slow ones were before."""
    p50, unit, p99, _ = row("http-nio")[3:7]
    assert unit == "ms"
    assert 1 <= float(p50) == float(p99) < 1.3


def test_requests_under_way_are_named():
    assert list(top.frame(NOW, BEFORE))[-1].split() == ["3.2", "s", "10.0.0.9", "GET", "/shop/buy"]


def test_what_was_not_there_before_has_no_rate_yet():
    lines = list(top.frame(NOW, {**BEFORE, "connectors": [], "applications": [], "clusters": []}))
    (line,) = [line for line in lines if line.startswith("http-nio")]
    assert line.split()[1:5] == ["0.0", "0.0", "-", "-"]


@given(st.lists(st.integers(0, 10**12), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_a_step_at_most_too_long(elapsed, share):
    times: dict[int, int] = {}
    for each in elapsed:
        times[bucket_of(each)] = times.get(bucket_of(each), 0) + 1
    found = top.quantile(times, share)
    true = sorted(elapsed)[max(0, -int(-share * len(elapsed) // 1) - 1)] / 1e9
    assert found is not None
    assert found * (1 + 1e-9) >= true
    assert found <= longest_of(bucket_of(max(elapsed)))


def test_without_requests_there_is_no_quantile():
    assert top.quantile({}, 0.5) is None
    assert top.quantile({3: 0}, 0.5) is None


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_is_drawn_anew_and_its_cursor_comes_back():
    out, looks = Terminal(), iter((BEFORE, NOW))
    assert top.main(lambda: next(looks), 0.1, 2, out) == 0
    assert out.getvalue().count("\x1b[H") == 3
    assert out.getvalue().endswith("\x1b[?25h")
    assert "CONNECTOR" in out.getvalue()


def test_a_file_gets_one_view_after_another():
    out = io.StringIO()
    assert top.main(lambda: NOW, 0.1, 1, out) == 0
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().count("APPLICATION") == 1


def test_the_cursor_comes_back_when_the_node_goes_away_or_somebody_interrupts():
    def gone():
        raise ConnectionRefusedError

    def interrupted():
        raise KeyboardInterrupt

    out = Terminal()
    with pytest.raises(ConnectionRefusedError):
        top.main(gone, 0.1, 0, out)
    assert top.main(interrupted, 0.1, 0, out) == 0
    assert out.getvalue().count("\x1b[?25h") == 2
