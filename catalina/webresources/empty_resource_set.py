"""Nothing (Tomcat: webresources/EmptyResourceSet.java)."""

from __future__ import annotations

from catalina.webresources.resource import Resource
from catalina.webresources.resource_set import ResourceSet

__all__ = ["EmptyResourceSet"]


class EmptyResourceSet(ResourceSet):
    """The main set of an application whose files are never served."""

    def get(self, path: str) -> Resource | None:
        return None

    def names(self, path: str) -> set[str]:
        return set()
