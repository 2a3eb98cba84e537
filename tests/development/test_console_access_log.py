from __future__ import annotations

import pytest

from catalina.development.console_access_log import ConsoleAccessLog
from tests.valves.exchange import make_request


def test_a_request_is_a_line_with_its_milliseconds(capsys: pytest.CaptureFixture[str]) -> None:
    valve = ConsoleAccessLog()
    valve.start()
    request, response = make_request("/cart")
    valve.log(request, response, 12_000_000)
    out = capsys.readouterr().out
    assert '"GET /cart HTTP/1.1" 200' in out
    assert out.endswith(" 12ms\n")


def test_a_line_begins_with_its_node_where_several_print(capsys: pytest.CaptureFixture[str]) -> None:
    valve = ConsoleAccessLog(node="node2")
    valve.start()
    request, response = make_request("/cart")
    valve.log(request, response, 12_000_000)
    assert capsys.readouterr().out.startswith("node2 ")
