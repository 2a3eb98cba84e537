"""The traceback is shown to this machine, and to nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.valves.local_traceback_valve import MOST, LocalTracebackValve
from tests.valves.exchange import Last, Sent, make_request


def page_for(error: Exception | None, peer: str, host: str, **fields: str) -> str:
    request, response = make_request("/x")
    request.remote_addr, request.peer_addr, request.server_name = "127.0.0.1", peer, host
    for name, value in fields.items():
        request.headers.add(name.replace("_", "-"), value)

    def serve(request: Any, response: Any) -> None:
        response.exception = error
        response.send_error(500, None if error is None else str(error))

    valve = LocalTracebackValve()
    valve.next = Last(serve)
    valve.invoke(request, response)
    response.finish()
    assert isinstance(response.outlet, Sent)
    return response.outlet.body.decode()


def error_with_traceback(text: str = "<secret>") -> Exception:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "shop.localhost", "127.0.0.1", "[::1]"])
def test_a_local_client_sees_all_of_it(peer: str, host: str) -> None:
    page = page_for(error_with_traceback(), peer, host)
    assert "<h1>ValueError: &lt;secret&gt;</h1>" in page
    assert "raise ValueError(text)" in page


@pytest.mark.parametrize(
    ("peer", "host", "fields"),
    [
        ("192.0.2.1", "localhost", {}),
        ("127.0.0.1", "shop.example", {}),
        ("127.0.0.1", "localhost.evil.example", {}),
        ("127.0.0.1", "localhost", {"X_Forwarded_For": "127.0.0.1"}),
        ("127.0.0.1", "localhost", {"Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", "localhost", {"Via": "1.1 proxy"}),
        ("?", "localhost", {}),
    ],
)
def test_everybody_else_sees_the_status_only(peer: str, host: str, fields: dict[str, str]) -> None:
    page = page_for(error_with_traceback(), peer, host, **fields)
    assert "HTTP Status 500" in page
    assert "secret" not in page
    assert "ValueError" not in page


def test_an_error_without_an_exception_is_reported_as_ever() -> None:
    assert "Status Report" in page_for(None, "127.0.0.1", "localhost")


@pytest.mark.parametrize("text", ["x", "\nx"])
def test_a_huge_traceback_is_cut(text: str) -> None:
    page = page_for(error_with_traceback(text * 10 * MOST), "127.0.0.1", "localhost")
    assert "characters are left out" in page
    assert len(page) < 2 * MOST
