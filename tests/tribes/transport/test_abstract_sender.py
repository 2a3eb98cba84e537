"""The attributes of a <Transport>."""

from __future__ import annotations

from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from catalina.tribes.transport.abstract_sender import AbstractSender


def test_the_defaults_are_tomcats():
    sender = AbstractSender()
    assert (sender.timeout, sender.max_retry_attempts, sender.keep_alive_count, sender.keep_alive_time) == (
        3000,
        1,
        -1,
        -1,
    )
    assert (sender.rx_buf_size, sender.tx_buf_size) == (25188, 65536)
    assert sender.throw_on_failed_ack


def test_a_sender_who_finds_the_dispatchers_queue_full_can_still_wait_in_the_members():
    assert AbstractSender().max_backlog >= 2 * MessageDispatchInterceptor().max_queue_size


def test_attributes_are_set_by_their_names_in_the_xml():
    sender = AbstractSender()
    for name, text in {"timeout": "60000", "ooBInline": "false", "soReuseAddress": "false", "txBufSize": "1"}.items():
        assert sender.set_attribute(name, text)
    assert (sender.timeout, sender.oo_b_inline, sender.so_reuse_address, sender.tx_buf_size) == (60000, False, False, 1)
