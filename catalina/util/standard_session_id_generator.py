"""Session ids (Tomcat: util/StandardSessionIdGenerator.java, SessionIdGeneratorBase.java)."""

from __future__ import annotations

import os

from catalina.attributes import Attribute
from catalina.lifecycle import Lifecycle

__all__ = ["StandardSessionIdGenerator"]

_NO_MEANING = "identifiers come from the operating system's random source"


class StandardSessionIdGenerator(Lifecycle):
    """Upper-case hexadecimal ids, with ``.jvmRoute`` behind them when the engine has one."""

    session_id_length = Attribute(int, 16, unit="bytes", doc="Random bytes in an id; it has two hex digits per byte.")
    jvm_route = Attribute(str, "", doc="Put behind each id; the manager sets it to the engine's jvmRoute.")
    secure_random_class = Attribute(str, None, inert=_NO_MEANING)
    secure_random_algorithm = Attribute(str, "SHA1PRNG", inert=_NO_MEANING)
    secure_random_provider = Attribute(str, None, inert=_NO_MEANING)

    def generate_session_id(self, route: str | None = None) -> str:
        """A new id; ``route``, if given, replaces the generator's own."""
        route = self.jvm_route if route is None else route
        session_id = os.urandom(self.session_id_length).hex().upper()
        return f"{session_id}.{route}" if route else session_id
