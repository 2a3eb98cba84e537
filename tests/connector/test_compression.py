from __future__ import annotations

import gzip
from typing import Any

import pytest

from catalina.connector.compression import Compression, acceptable_codings
from catalina.connector.headers import Headers
from catalina.connector.request import Request
from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol
from tests.connector.serving import Client, serving
from tests.support.stand_in import stand_in

TEXT = b"All work and no play makes Jack a dull boy.\n" * 200


def decode(coding: str | None, data: bytes) -> bytes:
    if coding == "gzip":
        return gzip.decompress(data)
    if coding == "br":
        import brotli

        return bytes(brotli.decompress(data))
    if coding == "zstd":
        import zstandard

        return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(data))
    assert coding is None
    return data


def text(kind: str = "text/plain", *fields: tuple[str, str], body: bytes = TEXT) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body))), *fields])
        return [body]

    return application


@pytest.mark.parametrize("coding", Compression(Http11NioProtocol()).encoders)
def test_each_coding_that_is_installed_shrinks_and_restores(coding):
    with serving(text(), compression="on") as connector, Client(connector) as client:
        answer = client.get("/", f"Accept-Encoding: {coding}")
        assert answer.get("content-encoding") == coding
        assert answer.get("vary") == "accept-encoding"
        assert len(answer.body) < len(TEXT) / 5
        assert decode(coding, answer.body) == TEXT


def test_a_stream_is_compressed_block_by_block():
    def stream(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        for _ in range(5):
            yield TEXT

    with serving(stream, compression="on") as connector, Client(connector) as client:
        answer = client.get("/", "Accept-Encoding: gzip")
        assert answer.get("transfer-encoding") == "chunked"
        assert len(answer.chunks) >= 5
        assert decode("gzip", answer.body) == TEXT * 5


@pytest.mark.parametrize(
    ("application", "fields", "attributes"),
    [
        (text(), [], {}),
        (text(), ["Accept-Encoding: identity"], {}),
        (text(), ["Accept-Encoding: gzip;q=0, br;q=0, zstd;q=0"], {}),
        (text("image/png"), ["Accept-Encoding: gzip"], {}),
        (text(body=b"short"), ["Accept-Encoding: gzip"], {}),
        (text("text/plain", ("Content-Encoding", "gzip")), ["Accept-Encoding: gzip"], {}),
        (text("text/plain", ("Content-Range", "bytes 0-1/2")), ["Accept-Encoding: gzip"], {}),
        (text(), ["Accept-Encoding: gzip", "User-Agent: OldBrowser/1"], {"noCompressionUserAgents": "Old.*"}),
        (text(), ["Accept-Encoding: gzip"], {"compression": "off"}),
    ],
)
def test_what_must_not_or_need_not_be_compressed_is_left_alone(application, fields, attributes):
    with serving(application, **{"compression": "on", **attributes}) as connector, Client(connector) as client:
        answer = client.get("/", *fields)
        assert answer.body in (TEXT, b"short")
        assert answer.get("content-length") == str(len(answer.body))


def test_force_takes_any_type_and_program_but_asks_the_client():
    application = text("image/png")
    attributes = {"compression": "force", "noCompressionUserAgents": "Old.*"}
    with serving(application, **attributes) as connector, Client(connector) as client:
        answer = client.get("/", "Accept-Encoding: gzip", "User-Agent: OldBrowser/1")
        assert answer.get("content-encoding") == "gzip"
        answer = client.get("/")
        assert answer.get("content-encoding") is None
        assert answer.get("vary") == "accept-encoding"


@pytest.mark.parametrize(
    ("field", "coding"),
    [("gzip, gzip;q=0", "gzip"), ("gzip;q=0, gzip", "gzip"), ("*", None), ("identity, *;q=1", None), ("GZIP", "gzip")],
)
def test_accept_encoding_decides_as_in_tomcat(field, coding):
    with serving(text(), compression="on") as connector, Client(connector) as client:
        assert client.get("/", f"Accept-Encoding: {field}").get("content-encoding") == coding


def test_a_programs_whole_name_excludes_it():
    attributes = {"compression": "on", "noCompressionUserAgents": "Old"}
    with serving(text(), **attributes) as connector, Client(connector) as client:
        answer = client.get("/", "Accept-Encoding: gzip", "User-Agent: OldBrowser/1")
        assert answer.get("content-encoding") == "gzip"


def test_a_coding_that_is_not_excluded_is_compressed_once_more():
    application = text("text/plain", ("Content-Encoding", "x-own"))
    with serving(application, compression="on") as connector, Client(connector) as client:
        assert client.get("/", "Accept-Encoding: gzip").get("content-encoding") == "x-own, gzip"


def test_a_number_is_the_least_size():
    with serving(text(body=b"x" * 500), compression="501") as connector, Client(connector) as client:
        assert client.get("/", "Accept-Encoding: gzip").get("content-encoding") is None
    with serving(text(body=b"x" * 500), compression="500") as connector, Client(connector) as client:
        assert client.get("/", "Accept-Encoding: gzip").get("content-encoding") == "gzip"


def test_what_has_a_strong_tag_is_sent_as_it_is():
    application = text("text/plain", ("ETag", '"abc"'))
    with serving(application, compression="on") as connector, Client(connector) as client:
        answer = client.get("/", "Accept-Encoding: gzip")
        assert (answer.get("etag"), answer.get("content-encoding"), answer.get("vary")) == ('"abc"', None, None)
        assert answer.body == TEXT


def test_a_weak_tag_stays_and_vary_is_kept():
    application = text("text/plain", ("ETag", 'W/"abc"'), ("Vary", "Cookie"))
    with serving(application, compression="on") as connector, Client(connector) as client:
        answer = client.get("/", "Accept-Encoding: gzip")
        assert answer.get("etag") == 'W/"abc"'
        assert answer.get("content-encoding") == "gzip"
        assert answer.get("vary") == "Cookie,accept-encoding"


def test_head_is_not_compressed():
    with serving(text(), compression="on") as connector, Client(connector) as client:
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        assert client.answer(head_only=True).get("content-length") == str(len(TEXT))


@pytest.mark.parametrize(
    ("field", "codings"),
    [
        ("gzip, br;q=0.5", {"gzip": 1.0, "br": 0.5}),
        ("*;q=0.1,GZIP ; q=1", {"*": 0.1, "gzip": 1.0}),
        ("gzip;q=x, ;, br;q=9, zstd;q=1.0", {"zstd": 1.0}),
        ("gzip;q=0.5, gzip;q=0, gzip;q=0.7", {"gzip": 0.7}),
        ("", {}),
    ],
)
def test_accept_encoding_is_read(field, codings):
    assert acceptable_codings(field) == codings


def test_the_clients_weights_decide_between_codings():
    compression = Compression(Http11NioProtocol())
    fields = ((b"Accept-Encoding", b"br;q=0.2, zstd;q=0.1, gzip;q=0.9"),)
    request: Any = stand_in(Request, headers=Headers(fields))
    assert compression._negotiate(request.headers.get_all("accept-encoding")) == "gzip"
