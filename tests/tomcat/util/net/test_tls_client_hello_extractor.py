from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.tomcat.util.net.tls_client_hello_extractor import TLSClientHelloExtractor
from tests.support.work import assert_linear

LIMIT = 65536


def client_hello(name: str | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """The bytes that OpenSSL would send first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = version
    output = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), output, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return output.read()


def records(message: bytes, size: int) -> bytes:
    """A handshake message in records of ``size`` bytes."""
    parts = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2) + part for part in parts)


def name_of(data: bytes, limit: int = LIMIT) -> str | None:
    extractor = TLSClientHelloExtractor(limit)
    assert extractor.look(data)
    return extractor.server_name


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_name_is_that_of_the_client_in_lower_case(version):
    assert name_of(client_hello("Shop.Example.ORG", version)) == "shop.example.org"
    assert name_of(client_hello(None, version)) is None


@given(st.integers(1, 400), st.lists(st.integers(1, 3000), max_size=8).map(sorted))
def test_how_it_is_cut_into_records_and_reads_makes_no_difference(size, cuts):
    data = records(client_hello("shop.example.org")[5:], size)
    extractor = TLSClientHelloExtractor(LIMIT)
    for cut in (*(cut for cut in cuts if cut < len(data)), len(data)):
        done = extractor.look(data[:cut])
        assert done or extractor.needed > cut
    assert done
    assert extractor.server_name == "shop.example.org"


def test_waiting_for_what_is_needed_finds_it_in_few_looks():
    data = records(client_hello("shop.example.org")[5:], 1)
    extractor = TLSClientHelloExtractor(LIMIT)
    looks, come = 1, 0
    while not extractor.look(data[:come]):
        assert extractor.needed > come
        looks, come = looks + 1, extractor.needed
    assert extractor.server_name == "shop.example.org"
    assert looks < 50


@given(st.binary(max_size=600) | st.binary(max_size=300).map(lambda data: b"\x16\x03\x01\x01\x2c" + data))
def test_any_bytes_are_looked_at_or_waited_for(data):
    extractor = TLSClientHelloExtractor(500)
    if not extractor.look(data):
        assert len(data) < extractor.needed <= 500


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_hello_with_one_byte_changed_gives_a_name_or_none(at, value):
    data = bytearray(client_hello("shop.example.org"))
    data[at % len(data)] = value
    extractor = TLSClientHelloExtractor(LIMIT)
    extractor.look(bytes(data))
    assert extractor.server_name is None or extractor.server_name.isascii()


@pytest.mark.parametrize(
    "data", [b"G", b"\x80\x2e", b"\x16\x02\x00\x00\x05", b"\x16\x03\x01\x00\x00", b"\x17\x03\x03\x00\x01x"]
)
def test_what_is_no_hello_has_no_name_and_is_not_waited_for(data):
    assert name_of(data) is None


def test_what_is_longer_than_the_limit_is_not_waited_for():
    hello = client_hello("shop.example.org")
    assert name_of(hello[:9], limit=100) is None
    assert name_of(records(hello[5:], 1)[:600], limit=600) is None


def test_work_is_linear_however_small_the_records():
    def make(size: int) -> Callable[[], object]:
        message = b"\x01" + size.to_bytes(3) + bytes(34) + b"\x00\x00\x02" + bytes(size)
        data = records(message, 1)

        def read() -> None:
            extractor = TLSClientHelloExtractor(10**9)
            come = 0
            while not extractor.look(data[:come]) and come < len(data):
                come = extractor.needed

        return read

    assert_linear(make, 2000)
