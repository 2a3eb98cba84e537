"""The meaning of %{...}."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.connector.connector import Connector
from catalina.core.standard_context import StandardContext
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.valves.rewrite.variables import find_resource, resolve
from catalina.webresources.resource import FileResource
from catalina.webresources.standard_root import StandardRoot
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", "/shop/e/x"),
        ("THE_REQUEST", "GET /shop/e/x HTTP/1.1"),
        ("QUERY_STRING", "a=b"),
        ("REMOTE_ADDR", "192.0.2.1"),
        ("REMOTE_PORT", "50123"),
        ("HTTP_USER_AGENT", "curl"),
        ("HTTP_HOST", "shop.example.org"),
        ("HTTP:X-Own", "own"),
        ("HTTP:X-None", ""),
        ("CONTEXT_PATH", "/shop"),
        ("REQUEST_PATH", "/e/x"),
        ("SERVLET_PATH", "/e"),
        ("PATH_INFO", "/x"),
        ("HTTPS", "off"),
        ("SERVER_PORT", "80"),
        ("SSL:SSL_CIPHER", "TLS_X"),
        ("SSL:none", ""),
        ("ENV:shop.own", "property"),
        ("ENV:no.such.variable", ""),
        ("NO_SUCH", ""),
        ("OTHER:kind", ""),
        ("AUTH_TYPE", ""),
    ],
)
def test_variables_of_the_request(name: str, value: str) -> None:
    request, _ = make_request("/shop/e/x", headers=[("User-Agent", "curl"), ("X-Own", "own")], query="a=b")
    request.context = stand_in(StandardContext, path="/shop")
    request.servlet_path, request.path_info = "/e", "/x"
    request.attributes["SSL_CIPHER"] = "TLS_X"
    server = stand_in(StandardServer, properties={"shop.own": "property"})
    request.connector = stand_in(Connector, service=stand_in(StandardService, server=server))
    assert resolve(name, request) == value


def test_times_are_numbers_of_their_length() -> None:
    request, _ = make_request("/")
    lengths = {"TIME_YEAR": 4, "TIME_MON": 2, "TIME_DAY": 2, "TIME_HOUR": 2, "TIME_MIN": 2, "TIME_SEC": 2, "TIME": 14}
    for name, length in lengths.items():
        text = resolve(name, request)
        assert (text.isdecimal(), len(text)) == (True, length)


def test_file_names_are_those_of_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    request, _ = make_request("/shop/a.txt")

    def get_resource(path: str) -> object:
        if ".." in path:
            raise ValueError(path)
        return FileResource.of(path, tmp_path / path[1:])

    request.context = stand_in(
        StandardContext, resources=stand_in(StandardRoot, get_resource=get_resource), document_root=tmp_path
    )
    request.servlet_path = "/a.txt"
    assert resolve("SCRIPT_FILENAME", request) == str(tmp_path / "a.txt")
    request.servlet_path = "/nope"
    assert resolve("SCRIPT_FILENAME", request) == str(tmp_path / "nope")
    assert resolve("REQUEST_FILENAME", request) == ""
    found = find_resource(request, "/a.txt")
    assert found is not None
    assert found.is_file
    assert find_resource(request, "relative") is None
    assert find_resource(request, "/../x") is None
    request.context = None
    assert find_resource(request, "/a.txt") is None
