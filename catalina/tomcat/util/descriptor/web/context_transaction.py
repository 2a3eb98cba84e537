"""``<Transaction>`` (Tomcat: tomcat/util/descriptor/web/ContextTransaction.java)."""

from __future__ import annotations

from typing import ClassVar

from catalina.attributes import Attribute, Component

__all__ = ["ContextTransaction"]


class ContextTransaction(Component):
    """The object under the name ``UserTransaction``. As in Tomcat there is none by default, so a factory must be
    named.
    """

    keeps_unknown_attributes = True
    #: As of the other entries; an operator cannot choose them.
    name: ClassVar[str] = "UserTransaction"
    type: ClassVar[str] = "jakarta.transaction.UserTransaction"

    factory = Attribute(str, "", doc="Factory of the object: a Python name.")
