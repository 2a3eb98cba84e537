"""``<Resource>`` (Tomcat: tomcat/util/descriptor/web/ContextResource.java)."""

from __future__ import annotations

from catalina.attributes import Attribute
from catalina.tomcat.util.descriptor.web.resource_base import ResourceBase
from catalina.util.jdbc_url import driver_packages

__all__ = ["ContextResource"]


class ContextResource(ResourceBase):
    """An object that a factory makes when it is first looked up: a DataSource, a mail session, a user database."""

    bean_takes_properties = True

    def needed_packages(self) -> tuple[str, ...]:
        """The packages of a DataSource: SQLAlchemy, and the driver that its url names."""
        url = self.properties.get("url") or self.properties.get("jdbcUrl") or ""
        if not url.startswith("jdbc:") and not self.type.endswith("DataSource"):
            return ()
        return ("sqlalchemy", *driver_packages(url))

    auth = Attribute(str, "", doc="Container or Application: who signs on. Kept, as in Tomcat: the Resource says how.")
    scope = Attribute(str, "Shareable", doc="Shareable or Unshareable connections. Kept, as in Tomcat.")
    singleton = Attribute(bool, True, doc="One object for all lookups; false makes one for each.")
    close_method = Attribute(
        str,
        "",
        doc="Method called on the object at the stop; close or dispose when not given.",
    )
