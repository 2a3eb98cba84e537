from catalina.coyote.abstract_protocol import AbstractProtocol


def test_time_outs_follow_each_other():
    handler = AbstractProtocol(connection_timeout=20_000)
    assert handler.effective_connection_timeout_ms == handler.effective_keep_alive_timeout_ms == 20_000
    handler.set_attribute("socket.soTimeout", "5000")
    assert handler.effective_connection_timeout_ms == handler.effective_keep_alive_timeout_ms == 5000
    handler.set_attribute("keepAliveTimeout", "-1")
    assert handler.effective_keep_alive_timeout_ms == -1


def test_old_names_still_count():
    handler = AbstractProtocol()
    for name, text in {"backlog": "5", "soLinger": "3", "soTimeout": "7"}.items():
        assert handler.set_attribute(name, text)
    assert (handler.accept_count, handler.connection_linger, handler.connection_timeout) == (5, 3, 7)
