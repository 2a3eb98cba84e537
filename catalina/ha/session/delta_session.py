"""A session that other nodes have copies of (Tomcat: ha/session/DeltaSession.java).

Every attribute is kept as bytes in the session's record, the form that the other nodes have. Once an application has
read or set it here, it is also kept as a live value. At the end of a request, the live values that the request has
touched are encoded again and compared with those bytes. So a change inside a value is found, and an unchanged value is
not sent. A copy on a backup stays bytes.

The record (``tribes/ledger``) decides which of two changes of a field holds. This class shows the record to an
application, enters the changes of requests into it, and is told of changes that other nodes have made. When another
node replaces a value that a request is using, the old value is kept with the bytes from which it was read. At the end
of the request it is compared with those bytes, and if the request has changed it inside, that is the later change.

The copy on the node that served the session last is the primary. It expires the session for the whole group; a backup
copy lives twice as long and then ends without a message.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from catalina.errors import InvalidSessionError, NotReplicableError, ProtocolError
from catalina.ha.authenticator.cluster_single_sign_on_listener import hear_of_session
from catalina.ha.session.delta_request import (
    ACTION_REMOVE,
    ACTION_SET,
    FIXED_NAMES,
    TYPE_ATTRIBUTE,
    TYPE_AUTHTYPE,
    TYPE_LISTENER,
    TYPE_MAXINTERVAL,
    TYPE_NOTE,
    TYPE_PRINCIPAL,
    DeltaAction,
    fixed_action,
    new_action,
    serialize,
)
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.ha.session.session_data import SessionData
from catalina.repeated_messages import RepeatedMessages
from catalina.session.immutable import IMMUTABLE
from catalina.session.standard_session import ONCE, UNDECODED, StandardSession
from catalina.tribes.io.java import EncodedValue, decode_value, encode_value
from catalina.tribes.ledger.ledger import Change
from catalina.tribes.ledger.record import Field, FieldChange, Record
from catalina.tribes.ledger.version import Version

if TYPE_CHECKING:
    from catalina.ha.session.cluster_manager_base import ClusterManagerBase
    from catalina.session.session import Principal

__all__ = ["STAYS_HERE", "DeltaSession", "changes_of", "fields_of", "fields_of_data"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaSession")

#: Messages that bytes from strangers can cause are logged a few times and then counted.
_repeated = RepeatedMessages(log)

#: Notes that Java's form authenticator keeps in a session.
NOTE_EXPECTED_SESSION_ID = "org.apache.catalina.authenticator.SESSION_ID"
NOTE_SAVED_REQUEST = "org.apache.catalina.authenticator.REQUEST"

#: Stands for the bytes of a value that this node can read but not write, so that it cannot find a change inside.
NOT_COMPARABLE = EncodedValue(b"", 0)
#: Stands for the bytes of a value that no other process can have: they lose the one that they knew.
STAYS_HERE = EncodedValue(b"", 0)

_Held = tuple[str, EncodedValue | None, Any, bool]
#: Values of one session that other nodes have replaced while a request was using them.
MAX_REPLACED = 100

#: Empty containers that sessions without values share, and that are never changed.
_NO_VALUES: Mapping[str, EncodedValue] = MappingProxyType({})
_EMPTY: dict[str, EncodedValue] = {}
_NONE_RECORDED: list[tuple[str, EncodedValue | None]] = []


class DeltaSession(StandardSession):
    """One session of a replicating manager."""

    keeps_encoded = True  # keeps the bytes that the other nodes have, until they are told of a change

    __slots__ = (
        "_changed",
        "_read_form",
        "_recorded",
        "_replaced",
        "_touched",
        "_unsent",
        "asked_at_ms",
        "ends_idle",
        "is_primary",
        "last_replicated_ms",
        "opaque_notes",
        "record",
        "remote_listeners",
        "version",
    )

    manager: ClusterManagerBase

    def __init__(self, manager: ClusterManagerBase, session_id: str, now_ms: int, record: Record | None = None) -> None:
        super().__init__(manager, session_id, now_ms)
        self.record = Record(session_id) if record is None else record
        self._encoded = self.record.values
        #: The time at which other nodes were asked if they use the session; 0: not since its last use.
        self.asked_at_ms = 0
        #: True when the session ends for idleness.
        self.ends_idle = False
        self.is_primary = True
        self.last_replicated_ms = now_ms
        #: Rises with each change that is sent to other nodes (ReplicatedMapEntry.getVersion).
        self.version = 0
        #: Notes of a Java node's authenticators, passed on unchanged: name -> value.
        self.opaque_notes: Mapping[str, EncodedValue] = _NO_VALUES
        #: Listeners that travel with the session (single sign-on), passed on unchanged.
        self.remote_listeners: tuple[EncodedValue, ...] = ()
        #: Attribute -> True if it was set, False if removed, in the order of the last change.
        self._changed: dict[str, bool] = {}
        #: For a value that another kind of node wrote (a Java TreeMap): the bytes that this node would write for it.
        #: Later encodings are compared with them, so that reading a value does not rewrite it for all nodes. All
        #: sessions share an empty mapping until the first such value: few have any, and an empty dict takes 64 bytes.
        self._read_form: dict[str, EncodedValue] = _EMPTY
        #: With recordAllActions: every change of the request, with None for a removal.
        self._recorded: list[tuple[str, EncodedValue | None]] = _NONE_RECORDED
        #: Attributes whose live value an application is using and could change inside. It is a dict, as below, because
        #: an empty set takes three times the memory of an empty dict, and there are many sessions.
        self._touched: dict[str, None] = {}
        #: Values that a request may be using and that another node has replaced: the name, the bytes from which each
        #: was read, the value, and True if it stays for one more report. Nearly always None.
        self._replaced: list[_Held] | None = None
        #: Names of properties that the other nodes do not know yet. A new session always sends its interval.
        self._unsent: dict[str, None] = {"max_inactive_interval": None}

    # -- validity ------------------------------------------------------------------------------------------------

    @property
    def is_valid(self) -> bool:
        """True while the session may be used. Asking expires a session whose time is up, for the group if it is
        primary.
        """
        if not self.alive:
            return False
        if self._expiring or (self._access_count > 0 and self.manager.session_activity_check):
            return True
        interval = self._max_inactive_interval
        if interval > 0:
            manager = self.manager
            used = self.last_accessed_time_ms if manager.session_last_access_at_start else self.this_accessed_time_ms
            idle_ms = manager.now_ms() - used
            if idle_ms >= interval * 1000:
                if self.is_primary:
                    self.expire(is_idle=True)
                elif idle_ms >= 2 * interval * 1000:
                    manager.end_copy(self)
                elif idle_ms >= 1.5 * interval * 1000 and not self.asked_at_ms:
                    self.asked_at_ms = manager.now_ms()
                    manager.ask_about(self)
        return self.alive

    def expire(self, notify: bool = True, notify_cluster: bool = True, is_idle: bool = False) -> None:
        """End the session here and, unless the end came from there, on the other nodes.

        Args:
            is_idle: it ends for idleness; a node that knows of a later use keeps it.
        """
        was_valid = self.alive and not self._expiring
        if was_valid and notify_cluster:
            self.manager.session_expiring(self)
        self.ends_idle = is_idle
        self._end(lambda: notify and (not (notify_cluster or is_idle) or self.manager.tells_end(self)))
        if was_valid:
            self.manager.session_expired(self, is_idle=is_idle, tell=notify_cluster)

    # -- attributes ----------------------------------------------------------------------------------------------

    def get_attribute(self, name: str, default: object = None) -> object:
        """The value of ``name``, or ``default``; a mutable value is compared at the end of the request."""
        value = self._attributes.get(name, default)
        if type(value) not in IMMUTABLE:
            if value is UNDECODED:
                value = self._decode(name, default)
            elif self._waiting is not None:
                value = self._decode_again(name, value)
            self._touched[name] = None
        if not self.alive:
            raise InvalidSessionError("getAttribute: Session already invalidated")
        return value

    def set_attribute(self, name: str, value: object) -> None:
        """Bind ``value`` to ``name`` on all nodes.

        Raises:
            InvalidSessionError: the session has ended.
            NotReplicableError: some part of the value cannot travel; nothing was changed.
            TypeError: the name is not text.
        """
        encoded = None
        manager = self.manager
        if type(value) not in IMMUTABLE or manager.record_all_actions:
            if manager.codec.lets_name_through(name):
                try:
                    encoded = manager.codec.encode(name, value)
                except NotReplicableError as error:
                    manager.cannot_set(name, error)
            self._touched[name] = None
        super().set_attribute(name, value)
        self._changed.pop(name, None)
        self._changed[name] = True
        if manager.record_all_actions and encoded is not None:
            self._record(name, encoded)

    def _record(self, name: str, encoded: EncodedValue | None) -> None:
        if self._recorded is _NONE_RECORDED:
            with ONCE:
                if self._recorded is _NONE_RECORDED:
                    self._recorded = []
        self._recorded.append((name, encoded))

    def _remove(self, name: str, notify: bool) -> None:
        if name in self._attributes and self.alive:
            self._changed.pop(name, None)
            self._changed[name] = False
            if self.manager.record_all_actions:
                self._record(name, None)
        super()._remove(name, notify)
        self._read_form.pop(name, None)

    def _decode(self, name: str, default: object = None) -> object:
        known = self._encoded.get(name)
        value = super()._decode(name, default)
        if known is not None and type(value) not in IMMUTABLE and self._attributes.get(name) is value:
            self._keep_read_form(name, value, known)
        return value

    def _keep_read_form(self, name: str, value: object, known: EncodedValue) -> None:
        try:
            ours = self.manager.codec.encode_as_read(value, known)
        except NotReplicableError:
            ours = NOT_COMPARABLE
        if ours.data != known.data:
            if self._read_form is _EMPTY:
                with ONCE:
                    if self._read_form is _EMPTY:
                        self._read_form = {}
            self._read_form[name] = ours

    # -- properties that travel ----------------------------------------------------------------------------------

    @property
    def max_inactive_interval(self) -> int:
        """Seconds without a request after which the session ends; zero or less for never."""
        return self._max_inactive_interval

    @max_inactive_interval.setter
    def max_inactive_interval(self, seconds: int) -> None:
        self._max_inactive_interval = int(seconds)
        self._unsent["max_inactive_interval"] = None

    @property
    def auth_type(self) -> str | None:
        """The kind of login, such as ``FORM``."""
        return self._auth_type

    @auth_type.setter
    def auth_type(self, auth_type: str | None) -> None:
        self._auth_type = auth_type
        self._unsent["auth_type"] = None

    @property
    def principal(self) -> Principal | None:
        """The user who is logged in."""
        return self._principal

    @principal.setter
    def principal(self, principal: Principal | None) -> None:
        self._principal = principal
        self._unsent["principal"] = None

    # -- listeners that travel ------------------------------------------------------------------------------------

    def add_remote_listener(self, listener: EncodedValue) -> None:
        """Let a listener travel with the session to every node; adding one twice changes nothing."""
        if all(other.data != listener.data for other in self.remote_listeners):
            self.remote_listeners = (*self.remote_listeners, listener)
            self._unsent["listeners"] = None

    def fire_session_event(self, kind: str) -> None:
        """Notify the container's own listeners, and those that travel."""
        super().fire_session_event(kind)
        if kind == "destroySession":
            self._tell_remote_listeners(kind, self.id)

    def tell_changed_id(self, old_id: str) -> None:
        """Notify the listeners that the session has a new id."""
        super().tell_changed_id(old_id)
        self._tell_remote_listeners("changeSessionId", old_id)

    def _tell_remote_listeners(self, kind: str, old_id: str) -> None:
        """Notify the listeners that travel, on the primary only: the other nodes hear of its consequences."""
        if self.is_primary:
            for listener in self.remote_listeners:
                self._tell(hear_of_session, "Session event listener threw exception", listener, self, kind, old_id)

    # -- changes for other nodes ----------------------------------------------------------------------------------

    @property
    def has_local_values(self) -> bool:
        """True when some value is in this process only."""
        known = self._encoded
        return any(name not in known for name in list(self._attributes))

    def live_types(self) -> set[type]:
        """The classes of the values that this process has as objects."""
        return {type(value) for value in list(self._attributes.values())}

    @property
    def is_dirty(self) -> bool:
        """True when something was set or removed that the other nodes do not know yet. Values are not compared."""
        return bool(self._changed or self._unsent)

    def take_delta(self) -> bytes | None:
        """Take the changes that the other nodes do not know yet, as a DeltaRequest; None when there are none.

        From now on they count as known there. The record has them, with their version.
        """
        actions = self.take_actions()
        if not actions:
            return None
        self.manager.commit(self, changes_of(actions))
        return serialize(self.id, self.manager.record_all_actions, actions)

    def take_actions(self) -> list[DeltaAction]:
        """Take the actions of the next delta; empty when there are none."""
        if not (self._changed or self._unsent or self._touched or self._replaced):
            return []
        record_all = self.manager.record_all_actions
        changed = _drain(self._changed)
        actions = self._take_properties() if self._unsent else []
        recorded = self._take_recorded() if record_all else ()
        for name, encoded in recorded:
            self._add_attribute(actions, name, encoded, encoded is None)
        if not recorded:
            for name, is_set in changed:
                encoded = self._encode(name) if is_set else None
                if encoded is None or encoded is STAYS_HERE or self._read_form:
                    self._add_attribute(actions, name, encoded, not is_set or record_all)
                else:  # the usual case, without the call
                    actions.append(new_action((TYPE_ATTRIBUTE, ACTION_SET, name, encoded)))
        if self._touched:
            self._add_touched(actions, dict(changed))
        if self._replaced is not None:
            self._add_replaced(actions)
        self.version += 1
        return actions

    def _take_recorded(self) -> list[tuple[str, EncodedValue | None]]:
        recorded = self._recorded[:]
        del self._recorded[: len(recorded)]
        return recorded

    def _add_touched(self, actions: list[DeltaAction], changed: dict[str, bool]) -> None:
        """Add the values that an application has only read, if it has changed them inside."""
        touched = _drain(self._touched)
        if not self.manager.use_dirty_flag:
            for name, _ in touched:
                if name not in changed:
                    self._add_if_different(actions, name)
        if self._access_count:  # another request is using the values, and may still change them inside
            self._touched.update(touched)

    def _take_properties(self) -> list[DeltaAction]:
        unsent = dict(_drain(self._unsent))
        actions: list[DeltaAction] = []
        if "max_inactive_interval" in unsent:
            actions.append(_interval_action(self._max_inactive_interval))
        if "auth_type" in unsent:
            auth_type = self._auth_type
            actions.append(fixed_action(TYPE_AUTHTYPE, None if auth_type is None else encode_value(str(auth_type))))
        if "principal" in unsent:
            actions.append(fixed_action(TYPE_PRINCIPAL, self.encoded_principal()))
        if "listeners" in unsent:
            actions += [fixed_action(TYPE_LISTENER, listener) for listener in self.remote_listeners]
        return actions

    def _add_attribute(
        self, actions: list[DeltaAction], name: str, encoded: EncodedValue | None, removed: bool
    ) -> None:
        if encoded is not None and encoded is not STAYS_HERE:
            if self._read_form:
                self._read_form.pop(name, None)
            actions.append(new_action((TYPE_ATTRIBUTE, ACTION_SET, name, encoded)))
        elif removed or encoded is STAYS_HERE:
            actions.append(new_action((TYPE_ATTRIBUTE, ACTION_REMOVE, name, None)))

    def _add_if_different(self, actions: list[DeltaAction], name: str) -> None:
        known = self._read_form[name] if name in self._read_form else self._encoded.get(name)
        if known is NOT_COMPARABLE or self._attributes.get(name, UNDECODED) is UNDECODED:
            return
        encoded = self._encode(name)
        if encoded is not None and (known is None or encoded.data != known.data):
            self._add_attribute(actions, name, encoded, False)

    def _add_replaced(self, actions: list[DeltaAction]) -> None:
        """Add values that requests have changed inside while other nodes replaced them: these changes are the later
        ones.
        """
        told = {action.name for action in actions}
        is_last = self._access_count <= 1  # no other request uses a value, unless this request has already ended
        kept = []
        for name, read, value, stays in self._take_replaced():
            if read is NOT_COMPARABLE or self.manager.use_dirty_flag:
                continue
            if name not in told and self._add_if_changed(actions, name, read, value):
                continue
            if stays or not is_last:
                kept.append((name, read, value, stays and not is_last))
        if kept and self._access_count:  # a request may still change them
            self._replaced = [*kept, *self._take_replaced()]

    def _take_replaced(self) -> list[_Held]:
        """Take the replaced values; the reading thread may add others meanwhile, which stay."""
        replaced, self._replaced = self._replaced, None
        return replaced or []

    def _add_if_changed(self, actions: list[DeltaAction], name: str, read: EncodedValue | None, value: object) -> bool:
        """Show a replaced value again if its bytes now differ from those from which it was read."""
        now, self._attributes[name] = self._attributes.get(name, UNDECODED), value
        encoded = self._encode(name)
        if encoded is not None and (read is None or encoded.data != read.data):
            self._add_attribute(actions, name, encoded, False)
            self._touched[name] = None
            return True
        if now is UNDECODED and name not in self._encoded:
            del self._attributes[name]
        else:
            self._attributes[name] = now
        return False

    def _encode(self, name: str) -> EncodedValue | None:
        """The value's bytes; None when a filter holds the value back, or a change inside has made it impossible to
        send.
        """
        value = self._attributes.get(name, UNDECODED)
        if value is UNDECODED:
            return self._encoded.get(name)
        try:
            return self.manager.codec.encode_if_allowed(name, value)
        except NotReplicableError as error:
            return self.manager.cannot_travel(self, name, error)
        except RuntimeError as error:
            log.warning("Attribute [%s] of session [%s] changes while it is replicated: %s", name, self.id, error)
            self._touched[name] = None
        return None

    def encoded_principal(self) -> EncodedValue | None:
        """The logged-in user in the form for other nodes."""
        principal = self._principal
        if principal is None:
            return None
        return SerializablePrincipal.of(principal).encode()

    def to_data(self) -> SessionData:
        """A snapshot of everything that another node needs to take over the session."""
        attributes = {}
        for name in list(self._attributes):
            encoded = self._snapshot(name)
            if encoded is not None:
                attributes[name] = encoded
        return SessionData(
            id=self.id,
            creation_time_ms=self.creation_time_ms,
            last_accessed_time_ms=self.last_accessed_time_ms,
            this_accessed_time_ms=self.this_accessed_time_ms,
            max_inactive_interval=self._max_inactive_interval,
            is_new=self.is_new,
            is_valid=self.alive,
            version=self.version,
            principal=self.encoded_principal(),
            expected_session_id=self.opaque_notes.get(NOTE_EXPECTED_SESSION_ID),
            saved_request=self.opaque_notes.get(NOTE_SAVED_REQUEST),
            attributes=attributes,
            listeners=list(self.remote_listeners),
        )

    def _snapshot(self, name: str) -> EncodedValue | None:
        """The value's bytes: those of the node that wrote it, as long as the value has not changed."""
        form = self._read_form.get(name)
        if form is NOT_COMPARABLE:
            return self._encoded.get(name)
        encoded = self._encode(name)
        if form is not None and encoded is not None and form.data == encoded.data:
            return self._encoded.get(name, encoded)
        return encoded

    # -- changes of other nodes -----------------------------------------------------------------------------------

    def be_backup(self) -> None:
        """The session was made on another node, which knows its properties."""
        self.is_primary = False
        self._unsent.clear()

    def touched_elsewhere(self) -> None:
        """Another node has served a request of this session: it is primary now, and the idle time begins anew."""
        self.is_primary = False
        self.is_new = False
        self.asked_at_ms = 0
        self.this_accessed_time_ms = self.last_accessed_time_ms = self.last_replicated_ms = self.manager.now_ms()

    def used_elsewhere(self, idle_ms: int) -> None:
        """Another node knows of a use so many milliseconds ago, which counts unless a later one is known here."""
        used_ms = self.manager.now_ms() - idle_ms
        if used_ms > self.last_accessed_time_ms:
            self.this_accessed_time_ms = self.last_accessed_time_ms = used_ms
            self.asked_at_ms = 0

    def adopt(self, now_ms: int, created_ms: int, idle_ms: int, is_new: bool) -> None:
        """Show a record that has come from another node, as a backup. No request has seen this session object yet.

        Args:
            now_ms: the time by the manager's clock.
        """
        self.creation_time_ms = created_ms
        self.this_accessed_time_ms = self.last_accessed_time_ms = now_ms - idle_ms if idle_ms else now_ms
        self.last_replicated_ms = now_ms
        self.is_new = is_new
        self.be_backup()
        lets_in, attributes = self.manager.codec.lets_in, self._attributes
        for name, encoded in self.record.values.items():
            if lets_in(name, encoded):
                attributes[name] = UNDECODED
        for other in self.record.extras:
            self._show_property(other)

    def restore(self, data: SessionData, version: Version) -> None:
        """Become the copy of another node's session, whose fields all get this version."""
        for name, value in fields_of_data(data):
            self.record.take(name, value, version)
        self.adopt(self.manager.now_ms(), data.creation_time_ms, 0, data.is_new)
        self.last_accessed_time_ms = data.last_accessed_time_ms
        self.version = data.version

    def restore_attribute(self, name: str, encoded: EncodedValue) -> None:
        """Take a value as bytes, without an event; it is decoded when it is first read."""
        super().restore_attribute(name, encoded)
        self._read_form.pop(name, None)
        self._touched.pop(name, None)

    def told(self, changed: Iterable[FieldChange], notify: bool) -> None:
        """Other nodes have changed these fields of the record: show the changes to the application."""
        tell = notify and bool(self.manager.listeners.attributes)
        for name, old, new in changed:
            if isinstance(name, tuple):
                self._show_property(name)
                continue
            if name in self._changed:
                continue  # a request here has set it meanwhile and is about to send it
            if name in self._touched:
                self._keep_replaced(name, old)
            if tell:
                self._show_and_tell(name, old, new)
            else:
                self._show(name)

    def _keep_replaced(self, name: str, old: EncodedValue | None) -> None:
        value = self._attributes.get(name, UNDECODED)
        if value is UNDECODED:
            return
        if self._replaced is None:
            self._replaced = []
        elif len(self._replaced) >= MAX_REPLACED:
            del self._replaced[0]
        self._replaced.append((name, self._read_form.get(name, old), value, True))

    def _show(self, name: str) -> None:
        """Show the application the record's value from now on."""
        encoded = self._encoded.get(name)
        self._read_form.pop(name, None)
        self._touched.pop(name, None)
        if encoded is not None and self.manager.codec.lets_in(name, encoded):
            self._attributes[name] = UNDECODED
        else:
            self._attributes.pop(name, None)

    def _show_and_tell(self, name: str, old: EncodedValue | None, new: EncodedValue | None) -> None:
        before = self._attributes.get(name, UNDECODED)
        self._show(name)
        listeners = self.manager.listeners
        if new is not None and old is None:
            if self.manager.codec.lets_in(name, new):
                value = self.manager.decode_attribute(self, name, new)
                self._tell_attribute(listeners.session_attribute_added, name, value)
        elif old is not None:
            value = self.manager.decode_attribute(self, name, old) if before is UNDECODED else before
            told = listeners.session_attribute_removed if new is None else listeners.session_attribute_replaced
            self._tell_attribute(told, name, value)

    def _show_property(self, name: Field) -> None:
        """Set a property from the record's value; one that cannot be read is left out."""
        if isinstance(name, str):
            return
        kind, text = name
        value = self.record.extras.get(name)
        try:
            if kind == TYPE_MAXINTERVAL:
                seconds = _seconds(value)
                if seconds is not None:
                    self._max_inactive_interval = seconds
            elif kind == TYPE_AUTHTYPE:
                plain = None if value is None else decode_value(value)
                if plain is None or isinstance(plain, str):
                    self._auth_type = plain
            elif kind == TYPE_PRINCIPAL:
                self._take_principal(value)
            elif kind == TYPE_LISTENER:
                listeners = tuple([each for each in self.remote_listeners if listener_field(each) != name])
                self.remote_listeners = listeners if value is None else (*listeners, value)
            elif kind == TYPE_NOTE:
                notes = {each: note for each, note in self.opaque_notes.items() if each != text}
                self.opaque_notes = notes if value is None else {**notes, text: value}
        except ProtocolError as error:
            self._leave_out(text or FIXED_NAMES.get(kind, ""), error)

    def _leave_out(self, what: str, error: ProtocolError) -> None:
        """Log a part of a message that cannot be read; the other parts are applied all the same."""
        _repeated.log(
            logging.WARNING, "parts of session messages that cannot be read",
            "Session [%s]: [%s] of another node is left out: %s", self.id, what, error,
        )  # fmt: skip

    def _take_principal(self, encoded: EncodedValue | None) -> None:
        self._principal = None if encoded is None else SerializablePrincipal.decode_principal(encoded)


