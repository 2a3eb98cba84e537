"""A filter in front of a whole host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.core.standard_host import StandardHost
from catalina.digester.digester import Digester
from catalina.errors import LifecycleError
from catalina.valves.filter_valve import FilterValve
from tests.valves.exchange import Last, make_request, run


def blocks_ann(next_application: Callable[..., Any], name: str = "ann") -> Callable[..., Any]:
    """Middleware that answers itself when the query is the name, and marks what it lets through."""

    def middleware(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["QUERY_STRING"] == name:
            start_response("403 Forbidden", [("X-Filter", "no")])
            return [b"go ", b"away"]

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, ("X-Filter", "yes")], *rest)

        environ["shop.seen"] = "by the filter"
        environ["REMOTE_ADDR"] = "198.51.100.7"
        return next_application(environ, start)

    return middleware


def lazy(next_application: Callable[..., Any]) -> Callable[..., Any]:
    def middleware(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        yield from next_application(environ, start_response)

    return middleware


def shouting(next_application: Callable[..., Any]) -> Callable[..., Any]:
    def middleware(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return [*next_application(environ, start_response), b"!"]

    return middleware


def started(filter_class: str, **parameters: str) -> FilterValve:
    valve = FilterValve(filter_class=filter_class)
    valve.init_parameters.update(parameters)
    valve.start()
    return valve


def serve(request: Request, response: Response) -> None:
    response.status = 201
    response.set_header("X-Application", "shop")
    response.write(b"hello")


def exchange(valve: FilterValve, query: str | None = None) -> tuple[Response, Last]:
    request, response = make_request("/shop", query=query)
    last = run(valve, request, response, serve)
    response.finish()
    return response, last


def body(response: Response) -> bytes:
    sent: Any = response.outlet
    return bytes(sent.body)


def test_the_filter_answers_in_place_of_the_application() -> None:
    response, last = exchange(started(f"{__name__}:blocks_ann"), "ann")
    assert (response.status, response.get_header("X-Filter"), body(response)) == (403, "no", b"go away")
    assert last.requests == []


def test_the_filter_passes_on_and_changes_the_head() -> None:
    response, last = exchange(started(f"{__name__}:blocks_ann"))
    assert response.status == 201
    assert [response.get_header(name) for name in ("X-Application", "X-Filter")] == ["shop", "yes"]
    assert body(response) == b"hello"
    (request,) = last.requests
    assert request.remote_addr == "198.51.100.7"
    assert request.build_environ()["shop.seen"] == "by the filter"


def test_init_params_reach_the_filter() -> None:
    response, _ = exchange(started(f"{__name__}:blocks_ann", name="bob"), "bob")
    assert response.status == 403


def test_middleware_that_is_a_generator_decides_as_well() -> None:
    response, _ = exchange(started(f"{__name__}:lazy"))
    assert (response.status, body(response)) == (201, b"hello")


def test_middleware_that_changes_the_body_fails_loudly() -> None:
    with pytest.raises(LifecycleError, match="changes the body of what it passed on"):
        exchange(started(f"{__name__}:shouting"))


def test_a_filter_of_the_container_works_without_an_application(tmp_path: Path) -> None:
    (tmp_path / "host.xml").write_text(
        '<Host><Valve className="org.apache.catalina.valves.FilterValve"'
        ' filterClass="org.apache.catalina.filters.HttpHeaderSecurityFilter"><init-param>'
        "<param-name>antiClickJackingOption</param-name><param-value>SAMEORIGIN</param-value></init-param>"
        "</Valve></Host>"
    )
    host = StandardHost()
    digester = Digester()
    digester.parse_into(tmp_path / "host.xml", host, root="Host")
    assert digester.findings == []
    valve = next(valve for valve in host.pipeline.valves if isinstance(valve, FilterValve))
    valve.start()
    response, _ = exchange(valve)
    assert response.get_header("X-Frame-Options") == "SAMEORIGIN"


@pytest.mark.parametrize(
    ("filter_class", "complaint"),
    [
        ("", "filterClass is required"),
        ("shop.missing:filter", "cannot be loaded"),
        ("org.apache.catalina.ssi.SSIFilter", "cannot be loaded"),
        (f"{__name__}:serve", "cannot be made"),
    ],
)
def test_without_its_filter_the_valve_does_not_start(filter_class: str, complaint: str) -> None:
    with pytest.raises(LifecycleError, match=complaint):
        FilterValve(filter_class=filter_class).start()
