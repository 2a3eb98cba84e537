"""Session attributes as bytes: what a manager's filters let out and in, and what may become an object again.

Outgoing: sessionAttributeNameFilter and sessionAttributeValueClassNameFilter choose what is stored or replicated.
Incoming: the same filters, and a Python class is built only if it is one of the application's own or matches the
class filter; anything else stays as it came and is passed on (ARCHITECTURE.md: decoding never runs code).
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from catalina.errors import NotReplicableError, ProtocolError
from catalina.session.immutable import IMMUTABLE
from catalina.tribes.io.java import EncodedValue, OpaqueValue, decode_value, encode_value

if TYPE_CHECKING:
    from catalina.session.manager_base import ManagerBase
    from catalina.session.standard_session import StandardSession

__all__ = ["AttributeCodec"]

log = logging.getLogger("org.apache.catalina.session.ManagerBase")

#: A value that another thread changes while it is encoded is tried this often.
_TRIES = 3

#: Never stored and never replicated (Tomcat: StandardSession.excludedAttributes, Constants.excludedAttributeNames).
EXCLUDED = frozenset({"javax.security.auth.subject", "org.apache.catalina.valves.CrawlerSessionManagerValve"})


class AttributeCodec:
    """The two directions, with the filters and the application of ``manager``."""

    def __init__(self, manager: ManagerBase) -> None:
        self.manager = manager

    def encode(self, name: str, value: object) -> EncodedValue:
        """The value's bytes.

        Raises:
            NotReplicableError: some part of it cannot travel; the path starts with the attribute's name.
        """
        try:
            return encode_value(value, name)
        except NotReplicableError:
            loader = getattr(self.manager.context, "loader", None)
            if loader is None:
                raise
            # Two applications may have a module of this name; outside of a request the loader must say whose is meant.
            with loader.bound():
                return encode_value(value, name)

    def encode_if_allowed(self, name: str, value: object) -> EncodedValue | None:
        """The value's bytes, None when a filter holds it back.

        Raises:
            NotReplicableError: some part of it cannot travel.
            RuntimeError: another thread kept changing it, three times in a row.
        """
        if not self.lets_name_through(name):
            return None
        if type(value) in IMMUTABLE and self.manager.session_attribute_value_class_name_filter is None:
            return encode_value(value, name)
        for _ in range(_TRIES - 1):
            try:
                encoded = self.encode(name, value)
                break
            except RuntimeError:  # changed size during iteration
                continue
        else:
            encoded = self.encode(name, value)
        if self.manager.session_attribute_value_class_name_filter is not None:
            kind = type(value)
            names = (encoded.class_name, f"{kind.__module__}.{kind.__qualname__}")
            if not self.lets_value_through(name, names):
                return None
        return encoded

    def lets_in(self, name: str, encoded: EncodedValue) -> bool:
        """Whether a value that comes from elsewhere may become an attribute.

        A Python value is a byte[] for everybody else: its own class is checked when it is decoded.
        """
        if not self.lets_name_through(name):
            return False
        if self.manager.session_attribute_value_class_name_filter is None or encoded.class_name == "[B":
            return True
        return self.lets_value_through(name, (encoded.class_name,))

    def decode(self, session: StandardSession, name: str, encoded: EncodedValue) -> Any:
        """The value, or an opaque stand-in that keeps its bytes when its class may not be built here."""
        loader = getattr(self.manager.context, "loader", None)
        try:
            # Two applications may have a module of one name; the loader says whose is meant.
            with loader.bound() if loader is not None else contextlib.nullcontext():
                return decode_value(encoded, self.allows_class)
        except ProtocolError as error:
            log.warning("Cannot deserialize session attribute [%s] for session [%s]: %s", name, session.id, error)
            return OpaqueValue(encoded, why=str(error))

    def allows_class(self, class_name: str) -> bool:
        """Whether ``package.module.Class`` may be built: the application's own, or let in by the class filter."""
        loader = getattr(self.manager.context, "loader", None)
        module = class_name.rpartition(".")[0]
        while loader is not None and module:
            if loader.is_application_module(module):
                return True
            module = module.rpartition(".")[0]  # a class inside a class
        class_filter = self.manager.session_attribute_value_class_name_filter
        return class_filter is not None and class_filter.fullmatch(class_name) is not None

    def lets_name_through(self, name: str) -> bool:
        """Whether the attribute may be stored or replicated as far as its name goes."""
        if name in EXCLUDED:
            return False
        name_filter = self.manager.session_attribute_name_filter
        if name_filter is None or name_filter.fullmatch(name):
            return True
        self._say("Skipped session attribute named [%s] because it did not match the name filter [%s]",
                  name, name_filter.pattern)  # fmt: skip
        return False

    def lets_value_through(self, name: str, class_names: tuple[str, ...]) -> bool:
        """Whether a value known under these class names (Java's, Python's) passes the class filter."""
        class_filter = self.manager.session_attribute_value_class_name_filter
        if class_filter is None or any(class_filter.fullmatch(class_name) for class_name in class_names):
            return True
        self._say("Skipped session attribute named [%s] because the value type [%s] did not match the filter [%s]",
                  name, " or ".join(class_names), class_filter.pattern)  # fmt: skip
        return False

    def _say(self, text: str, *args: object) -> None:
        warn = self.manager.warn_on_session_attribute_filter_failure
        log.log(logging.WARNING if warn else logging.DEBUG, text, *args)