_PROPERTIES: dict[int, Field] = {kind: (kind, "") for kind in (TYPE_MAXINTERVAL, TYPE_AUTHTYPE, TYPE_PRINCIPAL)}
#: Encoded intervals, so that all sessions with the same interval share one.
_intervals: dict[bytes, EncodedValue] = {}
#: The lengths of encoded intervals in seconds; None for another value.
_interval_seconds: dict[bytes, int | None] = {}
MAX_INTERVALS = 1000
MAX_INTERVAL_BYTES = 256


def _seconds(interval: EncodedValue | None) -> int | None:
    """An interval in seconds; None for a value that is no interval. Nearly all sessions have the same one."""
    if interval is None:
        return None
    data = interval.data
    if data in _interval_seconds:
        return _interval_seconds[data]
    plain = decode_value(interval)
    seconds = plain if type(plain) is int else None
    if len(_interval_seconds) < MAX_INTERVALS and len(data) <= MAX_INTERVAL_BYTES:
        _interval_seconds[data] = seconds
    return seconds


def listener_field(listener: EncodedValue) -> Field:
    """The field of a listener that travels. Each listener has one of its own, so that two nodes can each add one."""
    return TYPE_LISTENER, hashlib.blake2b(listener.data, digest_size=16).hexdigest()


