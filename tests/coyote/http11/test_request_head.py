from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.http11.request_head import (
    REMEMBERED_BLOCK_LENGTH,
    REMEMBERED_BLOCKS,
    REMEMBERED_LINES,
    HeadLimits,
    RequestHead,
    RequestHeadParser,
    describe_refused,
)
from catalina.coyote.http_error import HttpError
from tests.support.work import assert_linear

PARSER = RequestHeadParser()
HOST = b"Host: shop.example.org\r\n\r\n"


def parse(data: bytes, **limits: object) -> RequestHead:
    head = RequestHeadParser(HeadLimits(**limits)).parse(data)  # type: ignore[arg-type]
    assert head is not None
    return head


def refusal(data: bytes, **limits: object) -> int:
    with pytest.raises(HttpError) as caught:
        RequestHeadParser(HeadLimits(**limits)).parse(data)  # type: ignore[arg-type]
    return caught.value.status


def test_a_request_line_and_fields_become_a_head():
    head = parse(b"GET /cart/items?id=7&x HTTP/1.1\r\nHost: Shop.example.org:8080\r\nAccept: */*\r\n\r\nrest")
    assert (head.method, head.path, head.query) == ("GET", "/cart/items", "id=7&x")
    assert (head.host, head.port) == ("Shop.example.org", 8080)
    assert head.fields == ((b"Host", b"Shop.example.org:8080"), (b"Accept", b"*/*"))
    assert head.content_length == -1
    assert not head.chunked
    assert head.keep_alive


def test_the_size_of_a_head_counts_the_empty_lines_before_it():
    data = b"\r\n\r\nGET / HTTP/1.1\r\n" + HOST
    assert parse(data + b"next").size == len(data)


def test_no_query_and_an_empty_query_differ():
    assert parse(b"GET / HTTP/1.1\r\n" + HOST).query is None
    assert parse(b"GET /? HTTP/1.1\r\n" + HOST).query == ""


@pytest.mark.parametrize(
    ("line", "fields", "keep_alive"),
    [
        (b"HTTP/1.1", b"", True),
        (b"HTTP/1.1", b"Connection: close\r\n", False),
        (b"HTTP/1.1", b"Connection: Close, TE\r\n", False),
        (b"HTTP/1.0", b"", False),
        (b"HTTP/1.0", b"Connection: keep-alive\r\n", True),
        (b"HTTP/1.0", b"Connection: close\r\n", False),
        (b"HTTP/1.1", b"Connection: close\r\nConnection: keep-alive\r\n", False),
        (b"HTTP/1.0", b"Connection: x, Close\r\nConnection: keep-alive\r\n", False),
        (b"HTTP/1.1", b"Connection: x\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_version_and_connection_field_decide_on_keep_alive(line, fields, keep_alive):
    assert parse(b"GET / " + line + b"\r\n" + fields + HOST).keep_alive is keep_alive


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        (b"http://shop.example.org/a?b", "/a", "shop.example.org"),
        (b"https://SHOP.example.org", "/", "SHOP.example.org"),
        (b"http://user@shop.example.org/", "/", "shop.example.org"),
    ],
)
def test_an_absolute_target_names_path_and_host(target, path, host):
    head = parse(b"GET " + target + b" HTTP/1.1\r\n" + HOST)
    assert (head.path, head.host) == (path, host)


def test_an_absolute_target_for_another_host_is_refused_unless_allowed():
    data = b"GET http://other/ HTTP/1.1\r\n" + HOST
    assert refusal(data) == 400
    assert parse(data, allow_host_mismatch=True).host == "other"


def test_options_may_ask_about_the_whole_server():
    assert parse(b"OPTIONS * HTTP/1.1\r\n" + HOST).path == "*"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"G@T / HTTP/1.1\r\n" + HOST, 400),
        (b"GET foo HTTP/1.1\r\n" + HOST, 400),
        (b"GET * HTTP/1.1\r\n" + HOST, 400),
        (b"CONNECT shop:80 HTTP/1.1\r\n" + HOST, 501),
        (b"GET / HTTP/1.2\r\n" + HOST, 505),
        (b"GET / HTTP/2.0\r\n" + HOST, 505),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/1.1 \r\n" + HOST, 400),
        (b"GET /a b HTTP/1.1\r\n" + HOST, 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ],
)
def test_a_request_line_that_is_not_http_1_1_is_refused(data, status):
    assert refusal(data) == status


