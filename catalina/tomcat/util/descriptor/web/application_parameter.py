"""``<Parameter>`` (Tomcat: tomcat/util/descriptor/web/ApplicationParameter.java)."""

from __future__ import annotations

from catalina.attributes import Attribute, Component

__all__ = ["ApplicationParameter"]


class ApplicationParameter(Component):
    """An init parameter of the application, given by the operator."""

    name = Attribute(str, "", doc="Parameter name.")
    value = Attribute(str, "", doc="Parameter value.")
    description = Attribute(str, "", doc="Free text for people; no effect at run time.")
    override = Attribute(bool, True, doc="True lets a context-param of web.xml with this name win.")
