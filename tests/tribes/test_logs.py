"""The logger of every message."""

from __future__ import annotations

import logging

from catalina.tribes.logs import MESSAGES, TRACE


def test_messages_are_traced_below_debug_under_tomcats_name():
    assert MESSAGES.name == "org.apache.catalina.tribes.MESSAGES"
    assert TRACE < logging.DEBUG