@pytest.mark.parametrize(
    "character", [b'"', b"<", b">", b"[", b"\\", b"]", b"^", b"`", b"{", b"|", b"}", b"#", b"\xc3"]
)
def test_characters_that_a_target_must_escape_are_refused(character):
    assert refusal(b"GET /a" + character + b" HTTP/1.1\r\n" + HOST) == 400
    assert refusal(b"GET /?a" + character + b" HTTP/1.1\r\n" + HOST) == 400


def test_relaxed_characters_are_allowed_where_the_connector_says_so():
    path, query = b"GET /a|b HTTP/1.1\r\n" + HOST, b"GET /?a[] HTTP/1.1\r\n" + HOST
    assert parse(path, relaxed_path="|").path == "/a|b"
    assert refusal(path, relaxed_query="|") == 400
    assert parse(query, relaxed_query="[]").query == "a[]"
    assert refusal(query, relaxed_path="[]") == 400


def test_what_is_not_on_the_list_cannot_be_relaxed():
    assert refusal(b"GET /a#b HTTP/1.1\r\n" + HOST, relaxed_path="#") == 400


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Host: a b\r\n",
        b"Host: a_b\r\n",
        b"Host: a:b\r\n",
        b"Host: a:99999\r\n",
        b"Host: -a\r\n",
        b"Host: [::1\r\n",
        b"Host: [1:2:3]\r\n",
        b"Host: a/b\r\n",
        b"Host: a\r\nHost: a\r\n",
        b"Host: a\r\nHost: b\r\n",
    ],
)
def test_a_missing_doubled_or_malformed_host_is_refused(fields):
    assert refusal(b"GET / HTTP/1.1\r\n" + fields + b"\r\n") == 400


@pytest.mark.parametrize(
    ("field", "host", "port"),
    [(b"", "", -1), (b"a.b.", "a.b.", -1), (b"[::1]:8", "[::1]", 8), (b"127.0.0.1:", "127.0.0.1", -1)],
)
def test_unusual_hosts_are_understood(field, host, port):
    head = parse(b"GET / HTTP/1.1\r\nHost: " + field + b"\r\n\r\n")
    assert (head.host, head.port) == (host, port)


def test_http_1_0_needs_no_host():
    assert parse(b"GET / HTTP/1.0\r\n\r\n").host is None


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400),
        (b"Content-Length: 3\r\nContent-Length: 3\r\n", 400),
        (b"Content-Length: 3, 3\r\n", 400),
        (b"Content-Length: +3\r\n", 400),
        (b"Content-Length: -3\r\n", 400),
        (b"Content-Length: 0x3\r\n", 400),
        (b"Content-Length:\r\n", 400),
        (b"Content-Length: 99999999999999999999\r\n", 400),
        (b"Transfer-Encoding: gzip\r\n", 501),
        (b"Transfer-Encoding: identity\r\n", 501),
        (b"Transfer-Encoding: xchunked\r\n", 501),
        (b"Transfer-Encoding: gzip, chunked\r\n", 501),
        (b"Transfer-Encoding: chunked, gzip\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"Transfer-Encoding: gzip\r\nContent-Length: 3\r\n", 501),
        (b"Transfer-Encoding : chunked\r\n", 400),
        (b"X: a\r\n b\r\n", 400),
        (b" X: a\r\n", 400),
        (b"X@: a\r\n", 400),
        (b"X: a\0\r\n", 400),
        (b"X: a\rb\r\n", 400),
        (b"X: a\nContent-Length: 3\r\n", 400),
        (b"nocolon\r\n", 400),
        (b": novalue\r\n", 400),
    ],
)
def test_fields_that_two_servers_could_read_differently_are_refused(fields, status):
    assert refusal(b"POST / HTTP/1.1\r\n" + fields + HOST) == status


def test_bare_line_feeds_are_refused():
    assert refusal(b"GET / HTTP/1.1\nHost: a\n\n") == 400
    assert refusal(b"\nGET / HTTP/1.1\r\n" + HOST) == 400


