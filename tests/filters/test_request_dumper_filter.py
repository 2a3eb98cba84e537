"""Requests in the log."""

import logging

from catalina.filters.request_dumper_filter import RequestDumperFilter
from tests.filters.middleware import Stand


def test_request_and_response_are_logged(caplog):
    stand = Stand(RequestDumperFilter(), "404 Not Found", [("X-Out", "2")])
    with caplog.at_level(logging.INFO):
        stand.ask("/x", query="a=1&a=2", HTTP_X_IN="1", HTTP_COOKIE="c=1; d=2")
    for fact in ("requestURI=/shop/x", "header=x-in=1", "cookie=c=1", "cookie=d=2", "parameter=a=1, 2", "method=GET",
                 "remoteAddr=192.0.2.1", "isSecure=false", "header=X-Out=2", "status=404", "remoteUser=null",
                 ):  # fmt: skip
        assert fact in caplog.text
