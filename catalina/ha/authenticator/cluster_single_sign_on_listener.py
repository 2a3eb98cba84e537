"""The session listener that travels with sessions of a single sign-on (Tomcat: ClusterSingleSignOnListener.java).

::

    class ClusterSingleSignOnListener, suid 1, no fields     super SingleSignOnListener, suid 1: String ssoId

Java adds it to a session by a LISTENER action and sends it with the session. Here it only names the sign-on.
"""

from __future__ import annotations

from catalina.tribes.io.java.descriptors import describe
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import ClassData, JavaObject, JavaString, text_of

__all__ = ["decode_listener", "encode_listener"]

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
    node = NodeReader(encoded.data).read_node()
    if not isinstance(node, JavaObject) or node.class_name != CLASS_NAME:
        return None
    return text_of(node.get("ssoId"), "ssoId")
