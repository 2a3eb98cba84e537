"""``<Resources className="...ExtractingRoot">`` (Tomcat: webresources/ExtractingRoot.java)."""

from __future__ import annotations

from catalina.webresources.standard_root import StandardRoot

__all__ = ["ExtractingRoot"]


class ExtractingRoot(StandardRoot):
    """In Tomcat it unpacks the archives of WEB-INF/lib of a packed application; here the loader always does."""
