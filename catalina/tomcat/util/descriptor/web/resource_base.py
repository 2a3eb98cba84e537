"""The common part of the naming elements (Tomcat: tomcat/util/descriptor/web/ResourceBase.java)."""

from __future__ import annotations

import copy
from typing import Protocol, Self

from catalina.attributes import Attribute, Component

__all__ = ["Owner", "ResourceBase"]


class Owner(Protocol):
    """The naming resources that have bound an entry."""

    def change(self, entry: ResourceBase, name: str, text: str) -> bool:
        """Change an attribute of the entry, and what stands behind its name.

        Returns:
            False when there is no such attribute.

        Raises:
            AttributeRefused: the entry cannot be so.
        """


class ResourceBase(Component):
    """An entry with a JNDI name; undeclared attributes are kept for its factory, in ``properties``."""

    keeps_unknown_attributes = True

    name = Attribute(str, "", doc="The name, below java:comp/env or in the global resources.")
    type = Attribute(str, "", doc="Java class of the object; says which factory makes it.")
    description = Attribute(str, "", doc="Free text for people; no effect at run time.")
    lookup_name = Attribute(str, "", doc="Another name, whose object this one is.")

    #: None while the configuration is being read.
    owner: Owner | None = None

    def set_attribute(self, name: str, text: str) -> bool:
        """See :meth:`Component.set_attribute`; what is bound already is bound anew."""
        if self.owner is not None:
            return self.owner.change(self, name, text)
        return super().set_attribute(name, text)

    def changed(self, name: str, text: str) -> Self:
        """A copy without an owner, with another attribute.

        Raises:
            AttributeRefused: the text is no value of the attribute.
        """
        made = copy.copy(self)
        made.owner = None
        made.properties, made.given = dict(self.properties), set(self.given)
        made.set_attribute(name, text)
        return made
