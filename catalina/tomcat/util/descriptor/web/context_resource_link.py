"""``<ResourceLink>`` (Tomcat: tomcat/util/descriptor/web/ContextResourceLink.java)."""

from __future__ import annotations

from catalina.attributes import Attribute
from catalina.tomcat.util.descriptor.web.resource_base import ResourceBase

__all__ = ["ContextResourceLink"]


class ContextResourceLink(ResourceBase):
    """A global resource under the application's own name."""

    bean_takes_properties = True

    # `global` is a keyword of Python, so the attribute has another name.
    global_name = Attribute(str, "", xml="global", doc="Name of the global resource.")
    factory = Attribute(
        str,
        "org.apache.naming.factory.ResourceLinkFactory",
        doc="org.apache.naming.factory.DataSourceLinkFactory: the same database with credentials of its own.",
    )
    username = Attribute(str, "", doc="User for DataSourceLinkFactory.")
    password = Attribute(str, "", doc="Password for DataSourceLinkFactory.")
