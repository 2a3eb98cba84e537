from __future__ import annotations

import pytest

from catalina.attributes import AttributeRefused
from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol


def test_sizes_of_heads_follow_each_other():
    handler = Http11NioProtocol()
    assert handler.request_header_size == handler.response_header_size == 8192
    handler.set_attribute("maxHttpHeaderSize", "16384")
    handler.set_attribute("maxHttpRequestHeaderSize", "4096")
    assert (handler.request_header_size, handler.response_header_size) == (4096, 16384)


def test_the_limits_of_heads_are_those_of_the_attributes():
    handler = Http11NioProtocol()
    for name, text in {
        "maxHeaderCount": "7", "relaxedPathChars": "|", "relaxedQueryChars": "[]", "rejectIllegalHeaderName": "false",
        "allowHostHeaderMismatch": "true",
    }.items():  # fmt: skip
        assert handler.set_attribute(name, text)
    limits = handler.head_limits
    assert (limits.max_fields, limits.relaxed_path, limits.relaxed_query) == (7, "|", "[]")
    assert not limits.reject_illegal_header
    assert limits.allow_host_mismatch


@pytest.mark.parametrize("text", ["on", "OFF", "force", "2048"])
def test_compression_is_a_word_or_a_size(text):
    handler = Http11NioProtocol()
    handler.set_attribute("compression", text)
    assert handler.compression == text.lower()


def test_another_word_for_compression_is_refused():
    with pytest.raises(AttributeRefused):
        Http11NioProtocol().set_attribute("compression", "gzip")
