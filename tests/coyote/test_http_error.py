from catalina.coyote.http_error import HttpError
from catalina.errors import ProtocolError


def test_an_http_error_carries_the_status_the_client_gets():
    error = HttpError(431, "too large").at_peer("127.0.0.1:5")
    assert isinstance(error, ProtocolError)
    assert error.status == 431
    assert str(error) == "127.0.0.1:5: too large"
