"""``<ResourceEnvRef>`` (Tomcat: tomcat/util/descriptor/web/ContextResourceEnvRef.java)."""

from __future__ import annotations

from catalina.attributes import Attribute
from catalina.tomcat.util.descriptor.web.context_resource import ContextResource

__all__ = ["ContextResourceEnvRef"]


class ContextResourceEnvRef(ContextResource):
    """A resource that is made as its type and a factory's properties say."""

    override = Attribute(bool, True, doc="True lets a resource-env-ref of web.xml with this name win.")
