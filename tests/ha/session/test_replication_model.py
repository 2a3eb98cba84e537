"""Three nodes, any work on the sessions, messages of different senders in any order: in the end all have the same."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from tests.ha.support import FakeNetwork, Node

NODES = 3
names = st.sampled_from(["a", "b", "cart"])
values = st.one_of(st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=3))


class Replication(RuleBasedStateMachine):
    """A session is used by one node at a time, as with sticky clients; what was sent arrives before it moves."""

    sessions = Bundle("sessions")

    @initialize()
    def start(self) -> None:
        self.network = FakeNetwork()
        self.nodes = [Node(self.network) for _ in range(NODES)]
        for node in self.nodes:
            node.start_manager()
        self.network.immediate = False
        #: The content of each session, and the node that uses it: number -> (id, node, values); None when it has ended.
        self.expected: dict[int, tuple[str, int, dict[str, Any]] | None] = {}

    @rule(target=sessions, node=st.integers(0, NODES - 1))
    def create(self, node: int) -> Any:
        session = self.nodes[node].manager.create_session()
        self.nodes[node].request(session)
        number = len(self.expected)
        self.expected[number] = (session.id, node, {})
        return number

    @rule(number=sessions, name=names, value=values)
    def set(self, number: int, name: str, value: Any) -> None:
        self._work(number, lambda session, known: (session.set_attribute(name, value), known.__setitem__(name, value)))

    @rule(number=sessions, name=names)
    def remove(self, number: int, name: str) -> None:
        self._work(number, lambda session, known: (session.remove_attribute(name), known.pop(name, None)))

    @rule(number=sessions, value=st.integers())
    def change_inside(self, number: int, value: int) -> None:
        def change(session: Any, known: dict[str, Any]) -> None:
            found = session.get_attribute("cart")
            assert found == known.get("cart")
            if isinstance(found, list):
                found.append(value)
                known["cart"] = list(found)

        self._work(number, change)

    @rule(number=sessions)
    def change_id(self, number: int) -> None:
        expected = self.expected[number]
        if expected is not None:
            session_id, node, known = expected
            manager = self.nodes[node].manager
            new_id = manager.change_session_id(manager.find_session(session_id))
            self.expected[number] = (new_id, node, known)

    @rule(number=sessions)
    def invalidate(self, number: int) -> None:
        expected = self.expected[number]
        if expected is not None:
            self.nodes[expected[1]].manager.find_session(expected[0]).invalidate()
            self.expected[number] = None

    @rule(number=sessions, node=st.integers(0, NODES - 1))
    def move(self, number: int, node: int) -> None:
        """The client goes to another node, after what was sent has arrived."""
        expected = self.expected[number]
        if expected is not None:
            self._deliver_all()
            self.expected[number] = (expected[0], node, expected[2])

    @rule(choices=st.lists(st.integers(0, 10), max_size=10))
    def deliver_some(self, choices: list[int]) -> None:
        """Messages of one sender to one node keep their order, others overtake each other."""
        for choice in choices:
            self._deliver_one(choice)

    @rule(choice=st.integers(0, 10))
    def deliver_twice(self, choice: int) -> None:
        """A message that was sent again because its acknowledgement was late."""
        waiting = self.network.on_the_way
        if waiting:
            sender, to, message, _ = waiting[0]
            to.channel.receive(message, sender.channel.local_member)

    def _work(self, number: int, work: Any) -> None:
        expected = self.expected[number]
        if expected is None:
            return
        session_id, node, known = expected
        session = self.nodes[node].manager.find_session(session_id)
        work(session, known)
        self.nodes[node].request(session)

    def _deliver_one(self, choice: int) -> None:
        waiting = self.network.on_the_way
        pairs = list(dict.fromkeys((id(sender), id(to)) for sender, to, _, _ in waiting))
        if pairs:
            pair = pairs[choice % len(pairs)]
            at = next(i for i, (sender, to, _, _) in enumerate(waiting) if (id(sender), id(to)) == pair)
            waiting.insert(0, waiting.pop(at))
            self.network.deliver(1)

    def _deliver_all(self) -> None:
        self.network.deliver()

    @invariant()
    def all_nodes_agree_when_everything_has_arrived(self) -> None:
        if self.network.on_the_way:
            return
        alive = {found[0]: found[2] for found in self.expected.values() if found is not None}
        for node in self.nodes:
            manager = node.manager
            assert sorted(manager.sessions) == sorted(alive)
            for session_id, known in alive.items():
                session = manager.find_session(session_id)
                seen = {name: manager.codec.decode(session, name, session.to_data().attributes[name])
                        for name in session.attribute_names()}  # fmt: skip
                assert seen == known

    def teardown(self) -> None:
        self._deliver_all()
        self.all_nodes_agree_when_everything_has_arrived()


Replication.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestReplication = Replication.TestCase
