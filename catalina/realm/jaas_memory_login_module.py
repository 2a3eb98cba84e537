"""The JAAS login module that is also a realm (Tomcat: realm/JAASMemoryLoginModule.java)."""

from __future__ import annotations

from catalina.realm.memory_realm import MemoryRealm

__all__ = ["JAASMemoryLoginModule"]


class JAASMemoryLoginModule(MemoryRealm):
    """As the ``className`` of a Realm it is a MemoryRealm; as a login module it exists only in Java."""
