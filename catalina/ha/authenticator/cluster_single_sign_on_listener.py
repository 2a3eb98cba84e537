"""The session listener that travels with sessions of a single sign-on (Tomcat: ClusterSingleSignOnListener.java).

::

    class ClusterSingleSignOnListener, suid 1, no fields     super SingleSignOnListener, suid 1: String ssoId

Java adds the listener to a session by a LISTENER action and sends it with the session. The listener only names the
sign-on; the node where the session ends looks for the valve that knows the sign-on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalina.authenticator.single_sign_on import SingleSignOn
from catalina.tribes.io.java.descriptors import describe
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.node_reader import read_object
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import ClassData, JavaObject, JavaString, text_of

if TYPE_CHECKING:
    from catalina.session.session import Session

__all__ = ["decode_listener", "encode_listener", "hear_of_session"]

CLASS_NAME = "org.apache.catalina.ha.authenticator.ClusterSingleSignOnListener"

_BASE = describe("org.apache.catalina.authenticator.SingleSignOnListener", 1, fields="Ljava/lang/String; ssoId")
_CLASS = describe(CLASS_NAME, 1, super_desc=_BASE)


def encode_listener(sso_id: str) -> EncodedValue:
    """The listener of the single sign-on ``sso_id``."""
    data = [ClassData(_BASE, {"ssoId": JavaString(sso_id)}), ClassData(_CLASS, {})]
    return encode_node(JavaObject(_CLASS, data))


def decode_listener(encoded: EncodedValue) -> str | None:
    """The single sign-on that a listener belongs to; None for any other listener.

    Raises:
        ProtocolError: the bytes break the grammar.
    """
    node = read_object(encoded.data)
    if not isinstance(node, JavaObject) or node.class_name != CLASS_NAME:
        return None
    return text_of(node.get("ssoId"), "ssoId")


def hear_of_session(encoded: EncodedValue, session: Session, event: str, old_id: str) -> None:
    """A session with the listener has ended (``destroySession``) or has a new id (``changeSessionId``) on this node.

    Raises:
        ProtocolError: the bytes break the grammar.
    """
    sso_id, sso = decode_listener(encoded), _single_sign_on(session)
    if sso_id is None or sso is None:
        return
    if event == "destroySession":
        sso.session_destroyed(sso_id, session)
    else:
        sso.session_changed_id(sso_id, session, old_id)


def _single_sign_on(session: Session) -> SingleSignOn | None:
    """The nearest SingleSignOn valve above the session's application."""
    container: Any = session.manager.context
    while container is not None:
        for valve in container.pipeline.valves:
            if isinstance(valve, SingleSignOn):
                return valve
        container = container.parent
    return None
