"""A session that exists on this node only (Tomcat: session/StandardSession.java).

Cost allowed: one dictionary look-up to read or set an attribute, two clock readings and some stores for a request
(``access``, ``end_access``). So times are plain attributes, events are made only for existing listeners, and a value
restored from bytes is decoded when it is first read.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from catalina.errors import InvalidSessionError, NotReplicableError
from catalina.session.immutable import IMMUTABLE
from catalina.session.session_event import SessionBindingEvent, SessionEvent
from catalina.session.session_facade import OneSession, SessionFacade
from catalina.tribes.io.java import OpaqueValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from catalina.session.manager_base import ManagerBase
    from catalina.session.session import Principal
    from catalina.tribes.io.java import EncodedValue

__all__ = ["ONCE", "UNDECODED", "StandardSession"]

log = logging.getLogger("org.apache.catalina.session.StandardSession")

#: Stands in the attributes for a value that is still bytes, which are in ``_encoded``.
UNDECODED: Any = object()

_MISSING: Any = object()

#: Guards, for some nanoseconds, the few steps that a session must take only once. All sessions share it, because there
#: are many of them, and each lock takes a hundred bytes.
ONCE = threading.Lock()

#: A listener of the container; it is called with the session and ``createSession`` or ``destroySession``.
SessionListener = "Callable[[StandardSession, str], None]"


class StandardSession:
    """One session of ``manager``. Times are milliseconds since the epoch, the interval seconds."""

    #: True when a value's bytes are kept beside the live value, for a later comparison.
    keeps_encoded = False

    __slots__ = (
        "__weakref__",
        "_access_count",
        "_attributes",
        "_auth_type",
        "_encoded",
        "_expiring",
        "_max_inactive_interval",
        "_notes",
        "_principal",
        "_waiting",
        "alive",
        "creation_time_ms",
        "id",
        "is_new",
        "last_accessed_time_ms",
        "manager",
        "session_listeners",
        "this_accessed_time_ms",
    )

    #: True where this node was the last to serve the session; without a cluster always.
    is_primary = True

    def __init__(self, manager: ManagerBase, session_id: str, now_ms: int) -> None:
        self.manager = manager
        self.id = session_id
        self.creation_time_ms = self.last_accessed_time_ms = self.this_accessed_time_ms = now_ms
        self.is_new = True
        self._notes: dict[str, object] | None = None
        self.session_listeners: tuple[Callable[[StandardSession, str], None], ...] = ()
        self._max_inactive_interval = manager.default_max_inactive_interval
        self._auth_type: str | None = None
        self._principal: Principal | None = None
        self._attributes: dict[str, Any] = {}
        self._encoded: dict[str, EncodedValue] = {}
        #: Values with parts that are still bytes because a module is not loaded: name -> value, the modules. Nearly
        #: always None.
        self._waiting: dict[str, tuple[Any, frozenset[str]]] | None = None
        #: False once the session has ended. Unlike ``is_valid`` it does not look at the clock, which is enough while a
        #: request uses the session.
        self.alive = True
        self._expiring = False
        #: The number of requests that use the session at present, if the manager counts them.
        self._access_count = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}[{self.id}]"

    @property
    def notes(self) -> dict[str, object]:
        """Objects that parts of the container keep with the session; none of them travels. Few sessions have any."""
        if self._notes is None:
            with ONCE:
                if self._notes is None:
                    self._notes = {}
        return self._notes

    # -- validity ------------------------------------------------------------------------------------------------

    @property
    def is_valid(self) -> bool:
        """True while the session may be used. Reading it expires a session whose time is over."""
        if not self.alive:
            return False
        if self._expiring or (self._access_count > 0 and self.manager.session_activity_check):
            return True
        interval = self._max_inactive_interval
        if interval > 0:
            manager = self.manager
            used = self.last_accessed_time_ms if manager.session_last_access_at_start else self.this_accessed_time_ms
            if manager.now_ms() - used >= interval * 1000:
                self.expire()
        return self.alive

    def idle_ms(self) -> int:
        """Milliseconds since the session was last used, never negative."""
        manager = self.manager
        used = self.last_accessed_time_ms if manager.session_last_access_at_start else self.this_accessed_time_ms
        return max(0, manager.now_ms() - used)

    def access(self) -> bool:
        """A request begins to use the session; returns False when the session has ended, or ends now."""
        if not self.alive:
            return False
        manager = self.manager
        now_ms = manager.now_ms()
        # The earlier of two possible times of the last use: a session that is not late by that time is not late at all.
        if 0 < self._max_inactive_interval * 1000 <= now_ms - self.last_accessed_time_ms and not self.is_valid:
            return False
        self.this_accessed_time_ms = now_ms
        if manager.counts_uses:
            with ONCE:
                self._access_count += 1
        return True

    @property
    def is_in_use(self) -> bool:
        """True while a request uses it, as far as the manager has requests counted."""
        return self._access_count > 0

    def end_access(self) -> None:
        """A request has ended."""
        self.is_new = False
        manager = self.manager
        if manager.session_last_access_at_start:
            self.last_accessed_time_ms = self.this_accessed_time_ms
            self.this_accessed_time_ms = manager.now_ms()
        else:
            self.this_accessed_time_ms = self.last_accessed_time_ms = manager.now_ms()
        if manager.counts_uses:
            with ONCE:
                if self._access_count > 0:  # the count is zero once the session has ended
                    self._access_count -= 1

    def invalidate(self) -> None:
        """The application ends the session.

        Raises:
            InvalidSessionError: it has ended already.
        """
        if not self.alive:
            raise InvalidSessionError("invalidate: Session already invalidated")
        self.expire()

    def expire(self, notify: bool = True) -> None:
        """End the session once: tell the listeners, remove it from the manager, unbind its attributes."""
        self._end(lambda: notify)

    def _end(self, tells: Callable[[], bool]) -> None:
        """End the session once; ``tells`` is asked if listeners hear of it when nobody else can end it any more."""
        with ONCE:
            if self._expiring or not self.alive:
                return
            self._expiring = True
        notify = tells()
        manager = self.manager
        if notify:
            event = SessionEvent(self.facade)
            for listener in reversed(manager.listeners.session_destroyed):
                self._tell(listener, "Session event listener threw exception", event)
        self._access_count = 0
        manager.remove(self, True)
        if notify:
            self.fire_session_event("destroySession")
        self.alive = False
        self._expiring = False
        for name in list(self._attributes):
            self._remove(name, notify)

    # -- attributes ----------------------------------------------------------------------------------------------

    def get_attribute(self, name: str, default: object = None) -> Any:
        """The value of ``name``, or ``default``.

        Raises:
            InvalidSessionError: the session has ended.
        """
        value = self._attributes.get(name, default)
        if value is UNDECODED:
            value = self._decode(name, default)
        elif self._waiting is not None:
            value = self._decode_again(name, value)
        if not self.alive:
            raise InvalidSessionError("getAttribute: Session already invalidated")
        return value

    def has_attribute(self, name: str) -> bool:
        """True when ``name`` is set; this decodes nothing."""
        return name in self._attributes

    def attribute_names(self) -> list[str]:
        """The names, in the order in which they were first set.

        Raises:
            InvalidSessionError: the session has ended.
        """
        if not self.alive:
            raise InvalidSessionError("getAttributeNames: Session already invalidated")
        return list(self._attributes)

    def set_attribute(self, name: str, value: object) -> None:
        """Bind ``value`` to ``name``.

        Raises:
            InvalidSessionError: the session has ended.
            NotReplicableError: the application is distributable and some part of the value cannot travel.
            TypeError: the name is not text.
        """
        if type(name) is not str:
            raise TypeError(f"a session attribute's name must be str, got {name!r}")
        if not self.alive:
            raise InvalidSessionError(f"setAttribute: Session [{self.id}] has already been invalidated")
        manager = self.manager
        mutable = type(value) not in IMMUTABLE
        if mutable and manager.must_travel and not self.keeps_encoded and manager.codec.lets_name_through(name):
            manager.codec.encode(name, value)  # a session that keeps the bytes has them already
        listening = manager.listeners.attributes
        old = self._attributes.get(name, _MISSING)
        if old is UNDECODED and listening:
            old = manager.decode_attribute(self, name, self._encoded[name])
        bind = old is not value or manager.notify_binding_listener_on_unchanged_value
        if bind and mutable:
            self._tell_value(value, "value_bound", name)
        if not self.keeps_encoded:
            self._encoded.pop(name, None)
        self._attributes[name] = value
        if bind and type(old) not in IMMUTABLE:
            self._tell_value(old, "value_unbound", name)
        if listening and (old is not value or manager.notify_attribute_listener_on_unchanged_value):
            if old is _MISSING:
                self._tell_attribute(manager.listeners.session_attribute_added, name, value)
            else:
                self._tell_attribute(manager.listeners.session_attribute_replaced, name, old)

    def remove_attribute(self, name: str) -> None:
        """Unbind ``name``; one that is not set is ignored.

        Raises:
            InvalidSessionError: the session has ended.
        """
        if not self.alive:
            raise InvalidSessionError("removeAttribute: Session already invalidated")
        self._remove(name, True)

    def _remove(self, name: str, notify: bool) -> None:
        old = self._attributes.pop(name, _MISSING)
        encoded = self._encoded.pop(name, None)
        if old is _MISSING or not notify:
            return
        listeners = self.manager.listeners.session_attribute_removed
        if old is UNDECODED:
            if not listeners or encoded is None:
                return  # nobody will see the value, so it need not be decoded
            old = self.manager.decode_attribute(self, name, encoded)
        if type(old) not in IMMUTABLE:
            self._tell_value(old, "value_unbound", name)
        self._tell_attribute(listeners, name, old)

    def _decode(self, name: str, default: object = None) -> object:
        encoded = self._encoded.get(name)
        known = self._attributes.get(name, default)
        if encoded is None or known is not UNDECODED:  # another thread was first
            return known
        value = self.manager.decode_attribute(self, name, encoded, for_application=True)
        if type(value) is OpaqueValue:
            if value.broken:
                self._remove(name, False)  # no node can read it, so no node needs it
                return default
            if value.exceeds_limit:
                return value  # the value stays bytes, and decoding is tried again later
        self._attributes[name] = value
        if not self.keeps_encoded:
            del self._encoded[name]
        if type(value) not in IMMUTABLE:
            self._tell_value(value, "session_did_activate", name)
        return value

    def copy_attribute(self, name: str) -> tuple[Any, EncodedValue | None]:
        """A copy of a value for the caller alone and, if it can change inside, its present form, from which changes can
        be found.

        A value that cannot be encoded, which a session of this node only may have, is handed out itself.

        Raises:
            KeyError: there is no attribute of that name.
        """
        value = self._attributes.get(name, _MISSING)
        if value is _MISSING:
            raise KeyError(name)
        if type(value) in IMMUTABLE:
            return value, None
        codec = self.manager.codec
        form = self._encoded.get(name) if value is UNDECODED else None
        if form is None:
            try:
                form = codec.encode_if_allowed(name, value)
            except NotReplicableError:
                return value, None
        if form is None:  # a filter holds it back
            return value, None
        copy = codec.decode(self, name, form, for_application=True)
        if type(copy) in IMMUTABLE or type(copy) is OpaqueValue:
            value = self.get_attribute(name, _MISSING)  # keeps it decoded, or removes a value that nobody can read
            if value is _MISSING:
                raise KeyError(name)
            return value, None
        return copy, codec.encode_as_read(copy, form)

    def wait_for(self, name: str, value: object, modules: frozenset[str]) -> None:
        """Note that parts of a value are still bytes; they are decoded when the value is read after one of the modules
        was loaded.
        """
        if self._waiting is None:
            self._waiting = {}
        self._waiting[name] = (value, modules)

    def _decode_again(self, name: str, value: object) -> object:
        """The value, with the parts decoded whose module has been loaded meanwhile."""
        waiting = self._waiting
        held, modules = (waiting or {}).get(name, (_MISSING, frozenset()))
        if waiting is None or held is _MISSING:
            return value
        if held is value:
            again = self.manager.codec.decode_again(self, name, value, modules)
            if again is value:
                return value
            self._attributes[name] = again
            self._tell_value(again, "session_did_activate", name)
            value = again
        if waiting.get(name, (value,))[0] is not value:  # it was set since, or waits for no module any more
            del waiting[name]
        return value

    def restore_attribute(self, name: str, encoded: EncodedValue) -> None:
        """Put in a value as bytes, without an event; it is decoded when it is first read."""
        self._encoded[name] = encoded
        self._attributes[name] = UNDECODED

    def encoded_attribute(self, name: str) -> EncodedValue | None:
        """The bytes of a value that nobody has read yet, None for a live value."""
        return self._encoded.get(name) if self._attributes.get(name) is UNDECODED else None

    def raw_attribute(self, name: str) -> object:
        """The live value, ``UNDECODED`` while it is still bytes. There are no events and no check that the session is
        valid.
        """
        return self._attributes.get(name)

    # -- who and how long ----------------------------------------------------------------------------------------

    @property
    def max_inactive_interval(self) -> int:
        """Seconds without a request after which the session ends; zero or less for never."""
        return self._max_inactive_interval

    @max_inactive_interval.setter
    def max_inactive_interval(self, seconds: int) -> None:
        self._max_inactive_interval = int(seconds)

    @property
    def auth_type(self) -> str | None:
        """The kind of login, such as ``FORM``."""
        return self._auth_type

    @auth_type.setter
    def auth_type(self, auth_type: str | None) -> None:
        self._auth_type = auth_type

    @property
    def principal(self) -> Principal | None:
        """The user who is logged in."""
        return self._principal

    @principal.setter
    def principal(self, principal: Principal | None) -> None:
        self._principal = principal

    @property
    def facade(self) -> SessionFacade:
        """The mapping that an application sees, bound to this session."""
        return SessionFacade(OneSession(self))

    # -- events --------------------------------------------------------------------------------------------------

    def tell_new(self) -> None:
        """Tell the listeners that the session was created."""
        self.fire_session_event("createSession")
        listeners = self.manager.listeners.session_created
        if listeners:
            event = SessionEvent(self.facade)
            for listener in listeners:
                self._tell(listener, "Session event listener threw exception", event)

    def tell_changed_id(self, old_id: str) -> None:
        """Tell the listeners that the session has a new id."""
        self.fire_session_event("changeSessionId")
        listeners = self.manager.listeners.session_id_changed
        if listeners:
            event = SessionEvent(self.facade)
            for listener in listeners:
                self._tell(listener, "Session event listener threw exception", event, old_id)

    def add_session_listener(self, listener: Callable[[StandardSession, str], None]) -> None:
        """Send ``createSession``, ``changeSessionId`` and ``destroySession`` to a part of the container."""
        self.session_listeners += (listener,)

    def remove_session_listener(self, listener: Callable[[StandardSession, str], None]) -> None:
        """Undo :meth:`add_session_listener`; unknown listeners are ignored."""
        self.session_listeners = tuple(other for other in self.session_listeners if other != listener)

    def fire_session_event(self, kind: str) -> None:
        """Tell the container's own listeners of this session."""
        for listener in self.session_listeners:
            self._tell(listener, "Session event listener threw exception", self, kind)

    def passivate(self) -> None:
        """Tell values with an activation listener's methods that the session is about to be written."""
        for name, value in list(self._attributes.items()):
            if type(value) not in IMMUTABLE:
                self._tell_value(value, "session_will_passivate", name)

    def _tell_value(self, value: object, method: str, name: str) -> None:
        # looked up in the class, because an instance may have come from elsewhere
        if callable(getattr(type(value), method, None)):
            event = SessionBindingEvent(self.facade, name, value)
            self._tell(getattr(value, method), "Session binding event listener threw exception", event)

    def _tell_attribute(self, listeners: Iterable[Callable[..., None]], name: str, value: object) -> None:
        for listener in listeners:
            event = SessionBindingEvent(self.facade, name, value)
            self._tell(listener, "Session attribute event listener threw exception", event)

    @staticmethod
    def _tell(listener: Callable[..., None], failure: str, *args: object) -> None:
        """Call a listener. It is foreign code: its exception is logged, and does not affect the session."""
        try:
            listener(*args)
        except BaseException:
            log.exception(failure)
