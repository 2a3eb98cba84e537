from __future__ import annotations

import ssl

import pytest

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.tls_stream import TlsStream


class Socket:
    """A TLS socket that answers as told."""

    def __init__(self, answer: Exception | bytes | int) -> None:
        self.answer = answer

    def recv(self, size: int) -> bytes:
        if isinstance(self.answer, Exception):
            raise self.answer
        assert isinstance(self.answer, bytes)
        return self.answer

    def send(self, data: bytes) -> int:
        if isinstance(self.answer, Exception):
            raise self.answer
        assert isinstance(self.answer, int)
        return self.answer


def stream(answer: Exception | bytes | int) -> TlsStream:
    made = TlsStream.__new__(TlsStream)
    made.sock = Socket(answer)  # type: ignore[assignment]
    made.peer = ("10.0.0.1", 5)
    return made


@pytest.mark.parametrize(
    ("answer", "received"),
    [
        (b"data", b"data"),
        (ssl.SSLWantReadError(), None),
        (ssl.SSLWantWriteError(), None),
        (ssl.SSLEOFError(), b""),
        (ConnectionResetError(), b""),
    ],
)
def test_what_openssl_says_becomes_data_nothing_yet_or_the_end(answer, received):
    assert stream(answer).receive() == received


def test_what_openssl_does_not_take_waits_and_a_lost_client_is_said():
    assert stream(3)._transmit(b"abc") == 3
    assert stream(ssl.SSLWantWriteError())._transmit(b"abc") == 0
    with pytest.raises(ClientAbortException, match=r"10\.0\.0\.1"):
        stream(BrokenPipeError())._transmit(b"abc")
