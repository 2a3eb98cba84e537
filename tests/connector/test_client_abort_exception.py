from catalina.connector.client_abort_exception import ClientAbortException


def test_applications_that_expect_an_os_error_get_one():
    error = ClientAbortException("10.0.0.7: nothing came for 20 seconds", 408)
    assert isinstance(error, OSError)
    assert error.status == 408
    assert "10.0.0.7" in str(error)
