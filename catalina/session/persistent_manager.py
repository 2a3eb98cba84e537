"""The manager that ``org.apache.catalina.session.PersistentManager`` names (Tomcat: session/PersistentManager.java)."""

from __future__ import annotations

from catalina.session.persistent_manager_base import PersistentManagerBase

__all__ = ["PersistentManager"]


class PersistentManager(PersistentManagerBase):
    """Sessions in memory and in the nested ``<Store>``."""
