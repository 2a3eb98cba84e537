from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.http11.response_head import chunk, encode_head, with_reason


def test_a_head_is_written_as_tomcat_writes_it():
    head = encode_head(200, [("Content-Type", "text/plain"), ("Content-Length", "3")], "Date: today\r\n")
    assert head == b"HTTP/1.1 200 \r\nContent-Type: text/plain\r\nContent-Length: 3\r\nDate: today\r\n\r\n"


def test_a_value_cannot_end_its_line():
    head = encode_head(302, [("Location", "/a\r\nSet-Cookie: evil=1\0")], "")
    assert head == b"HTTP/1.1 302 \r\nLocation: /a  Set-Cookie: evil=1 \r\n\r\n"


def test_a_name_cannot_end_its_line():
    assert encode_head(200, [("X\r\nEvil", "1")], "") == b"HTTP/1.1 200 \r\nX__Evil: 1\r\n\r\n"


def test_characters_beyond_latin_1_become_question_marks():
    assert b"X: \xe4?\r\n" in encode_head(200, [("X", "\xe4\u20ac")], "")


def test_unusual_status_codes_are_sent_as_they_are():
    assert encode_head(799, [], "").startswith(b"HTTP/1.1 799 \r\n")


def test_a_chunk_has_its_size_in_hex():
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=20)), max_size=4))
def test_any_fields_make_exactly_one_line_each(fields):
    assert encode_head(200, fields, "").count(b"\n") == len(fields) + 2


def test_a_reason_is_sent_on_request_and_cannot_end_its_line():
    head = encode_head(404, (("A", "b"),), "")
    assert with_reason(head, "Not Found") == b"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n"
    assert with_reason(head, "a\r\nX: \u20ac") == b"HTTP/1.1 404 a  X: ?\r\nA: b\r\n\r\n"
