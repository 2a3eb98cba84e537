"""Hands session messages to the managers (Tomcat: ha/session/ClusterSessionListener.java)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from catalina.ha.cluster_listener import ClusterListener
from catalina.ha.session.session_message import (
    EVT_ALL_SESSION_NOCONTEXTMANAGER,
    EVT_GET_ALL_SESSIONS,
    EVT_LEDGER,
    SessionMessage,
)
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.ledger.wire import is_start

if TYPE_CHECKING:
    from catalina.tribes.member import Member

__all__ = ["ClusterSessionListener"]

log = logging.getLogger("org.apache.catalina.ha.session.ClusterSessionListener")


class ClusterSessionListener(ClusterListener):
    """Finds the manager of a message. A node that asks for the state of an unknown application is told so at once."""

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._repeated = RepeatedMessages(log)

    def accept(self, message: Any) -> bool:
        """Accept session messages only."""
        return isinstance(message, SessionMessage)

    def message_received(self, message: SessionMessage, sender: Member) -> None:
        """Hand the message to the manager of ``message.context_name``, or to all when it names none."""
        cluster = self.cluster
        if cluster is None:
            return
        name = message.context_name
        if name is None:
            for manager in tuple(cluster.managers.values()):
                manager.message_data_received(message, sender)
            return
        found = cluster.managers.get(name)
        if found is not None:
            found.message_data_received(message, sender)
            return
        if message.event == EVT_GET_ALL_SESSIONS or (message.event == EVT_LEDGER and is_start(message.session or b"")):
            # Without this answer the asker's deployment would wait for its stateTransferTimeout.
            no_manager = SessionMessage(
                EVT_ALL_SESSION_NOCONTEXTMANAGER, name, None, "NO-CONTEXT-MANAGER", f"NO-CONTEXT-MANAGER-{name}"
            )
            cluster.post(no_manager, sender)
        self._repeated.log(
            logging.WARNING,
            f"messages of {sender.name} for managers that do not exist",
            "Context manager doesn't exist:[%s]",
            name,
        )
