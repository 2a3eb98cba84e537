"""The common part of session managers (Tomcat: session/ManagerBase.java)."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, Element
from catalina.errors import TooManyActiveSessionsError
from catalina.java_pattern import pattern
from catalina.lifecycle import Lifecycle
from catalina.operations import Impact, Long, operation
from catalina.session.attribute_codec import AttributeCodec
from catalina.session.session_event import ListenerTable
from catalina.session.standard_session import StandardSession
from catalina.session.steady_clock import STEADY_CLOCK, milliseconds_of
from catalina.util.java_dates import java_date
from catalina.util.standard_session_id_generator import StandardSessionIdGenerator

if TYPE_CHECKING:
    from catalina.session.manager import ManagerContext
    from catalina.session.session import Session
    from catalina.tribes.channel import Delivery
    from catalina.tribes.io.java import EncodedValue

__all__ = ["ManagerBase"]

log = logging.getLogger("org.apache.catalina.session.ManagerBase")

_RANDOM = "identifiers come from the operating system's random source"
_TIMING_SAMPLES = 100
#: Minutes that a session may be idle where no application says otherwise (a Context's sessionTimeout).
DEFAULT_TIMEOUT = 30


class ManagerBase(Lifecycle):
    """Keeps sessions by id. Any thread may call any method."""

    elements = {
        "SessionIdGenerator": Element(
            add=lambda manager, generator: setattr(manager, "session_id_generator", generator),
            default="org.apache.catalina.util.StandardSessionIdGenerator",
        )
    }

    max_active_sessions = Attribute(
        int, -1, doc="Most sessions at a time; making one more fails with an exception; -1 is no limit."
    )
    process_expires_frequency = Attribute(
        int, 6, doc="Sessions are checked for expiry on every n-th background tick (10 s each unless configured)."
    )
    max_inactive_interval = Attribute(
        int, None, unit="seconds", doc="Old; when given it wins over the context's session timeout for new sessions."
    )
    session_id_length = Attribute(int, None, unit="bytes", doc="Old; handed to the session id generator when given.")
    distributable = Attribute(bool, False, inert="web.xml says whether an application is distributable")
    persist_authentication = Attribute(bool, False, doc="Keep the logged-in user with a stored session.")
    persist_authentication_notes = Attribute(
        bool, False, inert="the notes of a half-done FORM login stay with their node"
    )
    secure_random_class = Attribute(str, None, inert=_RANDOM)
    secure_random_algorithm = Attribute(str, "SHA1PRNG", inert=_RANDOM)
    secure_random_provider = Attribute(str, None, inert=_RANDOM)
    session_attribute_name_filter = Attribute[re.Pattern[str] | None](
        pattern, None, doc="An attribute's whole name must match to be stored or replicated; unset is everything."
    )
    session_attribute_value_class_name_filter = Attribute[re.Pattern[str] | None](
        pattern,
        None,
        doc="The class name of an attribute's value must match to be stored or replicated: the Java name of a portable"
        " type (java.lang.String) or the Python name (shop.cart.Cart). A Python class that matches may be decoded even"
        " if it is not one of the application's own.",
    )
    warn_on_session_attribute_filter_failure = Attribute(
        bool, False, doc="Report what the filters hold back at WARNING instead of DEBUG."
    )
    notify_attribute_listener_on_unchanged_value = Attribute(
        bool, True, doc="Tell attribute listeners also when the very same object is set again."
    )
    notify_binding_listener_on_unchanged_value = Attribute(
        bool, False, doc="Call value_unbound and value_bound also when the very same object is set again."
    )
    session_activity_check = Attribute(
        bool, False, doc="Count the requests in flight per session so that a busy session never expires."
    )
    session_last_access_at_start = Attribute(
        bool, False, doc="Idle time runs from the start of the last request rather than from its end."
    )

    #: True when sessions tell other nodes of the changes of requests.
    replicates = False

    def __init__(self, clock: Callable[[], float] = STEADY_CLOCK.time, **values: Any) -> None:
        super().__init__(**values)
        self.use_clock(clock)
        self.context: ManagerContext | None = None
        #: True when the application is distributable: its session values must be able to travel, even when there is no
        #: other node.
        self.must_travel = False
        #: True when sessions count the requests that use them; decided at the start.
        self.counts_uses = self.replicates
        self.session_id_generator: StandardSessionIdGenerator | None = None
        self.sessions: dict[str, StandardSession] = {}
        self.listeners = ListenerTable()
        self.codec = AttributeCodec(self)
        self._ticks = 0
        self.session_counter = 0
        self.expired_sessions = 0
        self.rejected_sessions = 0
        self.duplicates = 0
        self.max_active = 0
        self.session_max_alive_time = 0  # seconds
        self.processing_time = 0  # ms spent on expiring sessions
        self._alive_times: deque[tuple[float, int]] = deque(maxlen=_TIMING_SAMPLES)  # (time of expiry, seconds alive)
        self._created_at: deque[float] = deque(maxlen=_TIMING_SAMPLES)

    def __str__(self) -> str:
        return f"{type(self).__name__}[{self.context.name if self.context is not None else ''}]"

    # -- surroundings --------------------------------------------------------------------------------------------

    def use_clock(self, clock: Callable[[], float]) -> None:
        """Take the time from ``clock``, in seconds since the epoch; steps of the wall clock must not move it."""
        self._clock = clock
        #: Milliseconds since the epoch.
        self.now_ms = milliseconds_of(clock)

    @property
    def default_max_inactive_interval(self) -> int:
        """Seconds that a new session may be idle: the manager's own setting or the context's timeout."""
        if self.max_inactive_interval is not None:
            return self.max_inactive_interval
        return (self.context.session_timeout if self.context is not None else DEFAULT_TIMEOUT) * 60

    @property
    def jvm_route(self) -> str:
        """The engine's jvmRoute, empty when it has none."""
        return self.context.jvm_route_of_engine if self.context is not None else ""

    def _start(self) -> None:
        self.settle_attributes()
        self.must_travel = self.context is not None and self.context.distributable
        self.counts_uses = self.replicates or self.session_activity_check
        generator = self.session_id_generator
        if generator is None:
            generator = self.session_id_generator = StandardSessionIdGenerator()
            if self.session_id_length is not None:
                generator.session_id_length = self.session_id_length
        if not generator.jvm_route:
            generator.jvm_route = self.jvm_route
        generator.start()
        self.listeners = ListenerTable.of(self.context.listeners if self.context is not None else ())

    def _stop(self) -> None:
        if self.session_id_generator is not None:
            self.session_id_generator.stop()

    # -- sessions ------------------------------------------------------------------------------------------------

    @property
    def active_sessions(self) -> int:
        """The number of sessions."""
        return len(self.sessions)

    def find_session(self, session_id: str) -> StandardSession | None:
        """The session with that id, even one that is about to expire; None when there is none."""
        return self.sessions.get(session_id)

    def look_at(self, session_id: str) -> StandardSession | None:
        """The session with that id that is in memory here, for callers that only look: nothing is fetched or taken
        over.
        """
        return self.sessions.get(session_id)

    def serves(self, session: StandardSession) -> bool:
        """True when this node was the last to serve the session; in all its processes together."""
        return session.is_primary

    def find_sessions(self) -> list[StandardSession]:
        """All sessions, a copy."""
        return list(self.sessions.values())

    def create_session(self, session_id: str | None = None) -> StandardSession:
        """Make a session, add it to the manager, and tell the listeners.

        Raises:
            TooManyActiveSessionsError: maxActiveSessions is reached.
        """
        if 0 <= self.max_active_sessions <= self.active_sessions:
            self.rejected_sessions += 1
            raise TooManyActiveSessionsError(self.max_active_sessions)
        session = self.new_session(session_id or self.generate_session_id())
        self.session_counter += 1
        self._created_at.append(time.monotonic())
        self.add(session)
        session.tell_new()
        return session

    def new_session(self, session_id: str) -> StandardSession:
        """An empty session of the manager's kind, which is not in the manager yet."""
        return StandardSession(self, session_id, self.now_ms())

    def generate_session_id(self) -> str:
        """An id that no session of this manager has."""
        generator = self.session_id_generator
        if generator is None:
            generator = self.session_id_generator = StandardSessionIdGenerator(jvm_route=self.jvm_route)
        while (session_id := generator.generate_session_id()) in self.sessions:
            self.duplicates += 1
        return session_id

    def add(self, session: StandardSession) -> None:
        """Make the session findable by its id."""
        self.sessions[session.id] = session
        if len(self.sessions) > self.max_active:
            self.max_active = len(self.sessions)

    def remove(self, session: StandardSession, update: bool = False) -> None:
        """Remove the session; with ``update`` it has expired and counts in the statistics."""
        if update:
            seconds = max(0, self.now_ms() - session.creation_time_ms) // 1000
            self.expired_sessions += 1
            self.session_max_alive_time = max(self.session_max_alive_time, seconds)
            self._alive_times.append((time.monotonic(), seconds))
        self.sessions.pop(session.id, None)

    def change_session_id(self, session: StandardSession, new_id: str | None = None) -> str:
        """Give the session another id, and tell the listeners; returns the id."""
        new_id = new_id or self.generate_session_id()
        self.rename(session, new_id)
        return new_id

    def rename(self, session: StandardSession, new_id: str, notify: bool = True, notify_container: bool = True) -> None:
        """Move the session to ``new_id``; who is told depends on the origin of the change."""
        old_id = session.id
        self.sessions.pop(old_id, None)
        session.id = new_id
        self.sessions[new_id] = session
        if notify_container and self.context is not None:
            self.context.fire_container_event("changeSessionId", (old_id, new_id))
        if notify:
            session.tell_changed_id(old_id)

    def request_completed(self, session: Session, request: object) -> Delivery | None:
        """Nothing to do for sessions that stay in this node."""
        return None

    # -- operations ----------------------------------------------------------------------------------------------

    @operation(impact=Impact.INFO)
    def list_session_ids(self) -> str:
        """The ids of all sessions, with a space behind each."""
        return "".join(f"{session_id} " for session_id in tuple(self.sessions))

    @operation
    def expire_session(self, session_id: str) -> None:
        """End a session; nothing happens when there is none of that id."""
        session = self.find_session(session_id)
        if session is not None:
            session.expire()

    @operation(impact=Impact.INFO)
    def get_session_attribute(self, session_id: str, key: str) -> str | None:
        """An attribute of a session as text, null when there is none."""
        session = self.look_at(session_id)
        value = None if session is None else session.get_attribute(key)
        return None if value is None else str(value)

    @operation(impact=Impact.INFO)
    def get_creation_time(self, session_id: str) -> str:
        """The time at which a session was made, as text; empty when there is none."""
        session = self.look_at(session_id)
        return "" if session is None else java_date(session.creation_time_ms)

    @operation(impact=Impact.INFO)
    def get_creation_timestamp(self, session_id: str) -> Long:
        """The time at which a session was made, in ms since 1970; -1 when there is none."""
        session = self.look_at(session_id)
        return -1 if session is None else session.creation_time_ms

    @operation(impact=Impact.INFO)
    def get_last_accessed_time(self, session_id: str) -> str:
        """The start of a session's last request but one, as text; empty when there is none."""
        session = self.look_at(session_id)
        return "" if session is None else java_date(session.last_accessed_time_ms)

    @operation(impact=Impact.INFO)
    def get_last_accessed_timestamp(self, session_id: str) -> Long:
        """The start of a session's last request but one, in ms since 1970; -1 when there is none."""
        session = self.look_at(session_id)
        return -1 if session is None else session.last_accessed_time_ms

    @operation(impact=Impact.INFO)
    def get_this_accessed_time(self, session_id: str) -> str:
        """The start of a session's last request, as text; empty when there is none."""
        session = self.look_at(session_id)
        return "" if session is None else java_date(session.this_accessed_time_ms)

    @operation(name="processExpires")
    def process_expires_now(self) -> None:
        """Expire every session whose time is over."""
        self.process_expires()

    @operation
    def background_process(self) -> None:
        """Expire sessions, on every processExpiresFrequency-th call."""
        self._ticks = (self._ticks + 1) % max(1, self.process_expires_frequency)
        if self._ticks == 0:
            self.process_expires()

    def process_expires(self) -> int:
        """Expire every session whose time is over; returns their number."""
        began = time.monotonic()
        expired = sum(not session.is_valid for session in self.find_sessions())
        self.processing_time += int((time.monotonic() - began) * 1000)
        if expired:
            log.debug("End expire sessions %s: %d expired", self, expired)
        return expired

    # -- values as bytes -----------------------------------------------------------------------------------------

    def decode_attribute(
        self, session: StandardSession, name: str, encoded: EncodedValue, for_application: bool = False
    ) -> object:
        """Decode a value that was kept as bytes, see :meth:`AttributeCodec.decode`."""
        return self.codec.decode(session, name, encoded, for_application)

    # -- statistics ----------------------------------------------------------------------------------------------

    @property
    def session_average_alive_time(self) -> int:
        """Seconds that the last hundred expired sessions lived, on average."""
        return sum(seconds for _, seconds in self._alive_times) // len(self._alive_times) if self._alive_times else 0

    @property
    def session_create_rate(self) -> int:
        """Sessions created per minute, from the last hundred."""
        return _per_minute(list(self._created_at))

    @property
    def session_expire_rate(self) -> int:
        """Sessions expired per minute, from the last hundred."""
        return _per_minute([when for when, _ in self._alive_times])


def _per_minute(times: list[float]) -> int:
    if not times:
        return 0
    return int(len(times) * 60 / max(time.monotonic() - times[0], 1e-3))
