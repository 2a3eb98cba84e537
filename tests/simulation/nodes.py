"""A node of level 2: the real cluster, manager and valves over a simulated channel, from its start to its crash."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from typing import Any

from catalina.connector.request_session import change_session_id, find_or_create_session
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.cluster_manager_base import ClusterManagerBase
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.tcp.missed_messages import MissedMessages
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.tribes.channel import Delivery
from catalina.tribes.ledger.record import Record
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_entry import MapEntry
from catalina.util.standard_session_id_generator import StandardSessionIdGenerator
from catalina.valves.valve_base import ValveBase
from tests.session.support import FakeContext, FakeEngine, FakeHost
from tests.simulation.network import Network
from tests.simulation.world import Process, SimSurroundings

__all__ = ["Answer", "Life", "SimDeltaManager", "SimRequest"]

#: Seconds between two background ticks, two heartbeats of the channel, and from the channel's start to the manager's.
TICK_SECONDS = 10.0
HEARTBEAT_SECONDS = 5.0
JOIN_SECONDS = 2.0


class _Host(FakeHost):
    def __init__(self, name: str = "localhost", parent: Any = None) -> None:
        super().__init__(name, parent)
        self.valves: list[Any] = []
        self.server: Any = None

    @property
    def pipeline(self) -> _Host:
        return self

    def add_valve(self, valve: Any) -> None:
        self.valves.append(valve)


class _Cookies:
    cookie_tracking = False  # a client is told the id by its answer
    max_age = -1
    path = "/app"


class _Ids(StandardSessionIdGenerator):
    """Ids from the seed."""

    source: random.Random

    def generate_session_id(self, route: str | None = None) -> str:
        return f"{self.source.getrandbits(128):032X}.{self.jvm_route if route is None else route}"


class SimResponse:
    committed = False

    def __init__(self) -> None:
        self.held: list[Delivery] = []

    def hold(self, delivery: Delivery) -> None:
        self.held.append(delivery)


class SimRequest:
    """The parts of a request that valves and the session part of it use."""

    decoded_uri = "/app/"
    requested_session_id_from_cookie = True
    requested_session_id_from_url = False
    context_path = "/app"

    def __init__(self, life: Life, session_id: str | None, application: Callable[[SimRequest], None]) -> None:
        self.context = life.context
        self.application = application
        self.requested_session_id = session_id
        self.attributes: dict[str, Any] = {}
        self.response = SimResponse()
        self._session: Any = None

    @property
    def session(self) -> Any:
        return self._session

    def get_session(self, create: bool = True) -> Any:
        if self._session is not None and self._session.is_valid:
            return self._session
        self._session = find_or_create_session(self, create)  # type: ignore[arg-type]
        return self._session

    def change_session_id(self) -> str:
        return change_session_id(self)  # type: ignore[arg-type]

    def recycle(self) -> None:
        if self._session is not None:
            self._session.end_access()


class _Application(ValveBase):
    def invoke(self, request: Any, response: Any) -> None:
        request.application(request)


class SimDeltaManager(DeltaManager):
    """Says when it ends a session for idleness."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.idle_ended: Callable[[str], object] = str

    def session_expired(self, session: DeltaSession, *, is_idle: bool, tell: bool) -> None:
        super().session_expired(session, is_idle=is_idle, tell=tell)
        if is_idle:
            self.idle_ended(session.id)


#: Told the lives that some message did not reach meanwhile.
Answer = Callable[[set["Life"]], None]


class _Missed(MissedMessages):
    """Remembers when a message did not reach a member."""

    def __init__(self, life: Life) -> None:
        super().__init__()
        self.life = life
        self.times: dict[Any, float] = {}

    def _note(self, members: Iterable[object], error: BaseException) -> None:
        for member in members:
            self.times[member] = self.life.world.now
        super()._note(members, error)


