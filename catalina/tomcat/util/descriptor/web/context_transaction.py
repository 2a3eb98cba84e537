"""``<Transaction>`` (Tomcat: tomcat/util/descriptor/web/ContextTransaction.java)."""

from __future__ import annotations

from catalina.attributes import Attribute, Component

__all__ = ["ContextTransaction"]


class ContextTransaction(Component):
    """The object under the name ``UserTransaction``. As in Tomcat there is none by default, so a factory must be
    named.
    """

    keeps_unknown_attributes = True

    factory = Attribute(str, "", doc="Factory of the object: a Python name.")
