"""Bytes that a client, a browser or a web server in front sends."""

from __future__ import annotations

from typing import Any

from catalina.authenticator.basic_authenticator import decode_credentials
from catalina.authenticator.digest_authenticator import parse_digest
from catalina.connector.headers import Headers
from catalina.connector.parameters import body_parameters, parse_cookies, query_parameters
from catalina.connector.request import Request
from catalina.connector.uri import UriRules
from catalina.coyote.ajp.forward_request import decode_forward_request
from catalina.coyote.ajp.packets import PacketDecoder
from catalina.coyote.http2.hpack_decoder import HpackDecoder, HpackException, OversizedException
from catalina.coyote.http2.http2_error import ConnectionException
from catalina.coyote.http2.http2_parser import frame
from catalina.coyote.http11.host import parse_host
from catalina.coyote.http11.request_body import ChunkedDecoder, LengthDecoder
from catalina.coyote.http11.request_head import RELAXABLE, HeadLimits, RequestHeadParser
from catalina.servlets.conditions import BadConditionError, check_conditions, if_range_matches
from catalina.servlets.ranges import UnsatisfiableError, parse_content_range, parse_ranges
from catalina.servlets.webdav_locks import parse_timeout
from catalina.servlets.webdav_xml import BadBodyError, parse_lockinfo, parse_propertyupdate, parse_propfind
from catalina.tomcat.util.net.tls_client_hello_extractor import TLSClientHelloExtractor
from catalina.util.forwarded import split_list
from catalina.util.net_mask import parse_address
from catalina.valves.access_log_pattern import parse_pattern
from tests.connector.bare import bare_connector
from tests.coyote.ajp.test_exchange import STREAM
from tests.coyote.ajp.test_exchange import Server as AjpServer
from tests.coyote.http2 import frames
from tests.coyote.http11.test_exchange import CHUNKED, GET, LAST, LENGTH, Server
from tests.fuzz.target import Target
from tests.support.stand_in import stand_in
from tests.tomcat.util.net.test_tls_client_hello_extractor import client_hello

_HTTP11 = "catalina.coyote.http11"
_AJP = "catalina.coyote.ajp"
_CONNECTOR = bare_connector()

_HEADS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /a/b;x=1?c=%20d HTTP/1.1\r\nHost: a:8080\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nabcde",
    b"PUT http://a/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close, x\r\n\r\n",
    b'OPTIONS * HTTP/1.0\r\nCookie: a=b; c="d"\r\nX: y\r\n\r\n',
    b"GET / HTTP/1.1\r\nHost: [::1]:80\r\nX-Folded: a\r\n b\r\n\r\n",
]
_TAGS = ['"a"', 'W/"a"', '"a", W/"b"', "*", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
         "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 9880198801 08:49:37 GMT"]  # fmt: skip


def _text(data: bytes) -> str:
    """As header fields become text."""
    return data.decode("latin-1")


def _encoded(*texts: str) -> list[bytes]:
    return [text.encode("latin-1") for text in texts]


def _head(limits: HeadLimits) -> Any:
    def call(data: bytes) -> None:
        parser = RequestHeadParser(limits)
        head = parser.parse(data)
        if head is not None:
            assert 0 < head.size <= len(data)
            assert not any(byte in name + value for name, value in head.fields for byte in (b"\r", b"\n", b"\0"))
            parse_cookies(Headers(head.fields), 200)

    return call


def _chunk(data: bytes) -> None:
    decoder = ChunkedDecoder()
    for at in range(0, len(data), 5):
        decoder.receive(data[at : at + 5])
        if decoder.complete:
            return


def _exchange(data: bytes) -> None:
    for reads in (True, False):
        server = Server(reads)
        for at in range(0, len(data), 7):
            server.receive(data[at : at + 7])


def _ajp_exchange(data: bytes) -> None:
    for reads in (True, False):
        server = AjpServer(reads)
        for at in range(0, len(data), 7):
            server.receive(data[at : at + 7])


