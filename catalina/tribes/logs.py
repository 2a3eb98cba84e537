"""The logger that traces every message (Tomcat: tribes/util/Logs.java)."""

from __future__ import annotations

import logging

__all__ = ["FINE", "MESSAGES"]

#: The level of these lines. Tomcat writes them with FINEST; an operator who sets FINE on this logger wants to see
#: messages.
FINE = logging.DEBUG

MESSAGES = logging.getLogger("org.apache.catalina.tribes.MESSAGES")
