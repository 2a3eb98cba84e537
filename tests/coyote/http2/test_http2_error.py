from __future__ import annotations

from catalina.coyote.http2.http2_error import ConnectionException, Http2Error, StreamException


def test_errors_say_code_place_and_reason():
    assert (
        str(ConnectionException(Http2Error.FRAME_SIZE_ERROR, "a frame of 9 bytes"))
        == "FRAME_SIZE_ERROR: a frame of 9 bytes"
    )
    assert str(StreamException(3, Http2Error.CANCEL, "no more")) == "CANCEL on stream 3: no more"