def _length(data: bytes) -> None:
    decoder = LengthDecoder(len(data) // 2)
    body = decoder.receive(data)
    assert body + decoder.unused == data


_CONNECTOR = bare_connector()


def _request(**facts: Any) -> Any:
    return stand_in(Request,
        connector=_CONNECTOR, context=None, character_encoding=None, max_parameter_count=None, query_string=None,
        content_type="application/x-www-form-urlencoded", method="POST", content_length=-1, **facts,
    )  # fmt: skip


class _Body:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int) -> bytes:
        return self.data if size < 0 else self.data[:size]

    def push_back(self, data: bytes) -> None:
        assert self.data.startswith(data)


def _form(data: bytes) -> None:
    """The first line is the Content-Type, the rest the body."""
    kind, _, body = data.partition(b"\n")
    request = _request(input=_Body(body))
    request.content_type = _text(kind)
    body_parameters(request, {})


def _query(data: bytes) -> None:
    request = _request(input=_Body(b""))
    request.query_string = _text(data)
    query_parameters(request)


def _cookies(data: bytes) -> None:
    parse_cookies(Headers([(b"cookie", data)]), 200)


def _uri(data: bytes) -> None:
    raw = _text(data)
    for rules in (
        UriRules(),
        UriRules("utf-8", "decode", "passthrough", True, True),
        UriRules("iso-8859-1", "passthrough"),
    ):
        decoded = rules.decode(raw)
        assert "/../" not in decoded.path
        rules.raw_prefix(raw, "/shop")


def _ajp(data: bytes) -> None:
    decoder = PacketDecoder()
    decoder.receive(data)
    while (packet := decoder.next_packet()) is not None:
        if packet[:1] == b"\x02":
            decode_forward_request(packet)


def _ajp_text(text: bytes) -> bytes:
    return len(text).to_bytes(2, "big") + text + b"\0"


_FORWARD = b"".join((
    b"\x02\x02", _ajp_text(b"HTTP/1.1"), _ajp_text(b"/a"), _ajp_text(b"127.0.0.1"), b"\xff\xff", _ajp_text(b"a"),
    b"\0\x50\0",
    b"\0\x02\xa0\x0b", _ajp_text(b"a"), b"\xa0\x08", _ajp_text(b"5"),
    b"\x0a", _ajp_text(b"name"), _ajp_text(b"value"), b"\x0c", _ajp_text(b"secret"), b"\x0b\1\0", b"\xff",
))  # fmt: skip


def _forward(data: bytes) -> None:
    request = decode_forward_request(data)
    assert request.content_length >= -1


def _http2(data: bytes) -> None:
    server = frames.Server()
    for at in range(0, len(data), 11):
        server.receive(data[at : at + 11])
    server.handler.take_output()


def _http2_seeds() -> list[bytes]:
    return [
        frames.headers(1) + frames.headers(3, ("content-length", "3"), end=False) + frames.data(3, b"abc", True),
        frames.settings((1, 0), (4, 100000)) + frames.window_update(0, 5) + frames.rst(1),
        frame(frames.PING, 0, 0, bytes(8)) + frame(frames.GOAWAY, 0, 0, bytes(8)),
        frame(frames.HEADERS, 1, 1, frames.block()[:3]) + frame(frames.CONTINUATION, 4, 1, frames.block()[3:]),
        frame(frames.PRIORITY, 0, 1, bytes(5)) + frame(frames.PRIORITY_UPDATE, 0, 0, bytes(4) + b"u=1"),
        frame(frames.PUSH_PROMISE, 4, 1, bytes(8)) + frame(77, 0, 0, b"unknown"),
    ]