def test_chunked_in_http_1_0_is_refused():
    assert refusal(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400


def test_expect_is_understood_only_as_100_continue():
    assert parse(b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\n" + HOST).expects_continue
    assert not parse(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\n" + HOST).expects_continue
    assert refusal(b"POST / HTTP/1.1\r\nExpect: 200-maybe\r\n" + HOST) == 417


def test_sizes_have_limits_complete_or_not():
    long_line = b"GET /" + b"a" * 300
    assert refusal(long_line + b" HTTP/1.1\r\n" + HOST, max_size=256) == 414
    assert refusal(long_line, max_size=256) == 414
    long_field = b"GET / HTTP/1.1\r\nX: " + b"a" * 300
    assert refusal(long_field + b"\r\n" + HOST, max_size=256) == 431
    assert refusal(long_field, max_size=256) == 431
    many = b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 5 + HOST
    assert refusal(many, max_fields=5) == 431
    assert len(parse(many, max_fields=6).fields) == 6


def test_an_illegal_field_is_dropped_where_the_connector_says_so():
    data = b"GET / HTTP/1.1\r\nX@: a\r\nGood: b\r\n" + HOST
    head = parse(data + b"next", reject_illegal_header=False)
    assert [name for name, _ in head.fields] == [b"Good", b"Host"]
    assert head.size == len(data)


def test_dropping_illegal_fields_does_not_let_smuggling_through():
    fields = b"X@: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"
    assert refusal(b"POST / HTTP/1.1\r\n" + fields + HOST, reject_illegal_header=False) == 400


def test_a_head_is_incomplete_at_every_cut_and_the_same_at_the_end():
    data = b"\r\nPOST /a?b HTTP/1.1\r\nContent-Length: 5\r\n" + HOST
    whole = PARSER.parse(data)
    for cut in range(len(data)):
        assert PARSER.parse(data[:cut], max(0, cut - 1)) is None
    assert PARSER.parse(data, len(data) - 1) == whole


PIECES = [
    *(b"GET", b" ", b"/", b"HTTP/1.1", b"\r\n", b"\n", b"Host: a", b":", b"\0", b"\t", b"?x", b"http://a"),
    *(b"Content-Length: 1", b"Transfer-Encoding: chunked"),
]


@given(st.binary(max_size=300))
def test_any_bytes_give_a_head_more_data_or_the_documented_error(data):
    try:
        head = PARSER.parse(data)
    except HttpError as error:
        status = error.status
    else:
        status = 400
        assert head is None or head.size <= len(data)
    assert status in (400, 414, 417, 431, 501, 505)


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_shuffled_pieces_of_http_never_get_a_body_length_twice(pieces):
    try:
        head = PARSER.parse(b"".join(pieces) + b"\r\n\r\n")
    except HttpError:
        return
    assert head is None or not (head.chunked and head.content_length >= 0)


LINES = st.sampled_from(
    [b"GET /a HTTP/1.1", b"HEAD /b?c=d HTTP/1.1", b"OPTIONS * HTTP/1.1", b"BREW http://a/pot HTTP/1.1"]
)
FIELDS = st.lists(
    st.sampled_from([b"X: 1", b"Accept: */*", b"Cookie: a=b", b"Connection: close", b"Empty:"]), max_size=4
)


@given(st.lists(st.tuples(LINES, FIELDS), min_size=1, max_size=4), st.data())
def test_any_cut_of_pipelined_heads_gives_the_same_heads(requests, data):
    wire = b"".join(b"\r\n".join([line, b"Host: a", *fields, b"", b""]) for line, fields in requests)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    buffer, seen, heads = b"", 0, []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        buffer += wire[start:end]
        while buffer:
            head = PARSER.parse(buffer, seen)
            if head is None:
                seen = len(buffer)
                break
            heads.append(head)
            buffer, seen = buffer[head.size :], 0
    assert buffer == b""
    assert [head.method.encode() for head in heads] == [line.split()[0] for line, _ in requests]
    assert [len(head.fields) for head in heads] == [len(fields) + 1 for _, fields in requests]


def test_a_head_in_pieces_is_the_head_in_one():
    parser = RequestHeadParser()
    data = b"GET / HTTP/1.1\r\n" + HOST
    assert parser.parse(data[:20]) is None
    assert parser.parse(data, 20) == parser.parse(data)


def test_the_word_close_in_another_field_keeps_the_connection():
    head = RequestHeadParser().parse(b"GET /close HTTP/1.1\r\nX: close\r\n" + HOST)
    assert head is not None
    assert head.keep_alive


@pytest.mark.parametrize(
    "field",
    [b"Content-Length: 12\x0734", b"Content-Length : 12", b"Content-Length\t: 12", b"Content-\x00Length: 12",
     b"Transfer-Encoding : chunked", b"transfer-encoding\x0b: chunked", b"X: a\nContent-Length: 12",
     b"X: a\rContent-Length: 12", b" Content-Length: 12", b"Content-Length: 1\r\n 2", b"Transfer-Encoding:\r\n chunked",
     b"Host : b", b"Connection\x01: close", b"Content-Length: abc", b"Content-Length: -1"],
)  # fmt: skip
def test_what_could_change_the_framing_is_never_dropped(field):
    data = b"POST / HTTP/1.1\r\n" + field + b"\r\n" + HOST + b"GET /smuggled HTTP/1.1\r\n" + HOST
    assert refusal(data, reject_illegal_header=False) == 400


def test_a_folded_field_is_joined_where_illegal_fields_are_not_refused():
    data = b"GET / HTTP/1.1\r\nX: abcd\r\n\t efgh \r\n ij\r\n" + HOST
    assert parse(data, reject_illegal_header=False).fields[0] == (b"X", b"abcd efgh ij")
    assert refusal(data) == 400


def test_a_head_without_end_has_its_limit_also_where_illegal_fields_are_dropped():
    data = b"GET / HTTP/1.1\r\nX@: a\r\n" + b"A: b\r\n" * 2000
    assert refusal(data, reject_illegal_header=False) == 431
    assert refusal(data + HOST, reject_illegal_header=False) == 431


def test_empty_lines_are_limited_like_a_head():
    parser = RequestHeadParser(HeadLimits(max_size=100))
    assert parser.parse(b"\r\n" * 50) is None
    head = parser.parse(b"\r\n" * 50 + b"GET / HTTP/1.1\r\n" + HOST)
    assert head is not None
    assert head.path == "/"
    assert refusal(b"\r\n" * 51, max_size=100) == 400


@pytest.mark.parametrize("line", [b"GET /x ", b"GET /x", b"GET", b"GET /x FOO", b"GET /x HTTP", b"x" * 30])
def test_a_request_line_without_a_version_is_refused_at_its_end(line):
    assert refusal(line + b"\r\n") == 400
    assert refusal(line + b"\r\n\r\n") == 400


@pytest.mark.parametrize(
    ("target", "cure"),
    [(b"/?a[]=1", r'relaxedQueryChars="\[\]"'), (b"/{x}", 'relaxedPathChars="{}"'), (b"/|?|", "relaxedPath")],
)
def test_the_refusal_of_a_character_names_the_attribute_that_allows_it(target, cure):
    with pytest.raises(HttpError, match=cure):
        PARSER.parse(b"GET " + target + b" HTTP/1.1\r\n" + HOST)


def test_the_refusal_of_a_character_that_cannot_be_allowed_names_none():
    with pytest.raises(HttpError) as caught:
        PARSER.parse(b"GET /\xc3 HTTP/1.1\r\n" + HOST)
    assert "relaxed" not in str(caught.value)


@pytest.mark.parametrize(
    "piece",
    [b"\r\n", b"A: b\r\n", b"X@: b\r\n", b" fold\r\n", b"a", b"/", b"%41", b"\r", b"A:\r\n b\r\n", b"GET /\r\n"],
)
@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\n", b"GET /"])
@pytest.mark.parametrize("lenient", [False, True])
def test_the_work_is_linear(piece, start, lenient):
    parser = RequestHeadParser(HeadLimits(max_size=10**6, max_fields=-1, reject_illegal_header=not lenient))

    def make(size: int) -> Any:
        data = start + piece * size + b"\r\n\r\n"

        def call() -> None:
            with contextlib.suppress(HttpError):
                parser.parse(data)

        return call

    assert_linear(make, 100)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"GET /a|b?c HTTP/1.0\r\nX: y\r\nhost:\t shop:81 \r\n", ("GET", "/a|b", "c", "HTTP/1.0", "shop", 81)),
        (b"\r\nPUT /x HTTP/1.1\r\nHost: b@d\r\n\r\n", ("PUT", "/x", None, "HTTP/1.1", "", -1)),
        (b"GET /x\r\nHost: a\r\n", ("GET", "/x", None, "HTTP/1.1", "a", -1)),
        (b"GET /" + b"a" * 20_000, ("GET", "", None, "HTTP/1.1", "", -1)),
        (b"\x16\x03\x01", ("", "", None, "HTTP/1.1", "", -1)),
    ],
)
def test_what_a_refused_head_seems_to_say_is_told(data, told):
    assert describe_refused(data, 8192) == told


