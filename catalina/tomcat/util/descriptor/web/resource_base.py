"""The common part of the naming elements (Tomcat: tomcat/util/descriptor/web/ResourceBase.java)."""

from __future__ import annotations

from catalina.attributes import Attribute, Component

__all__ = ["ResourceBase"]


class ResourceBase(Component):
    """An entry with a JNDI name; undeclared attributes are kept for its factory, in ``properties``."""

    keeps_unknown_attributes = True

    name = Attribute(str, "", doc="The name, below java:comp/env or in the global resources.")
    type = Attribute(str, "", doc="Java class of the object; says which factory makes it.")
    description = Attribute(str, "", doc="Free text for people; no effect at run time.")
    lookup_name = Attribute(str, "", doc="Another name, whose object this one is.")