def _hpack(data: bytes) -> None:
    """Two blocks on one connection."""
    decoder = HpackDecoder()
    for block in (data[: len(data) // 2], data[len(data) // 2 :]):
        fields = decoder.decode(block, 5000)
        assert len(fields) >= decoder.count
        assert decoder.size <= 5000


def _hello(data: bytes) -> None:
    extractor = TLSClientHelloExtractor(1 << 12)
    for end in range(0, len(data) + 64, 64):
        if extractor.look(data[:end]):
            break
    assert extractor.server_name is None or extractor.server_name.isascii()


def _conditions(data: bytes) -> None:
    field = _text(data)
    for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"):
        check_conditions({name: field, "REQUEST_METHOD": "GET"}, '"a"', 10**12)
    if_range_matches(field, '"a"', 10**12)


def _ranges(data: bytes) -> None:
    ranges = parse_ranges(_text(data), 10_000)
    assert ranges is None or all(0 <= each.start <= each.end < 10_000 for each in ranges)


def _dav(parse: Any) -> Any:
    return lambda data: parse(data)


_PROPFIND = (
    b'<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/><x:y xmlns:x="u"/></D:prop></D:propfind>'
)
_PROPPATCH = (
    b'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><a xmlns="u">v</a></D:prop></D:set>'
    b"<D:remove><D:prop><b/></D:prop></D:remove></D:propertyupdate>"
)
_LOCKINFO = (
    b'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>'
    b"<D:owner><D:href>x</D:href></D:owner></D:lockinfo>"
)
_ENTITIES = (
    b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d SYSTEM "file:///etc/passwd">]>'
    b'<D:propfind xmlns:D="DAV:">&b;&d;</D:propfind>'
)

TARGETS = [
    Target("head", _head(HeadLimits()), (f"{_HTTP11}.request_head:RequestHeadParser.parse",), lambda: _HEADS),
    Target("headlax", _head(HeadLimits(1 << 14, -1, RELAXABLE, RELAXABLE, False, True)),
           (f"{_HTTP11}.request_head:RequestHeadParser.parse",), lambda: _HEADS),
    Target("exchange", _exchange,
           (f"{_HTTP11}.request_head:RequestHeadParser.parse", f"{_HTTP11}.request_body:*.receive"),
           lambda: [GET + LENGTH + CHUNKED, LAST], ()),
    Target("host", parse_host, (f"{_HTTP11}.host:parse_host",),
           lambda: [b"a", b"a:80", b"[::1]:8080", b"", b"[::1%25x]", b"a.b:70000"]),
    Target("chunk", _chunk, (f"{_HTTP11}.request_body:ChunkedDecoder.receive",),
           lambda: [b"5\r\nabcde\r\n0\r\n\r\n", b'3;a="b;c"\r\nabc\r\n0;x\r\nX: y\r\n\r\nrest']),
    Target("length", _length, (f"{_HTTP11}.request_body:LengthDecoder.receive",), lambda: [b"abcde", b""], ()),
    Target("http2", _http2, ("catalina.coyote.http2.http2_parser:Http2Parser.receive",
                             "catalina.coyote.http2.http2_upgrade_handler:Http2UpgradeHandler.receive"),
           _http2_seeds, (ConnectionException,)),
    Target("hpack", _hpack, ("catalina.coyote.http2.hpack_decoder:HpackDecoder.decode",),
           lambda: [frames.block(), frames.block(("x", "y"), ("cookie", "a=b")), b"\x40\x01x\x011\xbe\x20\x3f\xe1\x1f"],
           (HpackException, OversizedException)),
    Target("hello", _hello, ("catalina.tomcat.util.net.tls_client_hello_extractor:TLSClientHelloExtractor.look",),
           lambda: [client_hello("shop.example.org"), client_hello(None)], ()),
    Target("uri", _uri, ("catalina.connector.uri:UriRules.decode",),
           lambda: _encoded("/a/b", "/a;x=1/../%62/%2F%5c", "///%74/./x", "/%e2%82%ac", "*")),
    Target("cookie", _cookies, ("catalina.connector.parameters:parse_cookies",),
           lambda: _encoded("a=b", 'a="b c"; d=e;;f', "$Version=1; a=b", "JSESSIONID=abc.node1")),
    Target("params", _form, ("catalina.connector.parameters:body_parameters",), lambda: _encoded(
        "application/x-www-form-urlencoded\na=b&c=%20d&&=e",
        *[f"application/x-www-form-urlencoded; charset={name}\na=%ff&b=c" for name in
          ("utf-8", "punycode", "idna", "undefined", "unicode_escape", "utf-7", "rot13", "utf-16", '"utf-8"')])),
    Target("query", _query, ("catalina.connector.parameters:query_parameters",), lambda: _encoded("a=b&c=%20d&&=e")),
    Target("conditions", _conditions, ("catalina.servlets.conditions:check_conditions",),
           lambda: _encoded(*_TAGS), (BadConditionError,)),
    Target("ranges", _ranges, ("catalina.servlets.ranges:parse_ranges",),
           lambda: _encoded("bytes=0-1", "bytes=-5,1-", "bytes=0-0,0-0,2-", "lines=1-2"), (UnsatisfiableError,)),
    Target("contentrange", lambda data: parse_content_range(_text(data)),
           ("catalina.servlets.ranges:parse_content_range",),
           lambda: _encoded("bytes 0-1/2", "bytes 0-9223372036854775806/9223372036854775807", "bytes */5"),
           (ValueError,)),
    Target("propfind", _dav(parse_propfind), ("catalina.servlets.webdav_xml:parse_propfind",),
           lambda: [_PROPFIND, _ENTITIES, b""], (BadBodyError,)),
    Target("proppatch", _dav(parse_propertyupdate), ("catalina.servlets.webdav_xml:parse_propertyupdate",),
           lambda: [_PROPPATCH], (BadBodyError,)),
    Target("lockinfo", _dav(parse_lockinfo), ("catalina.servlets.webdav_xml:parse_lockinfo",),
           lambda: [_LOCKINFO], (BadBodyError,)),
    Target("timeout", lambda data: parse_timeout(_text(data)), ("catalina.servlets.webdav_locks:parse_timeout",),
           lambda: _encoded("Second-3600", "Infinite, Second-5", "Second-99999999999999"), ()),
    Target("basic", lambda data: decode_credentials(_text(data), "utf-8", True),
           ("catalina.authenticator.basic_authenticator:decode_credentials",),
           lambda: _encoded("Basic am9lOnNlY3JldA==", "basic am9l", "Basic ///"), ()),
    Target("digest", lambda data: parse_digest(_text(data)),
           ("catalina.authenticator.digest_authenticator:parse_digest",),
           lambda: _encoded('Digest username="joe", realm="r", nonce="n", uri="/", response="0123456789abcdef", '
                            'qop=auth, nc=00000001, cnonce="c\\"x", opaque="o"'), ()),
    Target("ajp", _ajp, (f"{_AJP}.packets:PacketDecoder.receive",),
           lambda: [b"\x12\x34" + len(_FORWARD).to_bytes(2, "big") + _FORWARD, b"\x12\x34\0\x01\x0a"]),
    Target("ajpexchange", _ajp_exchange, (f"{_AJP}.exchange:AjpExchange.receive",), lambda: [STREAM]),
    Target("ajpfwd", _forward, (f"{_AJP}.forward_request:decode_forward_request",), lambda: [_FORWARD]),
    Target("pattern", lambda data: parse_pattern(_text(data)), ("catalina.valves.access_log_pattern:parse_pattern",),
           lambda: _encoded('%h %l %u %t "%r" %s %b', "%{Referer}i %{x}c %%", "%{", "%"), ()),
    Target("forwarded", lambda data: split_list([_text(data)]), ("catalina.util.forwarded:split_list",),
           lambda: _encoded("10.0.0.1, ::1", ",,"), ()),
    Target("address", lambda data: parse_address(_text(data)), ("catalina.util.net_mask:parse_address",),
           lambda: _encoded("10.1", "::ffff:10.0.0.1", "1.2.3.4", "fe80::1%1"), (ValueError,)),
]  # fmt: skip
