"""A war file (Tomcat: webresources/WarResourceSet.java)."""

from __future__ import annotations

from catalina.webresources.jar_resource_set import JarResourceSet

__all__ = ["WarResourceSet"]


class WarResourceSet(JarResourceSet):
    """The entries of a war; to Tomcat another class because its entries may be archives themselves."""
