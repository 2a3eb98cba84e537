"""JAAS is a part of Java: its realm is recognised, and nobody gets in (Tomcat: realm/JAASRealm.java)."""

from __future__ import annotations

from catalina.attributes import Attribute
from catalina.realm.null_realm import NullRealm

__all__ = ["JAASRealm"]


class JAASRealm(NullRealm):
    """Fails closed: applications run, every login is refused, and a warning at the start says why."""

    app_name = Attribute(str, "", doc="Java only: entry of the JAAS configuration.")
    config_file = Attribute(str, "", doc="Java only: the JAAS configuration.")
    role_class_names = Attribute(str, "", doc="Java only: principal classes that are roles.")
    user_class_names = Attribute(str, "", doc="Java only: principal classes that are users.")
    use_context_class_loader = Attribute(bool, True, doc="Java only: where the classes are loaded from.")

    def _start(self) -> None:
        super()._start()
        self.logger.warning(
            "%s: JAAS login modules are Java classes and cannot run here, so every login through this realm is refused;"
            " use a JNDIRealm, DataSourceRealm or UserDatabaseRealm",
            self.place or self,
        )
