"""Converts session attributes to bytes and back, through the filters of a manager.

Outgoing: sessionAttributeNameFilter and sessionAttributeValueClassNameFilter choose the attributes that are stored or
replicated. Incoming: the same filters apply, and a Python class is built only if it is one of the application's own or
matches the class filter. Every other value stays as it came and is passed on (ARCHITECTURE.md: decoding never runs
code).
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from catalina.errors import LimitError, NotReplicableError, ProtocolError
from catalina.repeated_messages import RepeatedMessages
from catalina.session.immutable import IMMUTABLE
from catalina.tribes.io.java import EncodedValue, OpaqueValue, decode_value, encode_value
from catalina.tribes.io.java.python_form import MARK
from catalina.tribes.io.java.value_encoder import encode_inertly

if TYPE_CHECKING:
    from catalina.session.manager import SessionLoader
    from catalina.session.manager_base import ManagerBase
    from catalina.session.standard_session import StandardSession

__all__ = ["AttributeCodec"]

log = logging.getLogger("org.apache.catalina.session.ManagerBase")

#: Messages that bytes from strangers can cause are logged a few times and then counted.
_repeated = RepeatedMessages(log)

#: The number of modules that one value may ask to be loaded.
MAX_MODULES = 20

#: The number of attempts to encode a value that another thread is changing.
_TRIES = 3

#: Never stored and never replicated (Tomcat: StandardSession.excludedAttributes, Constants.excludedAttributeNames).
EXCLUDED = frozenset({"javax.security.auth.subject", "org.apache.catalina.valves.CrawlerSessionManagerValve"})


#: Text that template engines take for safe HTML. Frameworks keep such text in the sessions of many applications.
TEXTS = frozenset({"markupsafe.Markup", "django.utils.safestring.SafeString"})


class AttributeCodec:
    """Encodes and decodes with the filters and the application of ``manager``."""

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
            loader = self._loader
            if loader is None:
                raise
            # Two applications may have a module of this name, and outside a request only the loader knows whose is
            # meant.
            with loader.bound():
                return encode_value(value, name)

    def encode_if_allowed(self, name: str, value: object) -> EncodedValue | None:
        """The value's bytes, None when a filter holds it back.

        Raises:
            NotReplicableError: some part of it cannot travel.
            RuntimeError: another thread kept changing it, three times in a row.
        """
        manager = self.manager
        # lets_name_through, without the call where there is no filter
        if name in EXCLUDED or (manager.session_attribute_name_filter is not None and not self.lets_name_through(name)):
            return None
        if type(value) in IMMUTABLE and manager.session_attribute_value_class_name_filter is None:
            return encode_value(value, name)
        for _ in range(_TRIES - 1):
            try:
                encoded = self.encode(name, value)
                break
            except RuntimeError:  # for example, a size changed during iteration
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
        """True when a value from elsewhere may become an attribute.

        To all other code a Python value is a byte[]; its own class is checked when it is decoded.
        """
        manager = self.manager
        # lets_name_through, without the call where there is no filter
        if name in EXCLUDED or (manager.session_attribute_name_filter is not None and not self.lets_name_through(name)):
            return False
        if manager.session_attribute_value_class_name_filter is None or encoded.class_name == "[B":
            return True
        return self.lets_value_through(name, (encoded.class_name,))

    def decode(
        self, session: StandardSession, name: str, encoded: EncodedValue, for_application: bool = False
    ) -> object:
        """The value; when its class may not be built here, an opaque replacement that keeps the bytes.

        Args:
            for_application: the application asks for the value. A module that an import statement in its code names,
                but that is not loaded yet, is then loaded; ``session`` is told of modules that are still missing.
        """
        missing: list[str] = []
        try:
            # Two applications may have a module of one name, and the loader knows whose is meant.
            with self._bound():
                value = decode_value(encoded, self.allows_class, missing=missing)
                if missing and for_application and self._load(missing):
                    missing.clear()
                    value = decode_value(encoded, self.allows_class, missing=missing)
        except ProtocolError as error:
            _repeated.log(
                logging.WARNING, "session attributes that cannot be deserialized",
                "Cannot deserialize session attribute [%s] for session [%s]: %s", name, session.id, error,
            )  # fmt: skip
            exceeds_limit = isinstance(error, LimitError)
            return OpaqueValue(encoded, why=str(error), broken=not exceeds_limit, exceeds_limit=exceeds_limit)
        if missing and for_application:
            session.wait_for(name, value, frozenset(missing))
        return value

    def decode_again(self, session: StandardSession, name: str, value: object, modules: frozenset[str]) -> object:
        """Decode a value with opaque parts again; returns the same value when no missing module has been loaded.

        Changes that the application has made in it meanwhile are kept.
        """
        with self._bound():
            if not any(module in sys.modules for module in modules) and not self._load(modules):
                return value
        try:
            return self.decode(session, name, self.encode(name, value), for_application=True)
        except NotReplicableError:  # the application put something into it that cannot travel
            return value

    def check_comes_back(self, name: str, value: object) -> None:
        """Refuse a value of which some part would still be bytes after decoding.

        Outside an application its own classes are unknown, so nothing is refused.

        Raises:
            NotReplicableError: a part cannot travel, or its class may not be built by any node.
        """
        encoded = self.encode(name, value)
        if MARK not in encoded.data or self._loader is None:
            return
        refused: list[str] = []

        def allows(class_name: str) -> bool:
            if self.allows_class(class_name):
                return True
            refused.append(class_name)
            return False

        with self._bound():
            decode_value(encoded, allows)
        if refused:
            raise NotReplicableError(
                name, value,
                f"the class {refused[0]} in it is neither the application's own nor let in by"
                " sessionAttributeValueClassNameFilter, so no node would build it",
            )  # fmt: skip

    def encode_as_read(self, value: object, read: EncodedValue) -> EncodedValue:
        """Encode a value that was just decoded, so that later changes can be found; ``read`` is the form in which it
        came.

        No code of a class runs. For a class that encodes itself (``__getstate__``) the form is taken to be ``read``.

        Raises:
            NotReplicableError: some part of it cannot travel.
        """
        with self._bound():
            encoded = encode_inertly(value)
        return read if encoded is None else encoded

    @property
    def _loader(self) -> SessionLoader | None:
        context = self.manager.context
        return context.loader if context is not None else None

    def _bound(self) -> AbstractContextManager[None]:
        loader = self._loader
        return contextlib.nullcontext() if loader is None else loader.bound()

    def _load(self, modules: Iterable[str]) -> bool:
        """Load modules that the application's own code would import; returns True if one was loaded."""
        loader = self._loader
        if loader is None:
            return False
        loaded = [loader.load_imported(module) for module in sorted(set(modules))[:MAX_MODULES]]
        return any(loaded)

    def allows_class(self, class_name: str) -> bool:
        """True when ``package.module.Class`` may be built: it is the application's own, or the class filter allows
        it.
        """
        loader = self._loader
        if class_name in TEXTS or (loader is not None and loader.allows_class(class_name)):
            return True
        class_filter = self.manager.session_attribute_value_class_name_filter
        return class_filter is not None and class_filter.fullmatch(class_name) is not None

    def lets_name_through(self, name: str) -> bool:
        """True when the attribute's name allows storing or replicating it."""
        if name in EXCLUDED:
            return False
        name_filter = self.manager.session_attribute_name_filter
        if name_filter is None or name_filter.fullmatch(name):
            return True
        self._say("Skipped session attribute named [%s] because it did not match the name filter [%s]",
                  name, name_filter.pattern)  # fmt: skip
        return False

    def lets_value_through(self, name: str, class_names: tuple[str, ...]) -> bool:
        """True when the class filter allows a value whose class has these names (Java's, Python's)."""
        class_filter = self.manager.session_attribute_value_class_name_filter
        if class_filter is None or any(class_filter.fullmatch(class_name) for class_name in class_names):
            return True
        self._say("Skipped session attribute named [%s] because the value type [%s] did not match the filter [%s]",
                  name, " or ".join(class_names), class_filter.pattern)  # fmt: skip
        return False

    def _say(self, text: str, *args: object) -> None:
        warn = self.manager.warn_on_session_attribute_filter_failure
        log.log(logging.WARNING if warn else logging.DEBUG, text, *args)
