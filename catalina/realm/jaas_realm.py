"""JAAS is a part of Java: its realm is recognised, and nobody can log in (Tomcat: realm/JAASRealm.java)."""

from __future__ import annotations

from catalina.attributes import Attribute
from catalina.realm.null_realm import NullRealm

__all__ = ["JAASRealm"]


class JAASRealm(NullRealm):
    """Fails closed: applications run, every login is refused, and a warning at the start says why."""

    app_name = Attribute(
        str, "", doc="Entry of the JAAS configuration.", inert="there is no JAAS, the realm lets nobody in"
    )
    config_file = Attribute(str, "", doc="The JAAS configuration.", inert="there is no JAAS, the realm lets nobody in")
    role_class_names = Attribute(
        str, "", doc="Principal classes that are roles.", inert="there is no JAAS, the realm lets nobody in"
    )
    user_class_names = Attribute(
        str, "", doc="Principal classes that are users.", inert="there is no JAAS, the realm lets nobody in"
    )
    use_context_class_loader = Attribute(
        bool, True, doc="Where the classes are loaded from.", inert="there is no JAAS, the realm lets nobody in"
    )

    def _start(self) -> None:
        super()._start()
        self.logger.warning(
            "%s: JAAS login modules are Java classes and cannot run here, so every login through this realm is refused;"
            " use a JNDIRealm, DataSourceRealm or UserDatabaseRealm",
            self.place or self,
        )
