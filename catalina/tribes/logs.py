"""The logger that traces every message (Tomcat: tribes/util/Logs.java)."""

from __future__ import annotations

import logging

__all__ = ["MESSAGES", "TRACE"]

#: Level of JULI's FINEST, which Tomcat's ``trace`` is.
TRACE = 5

MESSAGES = logging.getLogger("org.apache.catalina.tribes.MESSAGES")