@given(st.binary(max_size=200))
def test_any_refused_bytes_are_described(data):
    assert isinstance(describe_refused(data, 8192).path, str)


@pytest.mark.parametrize("piece", [b"\r\n", b"a", b" ", b"GET / ", b"\nhost:", b"\nhost: "])
def test_describing_a_refused_head_is_linear(piece):
    assert_linear(lambda size: lambda: describe_refused(piece * size, 10**6), 1000)


def test_a_line_and_fields_that_have_come_apart_are_known_together():
    parser = RequestHeadParser()
    fields = b"X: 1\r\n" + HOST
    first = parser.parse(b"GET /a?b HTTP/1.1\r\n" + fields)
    parser.parse(b"POST /c HTTP/1.1\r\nY: 2\r\n" + HOST)
    joined = parser.parse(b"POST /c HTTP/1.1\r\n" + fields)
    assert first is not None
    assert joined is not None
    assert joined.memo is first.memo, "what is made of the fields is made once"
    assert joined == first._replace(method="POST", path="/c", query=None, size=first.size - 1)


lines = st.sampled_from(["/", "/a", "/b?c"])
field_lines = st.sampled_from(["X: 1", "Connection: close", "Content-Length: 0"])


@given(st.lists(st.tuples(lines, field_lines), max_size=20))
def test_a_parser_that_remembers_says_what_a_new_one_says(requests):
    parser = RequestHeadParser()
    for path, field in requests:
        data = f"GET {path} HTTP/1.1\r\n{field}\r\n".encode() + HOST
        known, new = parser.parse(data), RequestHeadParser().parse(data)
        assert known is not None
        assert new is not None
        assert known == new


