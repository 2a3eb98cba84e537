from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.http2.http2_error import Http2Error, StreamException
from catalina.coyote.http2.request_fields import check_trailers, request_fields

LINE = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/a"), (b":authority", b"shop")]


def test_a_request_is_its_pseudo_fields_and_the_others():
    request = request_fields(1, [*LINE, (b"content-length", b"5"), (b"te", b"trailers")], b"http")
    assert (request.method, request.scheme, request.path, request.authority) == (b"GET", b"http", b"/a", b"shop")
    assert request.fields == ((b"content-length", b"5"), (b"te", b"trailers"))
    assert request.content_length == 5


def test_the_host_field_stands_in_for_the_authority():
    assert request_fields(1, [*LINE[:3], (b"host", b"shop")], b"http").authority == b"shop"
    assert request_fields(1, [*LINE, (b"host", b"shop")], b"http").authority == b"shop"


def test_connect_has_an_authority_only():
    request = request_fields(1, [(b":method", b"CONNECT"), (b":authority", b"shop:443")], b"http")
    assert (request.path, request.scheme) == (None, None)


def test_any_scheme_is_taken_where_that_is_allowed():
    assert request_fields(1, [LINE[0], (b":scheme", b"https"), *LINE[2:]], None).scheme == b"https"


@pytest.mark.parametrize(
    "fields",
    [
        LINE[1:], [LINE[0], *LINE[2:]], [*LINE[:2], LINE[3]], LINE[:3], [*LINE, LINE[0]], [*LINE, (b":status", b"200")],
        [*LINE[:3], (b"x", b"y"), LINE[3]], [*LINE[:2], (b":path", b""), LINE[3]],
        [LINE[0], (b":scheme", b"https"), *LINE[2:]],
        [*LINE, (b"X-Upper", b"1")], [*LINE, (b"x-(", b"1")], [*LINE, (b"", b"1")], [*LINE, (b"x y", b"1")],
        [*LINE, (b"x", b" 1")], [*LINE, (b"x", b"1 ")], [*LINE, (b"x", b"a\r\nb")], [*LINE, (b"x", b"a\0b")],
        [*LINE, (b"x", b"a\x7fb")], [*LINE, (b"connection", b"close")], [*LINE, (b"transfer-encoding", b"chunked")],
        [*LINE, (b"te", b"gzip")], [*LINE, (b"host", b"other")], [*LINE[:3], (b"host", b"a"), (b"host", b"a")],
        [*LINE, (b"content-length", b"x")], [*LINE, (b"content-length", b"-1")],
        [*LINE, (b"content-length", b"1"), (b"content-length", b"1")],
        [(b":method", b"CONNECT"), *LINE[1:]], [(b":method", b"G\nET"), *LINE[1:]],
    ],
)  # fmt: skip
def test_what_is_malformed_is_an_error_of_the_stream(fields):
    with pytest.raises(StreamException) as caught:
        request_fields(7, fields, b"http")
    assert (caught.value.number, caught.value.code) == (7, Http2Error.PROTOCOL_ERROR)


def test_trailers_have_no_pseudo_fields():
    check_trailers(1, [(b"x-sum", b"1")])
    for fields in ([(b":path", b"/")], [(b"X", b"1")], [(b"upgrade", b"h2c")]):
        with pytest.raises(StreamException):
            check_trailers(1, fields)


names = st.sampled_from([name for name, _ in LINE]) | st.binary(max_size=12)


@given(st.lists(st.tuples(names, st.binary(max_size=12)), max_size=8))
def test_any_fields_give_a_request_or_the_error(fields):
    try:
        request = request_fields(1, fields, None)
    except StreamException:
        return
    assert all(not name.startswith(b":") for name, _ in request.fields)
    assert not set(b"\r\n\0") & set(b"".join(name + value for name, value in request.fields))
