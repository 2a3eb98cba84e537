"""``<Environment>`` (Tomcat: tomcat/util/descriptor/web/ContextEnvironment.java)."""

from __future__ import annotations

from catalina.attributes import Attribute
from catalina.tomcat.util.descriptor.web.resource_base import ResourceBase

__all__ = ["ContextEnvironment"]


class ContextEnvironment(ResourceBase):
    """A value with a JNDI name."""

    value = Attribute(str, "", doc="The value as text; the type says what it becomes.")
    override = Attribute(bool, True, doc="True lets an env-entry of web.xml with this name win.")
