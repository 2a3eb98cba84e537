"""A session that other nodes have copies of (Tomcat: ha/session/DeltaSession.java).

Every attribute is kept as bytes, the form that the other nodes have, and, once an application has read or set it here,
also as a live value. At the end of a request the live values it has looked at are encoded again and compared with
those bytes: so a change inside a value is found, and what did not change is not sent. A copy on a backup stays bytes.

What is primary: the copy on the node that served the session last. It expires the session for the whole group; a backup
copy lives twice as long and then goes without a word (wire reference 5.2).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from catalina.errors import InvalidSessionError, NotReplicableError, ProtocolError
from catalina.ha.authenticator.cluster_single_sign_on_listener import hear_of_session
from catalina.ha.session.delta_request import (
    ACTION_REMOVE,
    ACTION_SET,
    TYPE_ATTRIBUTE,
    TYPE_AUTHTYPE,
    TYPE_LISTENER,
    TYPE_MAXINTERVAL,
    TYPE_NOTE,
    TYPE_PRINCIPAL,
    DeltaAction,
    DeltaRequest,
    new_action,
    serialize,
)
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.ha.session.session_data import SessionData
from catalina.repeated_messages import RepeatedMessages
from catalina.session.immutable import IMMUTABLE
from catalina.session.standard_session import UNDECODED, StandardSession
from catalina.tribes.io.java import EncodedValue

if TYPE_CHECKING:
    from catalina.ha.session.cluster_manager_base import ClusterManagerBase
    from catalina.session.session import Principal
    from catalina.tribes.member import Member

__all__ = ["DeltaSession"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaSession")

#: What a stranger's bytes can cause is written a few times and then counted.
_repeated = RepeatedMessages(log)

#: Notes that Java's form authenticator keeps in a session.
NOTE_EXPECTED_SESSION_ID = "org.apache.catalina.authenticator.SESSION_ID"
NOTE_SAVED_REQUEST = "org.apache.catalina.authenticator.REQUEST"

#: Stands for the bytes of a value that this node can read but not write, so that a change inside cannot be found.
NOT_COMPARABLE = EncodedValue(b"", 0)


class DeltaSession(StandardSession):
    """One session of a replicating manager."""

    keeps_encoded = True  # what the others have, until they are told

    __slots__ = (
        "_changed",
        "_read_form",
        "_recorded",
        "_sent",
        "_touched",
        "_unsent",
        "is_primary",
        "last_replicated_ms",
        "opaque_notes",
        "remote_listeners",
        "version",
    )

    manager: ClusterManagerBase

    def __init__(self, manager: ClusterManagerBase, session_id: str, now_ms: int) -> None:
        super().__init__(manager, session_id, now_ms)
        self.is_primary = True
        self.last_replicated_ms = now_ms
        self.version = 0
        #: Notes of a Java node's authenticators, passed on as they came: name -> value.
        self.opaque_notes: dict[str, EncodedValue] = {}
        #: Listeners that travel with the session (single sign-on), passed on as they came.
        self.remote_listeners: list[EncodedValue] = []
        #: Attribute -> whether it was set (else removed), in the order of the last change.
        self._changed: dict[str, bool] = {}
        #: A value that another kind of node wrote (a Java TreeMap), in the form in which this node would write it: what
        #: a later encoding is compared with, so that reading a value does not rewrite it for everybody.
        self._read_form: dict[str, EncodedValue] = {}
        #: With recordAllActions: every change of the request, None for a removal.
        self._recorded: list[tuple[str, EncodedValue | None]] = []
        #: Attributes whose live value an application has in its hands and could change inside. A dict, as below,
        #: because an empty set takes three times the memory of an empty dict, and there are many sessions.
        self._touched: dict[str, None] = {}
        #: By whom and when the last change of each name was sent, by nodes that keep no order; None without any.
        self._sent: dict[str, tuple[Member, int]] | None = None
        #: What else the others do not know yet: names of properties. A new session always tells its interval.
        self._unsent: dict[str, None] = {"max_inactive_interval": None}

    # -- validity ------------------------------------------------------------------------------------------------

    @property
    def is_valid(self) -> bool:
        """Whether the session may be used; asking expires one whose time is up, for the group if it is primary."""
        if not self.alive:
            return False
        if self._expiring or self._access_count > 0:
            return True
        interval = self._max_inactive_interval
        if interval > 0:
            manager = self.manager
            used = self.last_accessed_time_ms if manager.session_last_access_at_start else self.this_accessed_time_ms
            idle_ms = manager.now_ms() - used
            if idle_ms >= interval * 1000:
                if self.is_primary:
                    self.expire()
                elif idle_ms >= 2 * interval * 1000:
                    self.expire(notify_cluster=False)
        return self.alive

    def expire(self, notify: bool = True, notify_cluster: bool = True) -> None:
        """End the session here and, unless the news came from there, on the other nodes."""
        was_valid = self.alive and not self._expiring
        if was_valid and notify_cluster:
            self.manager.session_expiring(self)
        super().expire(notify)
        if was_valid and notify_cluster:
            self.manager.session_expired(self)

    # -- attributes ----------------------------------------------------------------------------------------------

    def get_attribute(self, name: str, default: Any = None) -> Any:
        """The value of ``name``, or ``default``; a mutable one is compared at the end of the request."""
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
        """Bind ``value`` to ``name`` in all nodes.

        Raises:
            InvalidSessionError: the session has ended.
            NotReplicableError: some part of the value cannot travel; nothing was changed.
            TypeError: the name is not text.
        """
        encoded = None
        manager = self.manager
        if type(value) not in IMMUTABLE or manager.record_all_actions:
            if manager.codec.lets_name_through(name):
                encoded = manager.codec.encode(name, value)
            self._touched[name] = None
        super().set_attribute(name, value)
        self._changed.pop(name, None)
        self._changed[name] = True
        if manager.record_all_actions and encoded is not None:
            self._recorded.append((name, encoded))

    def _remove(self, name: str, notify: bool) -> None:
        if name in self._attributes and self.alive:
            self._changed.pop(name, None)
            self._changed[name] = False
            if self.manager.record_all_actions:
                self._recorded.append((name, None))
        super()._remove(name, notify)
        self._read_form.pop(name, None)

    def _decode(self, name: str, default: Any = None) -> Any:
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
            self._read_form[name] = ours

    # -- properties that travel ----------------------------------------------------------------------------------

    @property
    def max_inactive_interval(self) -> int:
        """Seconds without a request after which the session ends; zero or less never."""
        return self._max_inactive_interval

    @max_inactive_interval.setter
    def max_inactive_interval(self, seconds: int) -> None:
        self._max_inactive_interval = int(seconds)
        self._unsent["max_inactive_interval"] = None

    @property
    def auth_type(self) -> str | None:
        """How the principal logged in, such as ``FORM``."""
        return self._auth_type

    @auth_type.setter
    def auth_type(self, auth_type: str | None) -> None:
        self._auth_type = auth_type
        self._unsent["auth_type"] = None

    @property
    def principal(self) -> Principal | None:
        """Who is logged in."""
        return self._principal

    @principal.setter
    def principal(self, principal: Principal | None) -> None:
        self._principal = principal
        self._unsent["principal"] = None

    def end_access(self) -> None:
        """The request is through."""
        super().end_access()
        self.version += 1

    # -- listeners that travel ------------------------------------------------------------------------------------

    def add_remote_listener(self, listener: EncodedValue) -> None:
        """Let a listener go with the session to every node; adding one twice changes nothing."""
        if all(other.data != listener.data for other in self.remote_listeners):
            self._take_listener(listener, True)
            self._unsent["listeners"] = None

    def fire_session_event(self, kind: str) -> None:
        """Tell the container's own listeners, and those that travel."""
        super().fire_session_event(kind)
        if kind == "destroySession":
            self._tell_remote_listeners(kind, self.id)

    def tell_changed_id(self, old_id: str) -> None:
        """Tell the listeners that the session has a new id."""
        super().tell_changed_id(old_id)
        self._tell_remote_listeners("changeSessionId", old_id)

    def _tell_remote_listeners(self, kind: str, old_id: str) -> None:
        """Only where it happens: the other nodes hear from there what follows from it."""
        if self.is_primary:
            for listener in tuple(self.remote_listeners):
                self._tell(hear_of_session, "Session event listener threw exception", listener, self, kind, old_id)

    # -- what goes out -------------------------------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether something was set or removed that the others do not know yet; values are not compared."""
        return bool(self._changed or self._unsent)

    def take_delta(self) -> bytes | None:
        """What the others do not know yet, as a DeltaRequest; None when there is nothing.

        From now on it counts as known to them.
        """
        if not (self._changed or self._unsent or self._touched):
            return None
        record_all = self.manager.record_all_actions
        changed = _drain(self._changed)
        actions = self._take_properties() if self._unsent else []
        recorded = self._take_recorded() if record_all else ()
        for name, encoded in recorded:
            self._add_attribute(actions, name, encoded, encoded is None)
        if not recorded:
            for name, is_set in changed:
                self._add_attribute(actions, name, self._encode(name) if is_set else None, not is_set or record_all)
        if self._touched:
            self._add_touched(actions, dict(changed))
        return serialize(self.id, record_all, actions) if actions else None

    def _take_recorded(self) -> list[tuple[str, EncodedValue | None]]:
        recorded = self._recorded[:]
        del self._recorded[: len(recorded)]
        return recorded

    def _add_touched(self, actions: list[DeltaAction], changed: dict[str, bool]) -> None:
        """What an application has only looked at, and may have changed inside."""
        touched = _drain(self._touched)
        if not self.manager.use_dirty_flag:
            for name, _ in touched:
                if name not in changed:
                    self._add_if_different(actions, name)

    def reset_delta(self) -> None:
        """Nobody is there to be told: forget what changed, and that anybody knows the earlier values."""
        for name in (*self._changed, *self._touched):
            if self._attributes.get(name) is not UNDECODED:
                self._encoded.pop(name, None)
                self._read_form.pop(name, None)
        self._changed.clear()
        self._touched.clear()
        self._recorded.clear()
        if not self._unsent:
            self._unsent["max_inactive_interval"] = None

    def _take_properties(self) -> list[DeltaAction]:
        unsent = dict(_drain(self._unsent))
        delta = DeltaRequest()
        if "max_inactive_interval" in unsent:
            delta.set_max_inactive_interval(self._max_inactive_interval)
        if "auth_type" in unsent:
            delta.set_auth_type(self._auth_type)
        if "principal" in unsent:
            delta.set_principal(self.encoded_principal())
        if "listeners" in unsent:
            for listener in self.remote_listeners:
                delta.add_session_listener(listener)
        return delta.actions

    def _add_attribute(
        self, actions: list[DeltaAction], name: str, encoded: EncodedValue | None, removed: bool
    ) -> None:
        if encoded is not None:
            self._encoded[name] = encoded
            if self._read_form:
                self._read_form.pop(name, None)
            actions.append(new_action((TYPE_ATTRIBUTE, ACTION_SET, name, encoded)))
        elif removed:
            actions.append(new_action((TYPE_ATTRIBUTE, ACTION_REMOVE, name, None)))

    def _add_if_different(self, actions: list[DeltaAction], name: str) -> None:
        known = self._read_form[name] if name in self._read_form else self._encoded.get(name)
        if known is NOT_COMPARABLE or self._attributes.get(name, UNDECODED) is UNDECODED:
            return
        encoded = self._encode(name)
        if encoded is not None and (known is None or encoded.data != known.data):
            self._add_attribute(actions, name, encoded, False)

    def _encode(self, name: str) -> EncodedValue | None:
        """The value's bytes; None when a filter holds it back or an inner change has made it impossible to send."""
        value = self._attributes.get(name, UNDECODED)
        if value is UNDECODED:
            return self._encoded.get(name)
        try:
            return self.manager.codec.encode_if_allowed(name, value)
        except NotReplicableError as error:
            log.error("Session [%s] was changed inside a value and cannot be replicated: %s", self.id, error)
        except RuntimeError as error:
            log.warning("Attribute [%s] of session [%s] changes while it is replicated: %s", name, self.id, error)
            self._touched[name] = None
        return None

    def encoded_principal(self) -> EncodedValue | None:
        """The logged-in user as the other nodes take it."""
        principal = self._principal
        if principal is None:
            return None
        return SerializablePrincipal.of(principal).encode()

    def to_data(self) -> SessionData:
        """A snapshot of everything that another node needs (wire reference 5.4)."""
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
        """The value's bytes; those of the node that wrote it, as long as the value has not changed."""
        form = self._read_form.get(name)
        if form is NOT_COMPARABLE:
            return self._encoded.get(name)
        encoded = self._encode(name)
        if form is not None and encoded is not None and form.data == encoded.data:
            return self._encoded.get(name, encoded)
        return encoded

    # -- what comes in -------------------------------------------------------------------------------------------

    def apply(self, delta: DeltaRequest, notify: bool, sent: tuple[Member, int] | None = None) -> None:
        """Another node has served a request of this session: take over what it changed, and be a backup.

        Args:
            delta: unknown kinds and values of the wrong class are left out, the rest is applied.
            notify: tell the application's attribute listeners.
            sent: who sent it and when by its clock (ms), if that node's messages overtake each other (Java with option
                8): what a later one of the same node has set already stays.
        """
        for action in delta.actions:
            if sent is not None and self._was_set_later(action.name, sent):
                continue
            if action.type == TYPE_ATTRIBUTE:
                self._receive(action.name, action.value if action.action == ACTION_SET else None, notify)
            else:
                try:
                    self._receive_property(action)
                except ProtocolError as error:
                    self._leave_out(action.name, error)
        self.touched_elsewhere()

    def _was_set_later(self, name: str, sent: tuple[Member, int]) -> bool:
        """Whether a later message of the same sender about ``name`` has come already; notes this one if not.

        Clocks of different nodes are not compared: the client's way from one to the other is the order then.
        """
        if self._sent is None:
            self._sent = {}
        sender, sent_ms = self._sent.get(name, sent)
        if sender == sent[0] and sent_ms > sent[1]:
            return True
        self._sent[name] = sent
        return False

    def be_backup(self) -> None:
        """The session was made on another node, which knows its properties."""
        self.is_primary = False
        self._unsent.clear()

    def touched_elsewhere(self) -> None:
        """Another node has served a request of this session: it is primary now, and the time starts again."""
        self.is_primary = False
        self.is_new = False
        self.this_accessed_time_ms = self.last_accessed_time_ms = self.last_replicated_ms = self.manager.now_ms()

    def restore(self, data: SessionData) -> None:
        """Become the copy of a session of another node."""
        now_ms = self.manager.now_ms()
        self.creation_time_ms = data.creation_time_ms
        self.last_accessed_time_ms = data.last_accessed_time_ms
        self.this_accessed_time_ms = self.last_replicated_ms = now_ms
        self._max_inactive_interval = data.max_inactive_interval
        self.is_new = data.is_new
        self.version = data.version
        self.be_backup()
        try:
            self._take_principal(data.principal)
        except ProtocolError as error:
            self._leave_out("principal", error)
        for name, note in (
            (NOTE_EXPECTED_SESSION_ID, data.expected_session_id),
            (NOTE_SAVED_REQUEST, data.saved_request),
        ):
            if note is not None:
                self.opaque_notes[name] = note
        self.remote_listeners = list(data.listeners)
        for name, encoded in data.attributes.items():
            if self.manager.codec.lets_in(name, encoded):
                self.restore_attribute(name, encoded)

    def restore_attribute(self, name: str, encoded: EncodedValue) -> None:
        """Take a value as bytes, without any event; it is decoded when it is first read."""
        super().restore_attribute(name, encoded)
        self._read_form.pop(name, None)
        self._touched.pop(name, None)

    def _receive(self, name: str, encoded: EncodedValue | None, notify: bool) -> None:
        if name in self._changed:
            return  # a request here has set it meanwhile and is about to tell the others
        if encoded is not None and not self.manager.codec.lets_in(name, encoded):
            return
        listeners = self.manager.listeners
        if not (notify and listeners.attributes):
            if encoded is None:
                self._attributes.pop(name, None)
                self._encoded.pop(name, None)
            else:
                self.restore_attribute(name, encoded)
            return
        known = name in self._attributes
        old = self._peek(name)
        if encoded is None:
            self._attributes.pop(name, None)
            self._encoded.pop(name, None)
            if known:
                self._tell_attribute(listeners.session_attribute_removed, name, old)
            return
        self.restore_attribute(name, encoded)
        if known:
            self._tell_attribute(listeners.session_attribute_replaced, name, old)
        else:
            self._tell_attribute(listeners.session_attribute_added, name, self._peek(name))

    def _peek(self, name: str) -> Any:
        """The value for a listener; it stays bytes here when it was."""
        value = self._attributes.get(name)
        if value is UNDECODED:
            return self.manager.decode_attribute(self, name, self._encoded[name])
        return value

    def _receive_property(self, action: DeltaAction) -> None:
        plain = action.plain if action.type in (TYPE_MAXINTERVAL, TYPE_AUTHTYPE) else None
        if action.type == TYPE_MAXINTERVAL:
            if type(plain) is int:
                self._max_inactive_interval = plain
        elif action.type == TYPE_AUTHTYPE:
            if isinstance(plain, str) or action.action == ACTION_REMOVE:
                self._auth_type = plain if isinstance(plain, str) else None
        elif action.type == TYPE_PRINCIPAL:
            self._take_principal(action.value if action.action == ACTION_SET else None)
        elif action.type == TYPE_LISTENER and action.value is not None:
            self._take_listener(action.value, action.action == ACTION_SET)
        elif action.type == TYPE_NOTE:
            if action.action == ACTION_SET and action.value is not None:
                self.opaque_notes[action.name] = action.value
            else:
                self.opaque_notes.pop(action.name, None)

    def _leave_out(self, what: str, error: ProtocolError) -> None:
        """One part of a message cannot be read: the others are applied all the same."""
        _repeated.log(
            logging.WARNING, "parts of session messages that cannot be read",
            "Session [%s]: [%s] of another node is left out: %s", self.id, what, error,
        )  # fmt: skip

    def _take_principal(self, encoded: EncodedValue | None) -> None:
        self._principal = None if encoded is None else SerializablePrincipal.decode_principal(encoded)

    def _take_listener(self, encoded: EncodedValue, added: bool) -> None:
        others = [listener for listener in self.remote_listeners if listener.data != encoded.data]
        self.remote_listeners = [*others, encoded] if added else others


def _drain(pending: dict[str, Any]) -> list[tuple[str, Any]]:
    """Take everything out, in its order. What another request adds meanwhile is taken or stays, and is never lost."""
    taken = []
    while pending:
        taken.append(pending.popitem())
    taken.reverse()
    return taken