class Life(Process):
    """One life of a node.

    Args:
        network: where it lives.
        name: of the node, such as ``n1``.
        generation: counts its lives.
        template: makes the manager.
        options: channelSendOptions.
        skew: the error of the node's wall clock in seconds.
        background: compare now and then without a reason.
    """

    def __init__(
        self,
        network: Network,
        name: str,
        generation: int,
        make_template: Callable[[SimSurroundings], ClusterManagerBase],
        options: int,
        skew: Callable[[], float],
        seed: object,
        background: bool = True,
    ) -> None:
        super().__init__(network.world)
        self.network = network
        self.name = name
        self.generation = generation
        self.born = self.world.now
        self.serves = False
        self.surroundings = SimSurroundings(self, skew, f"{seed} {name} {generation}")
        self._ids = random.Random(f"ids {seed} {name} {generation}")
        self.channel: Any = network.make_channel(self, int(name[1:]) + 1)
        host = _Host(parent=FakeEngine(jvm_route=name))
        self.context = FakeContext("/app", parent=host, session_cookie=_Cookies())
        self.cluster = SimpleTcpCluster(channel_send_options=options)
        self.cluster.container = host
        self.cluster.channel = self.channel
        self.missed = self.cluster.missed = _Missed(self)
        self.cluster.manager_template = make_template(self.surroundings)
        self.cluster.start()
        self.manager: Any = self.cluster.create_manager("/app")
        self.context.manager = self.manager  # type: ignore[attr-defined]
        if not background and isinstance(self.manager, DeltaManager):
            self.manager.comparisons.every_seconds = math.inf
        self._valves = self.cluster.valves
        self._valves[0].next = self._valves[1]
        self._valves[1].next = _Application()
        network.lives[name] = self
        self.later(JOIN_SECONDS, lambda: self.thread(self._start_manager))

    @property
    def is_java(self) -> bool:
        """True when it behaves as a Java node."""
        return self.name in self.network.java

    @property
    def member(self) -> Member:
        """The node as a member."""
        return self.channel.local_member  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"{self.name}/{self.generation}"

    def _start_manager(self) -> None:
        manager = self.manager
        manager.context = self.context
        generator = manager.session_id_generator = _Ids()
        generator.source = self._ids
        self.cluster.register_manager(manager)
        manager.start()
        self.serves = True
        if not self.channel.beats_itself:
            self.later(HEARTBEAT_SECONDS, self._beat)
        self.later(self.world.random.random() * TICK_SECONDS, lambda: self.thread(self._tick))

    def _tick(self) -> None:
        self.manager.background_process()
        self.cluster.background_process()
        self.later(TICK_SECONDS, lambda: self.thread(self._tick))

    def _beat(self) -> None:
        self.channel.heartbeat()
        self.later(HEARTBEAT_SECONDS, self._beat)

    def kill(self) -> None:
        """``kill -9``."""
        self.alive = self.serves = False
        self.network.forget(self)

    # -- requests --------------------------------------------------------------------------------------------------

    def serve(
        self,
        session_id: str | None,
        application: Callable[[SimRequest], None],
        answer: Answer,
        committed: Callable[[], None] | None = None,
    ) -> None:
        """A request through the valves.

        Args:
            answer: called when the answer leaves; by a process that has ended never.
            committed: called when what the request changed has its version.
        """
        request = SimRequest(self, session_id, application)
        response = request.response
        began = self.world.now
        self._valves[0].invoke(request, response)  # type: ignore[arg-type]
        waiting = [len(response.held) + 1]

        def done(_: Delivery | None = None) -> None:
            waiting[0] -= 1
            if waiting[0] == 0:
                request.recycle()
                missed = {member for member, at in self.missed.times.items() if at >= began}
                answer({life for life, member in self.channel.present.items() if member in missed})

        if committed is not None:
            self.reactor.after_work(committed) if self.reactor.in_runner else committed()
        for delivery in response.held:
            delivery.add_done_callback(done)
        # The messages that the loop sends for all requests of a round leave first.
        self.reactor.at_round_end(done)

    # -- looking at it ---------------------------------------------------------------------------------------------

    def session(self, ids: Iterable[str]) -> DeltaSession | None:
        """The session with one of these ids, as this node has it; nothing is fetched, nothing expires."""
        manager = self.manager
        for session_id in ids:
            if isinstance(manager, DeltaManager):  # it may show a name and a route that no client was given together
                record = manager.ledger.addressed(session_id)
                session_id = session_id if record is None else record.id
            session = manager.sessions.get(session_id)
            if session is None and isinstance(manager, BackupManager) and manager.map is not None:
                session = manager.map.peek(session_id)  # two changes of its id have crossed
            if session is not None and session.alive:
                return session  # type: ignore[no-any-return]
        return None

    def knows_end(self, ids: Iterable[str]) -> bool:
        """True when it knows that the session with these ids was ended."""
        manager = self.manager
        if isinstance(manager, DeltaManager):
            return any(manager.ledger.grave_of(session_id) is not None for session_id in ids)
        return any(manager.map.has_ended(session_id) for session_id in ids)

    def knows_replaced(self, bare: str) -> bool:
        """True when it knows that an id leads nowhere any more."""
        manager = self.manager
        if isinstance(manager, DeltaManager):
            record = manager.ledger.addressed(bare)
            return record is not None and not record.leads_here(bare)
        table = manager.map.table
        return table.id_of(bare) in table.entries and table.entry(bare) is None

    def records(self) -> list[Record]:
        """All records, of DeltaManager's ledger or in BackupManager's sessions."""
        manager = self.manager
        if isinstance(manager, DeltaManager):
            return list(manager.ledger)
        return [session.record for session in manager.sessions.values()]

    def contents(self) -> dict[str, Any]:
        """The content that all nodes shall have alike."""
        manager = self.manager
        if isinstance(manager, DeltaManager):
            shown = {session.id: session for session in manager.sessions.values()}
            return {
                record.key: (
                    record.id,
                    tuple(sorted((name, value.data) for name, value in record.values.items())),
                    record.id in shown,
                )
                for record in manager.ledger
            }
        return {entry.key: self._entry(entry) for entry in manager.map.entries() if entry.primary is not None}

    def _entry(self, entry: MapEntry) -> Any:
        return (entry.primary, tuple(sorted(node.host for node in entry.nodes)), entry.id)

    def values(self, session_id: str) -> Any:
        """The attributes of a session that is here, as bytes."""
        session = self.manager.sessions.get(session_id)
        return None if session is None else sorted((name, each.data) for name, each in session.record.values.items())

    def left_over(self) -> list[str]:
        """The things that should be empty when all is quiet, and are not."""
        manager = self.manager
        found: dict[str, Any] = {
            "silent members": self.cluster.missed.silent,
            "members that missed messages": self.cluster.missed._members,
        }
        if isinstance(manager, DeltaManager):
            found["comparisons"] = manager.comparisons._due
            found["streams"] = manager.state_sender._waiting
        else:
            found["debts"] = {key: owed for key, owed in manager.map.table.owed.items() if owed}
            found["fetches"] = manager.map.claims.under_way
            found["wanted values"] = manager.map.table.wanted
            found["changes for owners"] = manager.map.table.handed
            found["silent members of the map"] = manager.map.link.silent
        left = [f"{what}: {value}" for what, value in found.items() if value]
        return left + self.channel.left_over()  # type: ignore[no-any-return]
