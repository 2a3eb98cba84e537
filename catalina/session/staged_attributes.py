"""Working copies of a session's attributes, which reach the session only when they are written.

Frameworks that save a session explicitly (Django) do not save the changes of a failed request. So they get values of
their own. Only attributes that were set, removed or changed inside are written back, by name.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from catalina.errors import InvalidSessionError
from catalina.session.framework_session import CONTAINERS_OWN
from catalina.session.immutable import IMMUTABLE

if TYPE_CHECKING:
    from catalina.session.manager_base import ManagerBase
    from catalina.session.standard_session import StandardSession
    from catalina.tribes.io.java import EncodedValue

__all__ = ["StagedAttributes"]

log = logging.getLogger("catalina.contrib")

_MISSING: Any = object()


class StagedAttributes(MutableMapping[str, Any]):
    """A mapping over ``session``, or over nothing as long as there is none. One thread uses it at a time.

    Args:
        manager: if given, refuses values that could not travel.
    """

    def __init__(self, manager: ManagerBase, session: StandardSession | None = None) -> None:
        self._manager = manager
        self._session = session
        self._set: dict[str, Any] = {}
        self._removed: set[str] = set()
        #: Values that were handed out and can change inside: each with the form that it had then.
        self._copies: dict[str, tuple[Any, EncodedValue]] = {}

    def __getitem__(self, name: str) -> Any:
        if name in self._set:
            return self._set[name]
        if name in self._copies:
            return self._copies[name][0]
        session = self._session
        if session is None or name in self._removed or not session.alive:
            raise KeyError(name)
        value, form = session.copy_attribute(name)
        if form is not None:
            self._copies[name] = value, form
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a value.

        Raises:
            NotReplicableError: the application is distributable and some part of the value cannot travel.
            TypeError: the name is not text.
        """
        if type(name) is not str:
            raise TypeError(f"a session attribute's name must be str, got {name!r}")
        manager = self._manager
        if type(value) not in IMMUTABLE and manager.must_travel and manager.codec.lets_name_through(name):
            manager.codec.check_comes_back(name, value)
        self._set[name] = value
        self._removed.discard(name)
        self._copies.pop(name, None)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._set.pop(name, None)
        self._copies.pop(name, None)
        self._removed.add(name)

    def __iter__(self) -> Iterator[str]:
        known = [name for name in self._session_names() if name not in self._removed]
        return iter([*known, *(name for name in self._set if name not in known)])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        if name in self._set:
            return True
        session = self._session
        if session is None or name in self._removed or not isinstance(name, str) or not session.alive:
            return False
        return session.has_attribute(name)

    def __repr__(self) -> str:
        return repr(dict(self))

    def clear(self) -> None:
        """Remove every name, without reading a value."""
        self._removed.update(self._session_names())
        self._set.clear()
        self._copies.clear()

    @property
    def has_ended(self) -> bool:
        """True when the session of these attributes has ended; writing them into another one would revive it."""
        return self._session is not None and not self._session.alive

    def become(self, values: Mapping[str, Any]) -> None:
        """Hold these values and no others: the content of a framework's dict at the end.

        A value that is still the one handed out counts as unchanged here; changes inside it are looked for later.

        Raises:
            NotReplicableError: see :meth:`__setitem__`.
        """
        for name in [name for name in self if name not in values]:
            del self[name]
        for name, value in values.items():
            known = self.get(name, _MISSING)
            if known is not value and not (type(known) is type(value) in IMMUTABLE and known == value):
                self[name] = value

    def is_over(self, session: StandardSession) -> bool:
        """True when these are the attributes of that session."""
        return session is self._session

    @property
    def is_changed_inside(self) -> bool:
        """True when the content of a value that was handed out has changed since."""
        return any(self._is_changed(name) for name in self._copies)

    def write_unless_ended(self, session: StandardSession) -> bool:
        """:meth:`write`; returns False, and logs a line, when the session has ended at this very moment."""
        try:
            self.write(session)
        except InvalidSessionError:
            return self.say_ended()
        return True

    def say_ended(self) -> bool:
        """Log that the changes of a request are lost; always returns False."""
        session_id = None if self._session is None else self._session.id
        log.info("Session [%s] has ended while a request was served; what that has changed is not kept", session_id)
        return False

    def write(self, session: StandardSession) -> None:
        """Write the changes into ``session``; if it is another session than the mapping was made for, write everything.

        Raises:
            InvalidSessionError: the session has ended.
            NotReplicableError: a value was changed inside so that it cannot travel; the values before it are written.
        """
        if session is self._session:
            changes = {name: self._copies[name][0] for name in list(self._copies) if self._is_changed(name)}
            changes.update(self._set)
            removed = self._removed
        else:
            changes = dict(self)
            removed = {name for name in session.attribute_names() if not name.startswith(CONTAINERS_OWN)} - set(changes)
        for name in removed:
            session.remove_attribute(name)
        for name, value in changes.items():
            session.set_attribute(name, value)
        self._session = session
        self._set, self._removed, self._copies = {}, set(), {}
        for name, value in changes.items():
            # The application still has the value, and may change it and write again.
            form = None if type(value) in IMMUTABLE else self._manager.codec.encode_if_allowed(name, value)
            if form is not None:
                self._copies[name] = value, form

    def _is_changed(self, name: str) -> bool:
        value, form = self._copies[name]
        encoded = self._manager.codec.encode_if_allowed(name, value)
        return encoded is not None and encoded.data != form.data

    def _session_names(self) -> list[str]:
        session = self._session
        if session is None:
            return []
        try:
            return [name for name in session.attribute_names() if not name.startswith(CONTAINERS_OWN)]
        except InvalidSessionError:  # it has ended
            return []