def _interval_action(seconds: int) -> DeltaAction:
    """The session's own timeout.

    Raises:
        ValueError: Java, which reads an Integer, could not read it.
    """
    if not -(2**31) <= seconds < 2**31:
        raise ValueError(f"max_inactive_interval={seconds!r}: expected a number of seconds of 32 bits")
    return fixed_action(TYPE_MAXINTERVAL, encode_value(int(seconds)))


def changes_of(actions: list[DeltaAction]) -> Sequence[tuple[Any, ...]]:
    """Convert actions of :meth:`DeltaSession.take_actions` into changes of the record.

    Each change ends with a field and its value. Actions of attributes already have that form; properties get the two
    items appended.
    """
    return fields_of(actions) if actions and actions[0][0] != TYPE_ATTRIBUTE else actions


def fields_of(actions: Iterable[DeltaAction]) -> list[Change]:
    """The fields that the actions of a delta change; kinds that no node keeps are left out."""
    fields: list[Change] = []
    for kind, action, name, value in actions:
        new = value if action == ACTION_SET else None
        if kind == TYPE_ATTRIBUTE:
            fields.append((name, new))
        elif kind in _PROPERTIES:
            if kind == TYPE_MAXINTERVAL and new is not None and len(_intervals) < MAX_INTERVALS:
                new = _intervals.setdefault(new.data, new)  # nearly all sessions have the same interval
            fields.append((_PROPERTIES[kind], new))
        elif kind == TYPE_NOTE:
            fields.append(((kind, name), new))
        elif kind == TYPE_LISTENER and value is not None:
            fields.append((listener_field(value), new))
    return fields


def fields_of_data(data: SessionData) -> list[Change]:
    """The fields of a whole session in Java's form."""
    fields: list[Change] = list(data.attributes.items())
    interval = encode_value(data.max_inactive_interval)
    fields.append((_PROPERTIES[TYPE_MAXINTERVAL], _intervals.get(interval.data, interval)))
    if data.principal is not None:
        fields.append((_PROPERTIES[TYPE_PRINCIPAL], data.principal))
    notes = ((NOTE_EXPECTED_SESSION_ID, data.expected_session_id), (NOTE_SAVED_REQUEST, data.saved_request))
    fields += [((TYPE_NOTE, name), note) for name, note in notes if note is not None]
    fields += [(listener_field(listener), listener) for listener in data.listeners]
    return fields


def _drain(pending: dict[str, Any]) -> list[tuple[str, Any]]:
    """Take everything out, in order. An entry that another request adds meanwhile is taken or stays, but is never
    lost.
    """
    taken = []
    while pending:
        taken.append(pending.popitem())
    if len(taken) > 1:
        taken.reverse()
    return taken
