from __future__ import annotations

from catalina.coyote.http11.exchange_rules import ExchangeRules
from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000_000.5

    def __call__(self) -> float:
        return self.now


def rules(clock: Clock | None = None, **attributes: str) -> ExchangeRules:
    handler = Http11NioProtocol()
    for name, text in attributes.items():
        assert handler.set_attribute(name, text)
    return ExchangeRules(handler, clock or Clock())


def test_the_keep_alive_line_says_how_long():
    assert rules(keepAliveTimeout="5500").keep_alive_line == "Keep-Alive: timeout=5\r\n"
    assert rules(keepAliveTimeout="-1").keep_alive_line == ""
    assert rules(useKeepAliveResponseHeader="false").keep_alive_line == ""


def test_the_common_lines_are_formatted_once_a_second():
    clock = Clock()
    made = rules(clock, server="mine")
    first = made.common_lines()
    assert first == "Date: Sun, 09 Sep 2001 01:46:40 GMT\r\nServer: mine\r\n"
    assert made.common_lines() is first
    clock.now += 1
    assert made.common_lines().startswith("Date: Sun, 09 Sep 2001 01:46:41 GMT")
    assert made.date_line() == "Date: Sun, 09 Sep 2001 01:46:41 GMT\r\n"


def test_limits_are_read():
    made = rules(maxSwallowSize="5", allowedTrailerHeaders="Digest, X")
    assert made.max_swallow == 5
    assert made.trailers == {"digest", "x"}