def test_a_small_limit_holds_for_a_head_whose_parts_are_known():
    parser = RequestHeadParser(HeadLimits(max_size=90))
    parser.parse(b"GET /" + b"a" * 40 + b" HTTP/1.1\r\n" + HOST)
    parser.parse(b"GET / HTTP/1.1\r\nX: " + b"x" * 30 + b"\r\n" + HOST)
    with pytest.raises(HttpError) as refused:
        parser.parse(b"GET /" + b"a" * 40 + b" HTTP/1.1\r\nX: " + b"x" * 30 + b"\r\n" + HOST)
    assert refused.value.status == 431


def test_what_is_remembered_is_bounded():
    parser = RequestHeadParser()
    for number in range(2 * REMEMBERED_LINES):
        parser.parse(b"GET /%d HTTP/1.1\r\nX: %d\r\n" % (number, number) + HOST)
    parser.parse(b"GET / HTTP/1.1\r\nX: " + b"x" * REMEMBERED_BLOCK_LENGTH + b"\r\n" + HOST)
    assert len(parser._lines) <= REMEMBERED_LINES
    assert len(parser._blocks) <= REMEMBERED_BLOCKS
    assert all(len(block) <= REMEMBERED_BLOCK_LENGTH for block in parser._blocks)


def test_bytes_that_can_be_changed_are_parsed_like_others():
    parser = RequestHeadParser()
    data = b"GET / HTTP/1.1\r\n" + HOST
    parser.parse(data)
    head = parser.parse(bytearray(data))
    assert head is not None
    assert head.size == len(data)
