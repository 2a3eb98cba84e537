from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import ChannelError, LifecycleError, TooManyActiveSessionsError
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.map_session import MapSession
from catalina.session.standard_session import StandardSession
from catalina.tribes.channel import Delivery
from catalina.tribes.ledger.version import clock_of, version_at
from catalina.tribes.member import Member
from tests.ha.session.maps import FakeCluster, Group
from tests.ha.support import collected
from tests.session.support import FakeContext
from tests.support.narrowing import of_type


def holders(group: Group, session_id: str) -> int:
    return sum(session_id in manager.sessions for manager in group.managers)


def test_a_session_is_at_its_owner_and_one_backup() -> None:
    group = Group(4)
    session_id = group.create(0, n=1)
    assert holders(group, session_id) == 2
    assert [manager.known_sessions for manager in group.managers] == [1] * 4
    assert sum(manager.active_sessions for manager in group.managers) == 1
    assert sum(manager.backup_sessions for manager in group.managers) == 1


def test_a_request_finds_the_session_wherever_it_lands() -> None:
    group = Group(4)
    session_id = group.create(0, n=0)
    for number in range(1, 9):
        assert group.request(number % 4, session_id, n=number) == {"n": number}
        assert holders(group, session_id) == 2
        assert [manager.active_sessions for manager in group.managers].index(1) == number % 4


def test_a_change_inside_a_value_reaches_the_backup() -> None:
    group = Group(2)
    session_id = group.create(0, cart=["a"])
    session = group.managers[0].find_session(session_id)
    assert isinstance(session, MapSession)
    of_type(list, session.get_attribute("cart")).append("b")
    group.managers[0].request_completed(session, None)
    group.network.settle()
    assert group.request(1, session_id) == {"cart": ["a", "b"]}


def test_a_backup_that_has_something_later_gives_it_to_the_owner() -> None:
    """Clocks differ, and what the other node had changed as the owner was lost on its way here."""
    group = Group(2)
    session_id = group.create(0, n=0)
    held = group.managers[1].sessions[session_id]
    assert isinstance(held, MapSession)
    of_type(BackupManager, held.manager).heard(version_at(clock_of(held.record.latest) + 5_000_000, bytes(8)))
    held.set_attribute("n", "later")
    held.take_diff()
    group.request(0, session_id, n="earlier")
    assert [manager.sessions[session_id].get_attribute("n") for manager in group.managers] == ["later", "later"]


def test_the_answer_waits_for_everything_that_was_sent() -> None:
    group = Group(2)
    manager = group.managers[0]
    with collected() as deliveries:
        session = manager.create_session()
        session.set_attribute("n", 1)
        manager.request_completed(session, None)
    assert deliveries
    assert not all(delivery.done for delivery in deliveries)
    group.network.settle()
    assert all(delivery.done for delivery in deliveries)


def test_taking_a_session_over_is_waited_for_too() -> None:
    group = Group(3)
    session_id = group.create(0, n=1)
    for number in (1, 2):
        with collected() as deliveries:
            group.managers[number].find_session(session_id)
        assert deliveries
        group.network.settle()
        assert all(delivery.done for delivery in deliveries)


def test_an_invalidated_session_is_gone_everywhere() -> None:
    group = Group(3)
    session_id = group.create(0, n=1)
    session = group.managers[2].find_session(session_id)
    assert session is not None
    session.invalidate()
    group.network.settle()
    assert holders(group, session_id) == 0
    assert [manager.known_sessions for manager in group.managers] == [0] * 3
    assert [manager.find_session(session_id) for manager in group.managers] == [None] * 3


def test_a_new_id_is_known_everywhere_and_the_old_one_nowhere() -> None:
    group = Group(3)
    old = group.create(0, n=1)
    session = group.managers[0].find_session(old)
    assert session is not None
    new = group.managers[0].change_session_id(session)
    group.network.settle()
    assert group.request(1, new) == {"n": 1}
    assert group.request(2, old) is None


def test_an_id_with_another_route_is_followed_and_one_of_a_login_is_not() -> None:
    group = Group(2)
    manager = group.managers[0]
    session = manager.create_session("ABC.a")
    manager.change_session_id(session, "ABC.b")
    assert manager.moved_to("ABC.a") == "ABC.b"
    manager.change_session_id(session, "XYZ.b")
    assert manager.moved_to("ABC.a") is None
    assert manager.moved_to("unknown") is None
    manager.background_process()


def renamed(group: Group, number: int, session: StandardSession | None, new_id: str) -> None:
    assert session is not None
    group.managers[number].change_session_id(session, new_id)


def test_a_change_under_the_old_id_that_crosses_another_node_s_rename_is_kept() -> None:
    """A request is under way on a node while another one takes the session over and gives it its own route."""
    group = Group(4)
    session = group.managers[0].create_session("ABC.n1")
    assert isinstance(session, MapSession)
    group.request(0, "ABC.n1", a=1)
    session.access()
    session.set_attribute("b", 2)
    renamed(group, 1, group.managers[1].find_session("ABC.n1"), "ABC.n2")
    group.request(1, "ABC.n2", c=3)
    group.network.settle()
    with collected() as deliveries:
        group.managers[0].request_completed(session, None)
    group.network.settle()
    assert deliveries
    assert all(delivery.done for delivery in deliveries)
    assert [manager.known_sessions for manager in group.managers] == [1] * 4
    assert holders(group, "ABC.n2") == 2
    assert [group.request(number, "ABC.n2") for number in range(4)] == [{"a": 1, "b": 2, "c": 3}] * 4


def test_two_routes_at_once_are_one_session() -> None:
    group = Group(3)
    group.managers[0].create_session("ABC.n1")
    group.request(0, "ABC.n1", a=1)
    for number in (1, 2):  # neither has heard the other
        renamed(group, number, group.managers[number].find_session("ABC.n1"), f"ABC.n{number + 1}")
    group.network.settle()
    assert [manager.known_sessions for manager in group.managers] == [1] * 3
    assert group.request(0, "ABC.n2") == group.request(1, "ABC.n3") == {"a": 1}
    assert len({manager.moved_to("ABC.n1") for manager in group.managers}) == 1


def test_an_end_under_the_old_id_ends_the_session_that_another_node_has_renamed() -> None:
    group = Group(3)
    session = group.managers[0].create_session("ABC.n1")
    group.network.settle()
    renamed(group, 1, group.managers[1].find_session("ABC.n1"), "XYZ.n2")
    session.invalidate()
    group.network.settle()
    assert [manager.known_sessions for manager in group.managers] == [0] * 3
    assert [manager.sessions for manager in group.managers] == [{}] * 3


def test_the_id_before_a_login_leads_nowhere_though_a_move_crossed_the_login() -> None:
    group = Group(3)
    group.managers[0].create_session("ABC.n1")
    group.request(0, "ABC.n1", a=1)
    moving = group.managers[2].find_session("ABC.n1")
    group.network.settle()
    renamed(group, 1, group.managers[1].find_session("ABC.n1"), "XYZ.n2")
    renamed(group, 2, moving, "ABC.n3")
    group.network.settle()
    assert [group.request(number, "ABC.n3") for number in range(3)] == [None] * 3
    assert [group.request(number, "XYZ.n2") for number in range(3)] == [{"a": 1}] * 3


def test_a_session_that_has_ended_while_it_was_fetched_is_not_there() -> None:
    group = Group(3)
    session_id = group.create(0, n=1)
    session = group.managers[0].find_session(session_id)
    third = next(number for number in (1, 2) if session_id not in group.managers[number].sessions)
    assert session is not None
    session.invalidate()  # nobody has heard it
    assert group.managers[third].find_session(session_id) is None
    assert group.managers[third].sessions == {}


def test_a_version_that_came_with_a_fetched_session_is_never_fallen_behind() -> None:
    group = Group(3)
    session_id = group.create(0)
    session = group.managers[0].sessions[session_id]
    assert isinstance(session, MapSession)
    of_type(BackupManager, session.manager).heard(version_at(clock_of(session.record.latest) + 3_600_000_000, bytes(8)))
    group.request(0, session_id, n="earlier")
    third = next(number for number in (1, 2) if session_id not in group.managers[number].sessions)
    assert group.request(third, session_id, n="later") == {"n": "later"}
    assert group.request(0, session_id) == {"n": "later"}


def test_only_the_owner_expires_a_session_and_for_all() -> None:
    group = Group(3)
    session_id = group.create(0, n=1)
    group.clock.advance(31 * 60)
    expired = [manager.process_expires() for manager in reversed(group.managers)]
    group.network.settle()
    assert expired == [0, 0, 1]
    assert holders(group, session_id) == 0
    assert [manager.known_sessions for manager in group.managers] == [0] * 3


def test_the_backup_of_a_dead_owner_expires_its_sessions() -> None:
    group = Group(2)
    session_id = group.create(0, n=1)
    group.network.kill(group.managers[0].cluster.channel)  # type: ignore[union-attr, arg-type]
    group.network.settle()
    assert group.managers[1].active_sessions == 1
    group.clock.advance(31 * 60)
    assert group.managers[1].process_expires() == 1
    assert group.managers[1].find_session(session_id) is None


def test_sessions_live_on_when_their_owner_stops() -> None:
    group = Group(3)
    session_id = group.create(0, n=1)
    group.managers[0].stop()
    group.network.settle()
    assert group.request(1, session_id) == {"n": 1}
    assert group.request(2, session_id) == {"n": 1}
    assert group.managers[0].cluster.removed == [group.managers[0]]  # type: ignore[union-attr]


def test_sessions_end_with_their_owner_when_so_configured() -> None:
    group = Group(2, expire_sessions_on_shutdown=True)
    mine, other = group.create(0, n=1), group.create(1, n=2)
    group.managers[0].stop()
    group.network.settle()
    assert group.request(1, mine) is None
    assert group.request(1, other) == {"n": 2}


def test_a_node_alone_keeps_its_sessions_to_itself() -> None:
    group = Group(1)
    session_id = group.create(0, n=1)
    assert group.request(0, session_id, n=2) == {"n": 2}
    assert group.network.sent == []


def test_what_changed_while_alone_is_there_for_the_second_node() -> None:
    group = Group(1)
    session_id = group.create(0, n=1)
    group.request(0, session_id, m=[1])
    manager = BackupManager(clock=group.clock)
    manager.name = "localhost#/app"
    manager.context = FakeContext()
    manager.cluster = FakeCluster(group.network.add(2))  # type: ignore[assignment]
    manager.start()
    group.network.settle()
    group.managers.append(manager)
    group.network.kill(group.managers[0].cluster.channel)  # type: ignore[union-attr, arg-type]
    group.network.settle()
    assert group.request(1, session_id) == {"n": 1, "m": [1]}


def test_the_limit_counts_the_sessions_that_this_node_owns() -> None:
    group = Group(2, max_active_sessions=1)
    group.create(0)
    with pytest.raises(TooManyActiveSessionsError):
        group.managers[0].create_session()
    group.create(1)
    assert group.managers[0].rejected_sessions == 1


def test_the_map_is_named_as_tomcat_names_it() -> None:
    group = Group(1)
    assert group.managers[0].map is not None
    assert group.managers[0].map.map_id == b"localhost#/app-map"


@pytest.mark.parametrize(("text", "options"), [("6", 6), ("8", 8), ("sync,use_ack", 6), ("async", 8), ("0", 0)])
def test_send_options_are_numbers_or_names(text: str, options: int) -> None:
    manager = BackupManager()
    assert manager.set_attribute("mapSendOptions", text)
    assert manager.map_send_options == options


def test_unknown_send_options_are_refused() -> None:
    with pytest.raises(AttributeRefused):
        BackupManager().set_attribute("mapSendOptions", "quickly")


def test_asynchronous_sends_hold_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(2, map_send_options=8)
    channel = group.managers[0].cluster.channel  # type: ignore[union-attr]
    assert channel is not None
    posted: list[int] = []
    original = channel.post

    def post(to: Sequence[Member], message: object, options: int) -> Delivery:
        posted.append(options)
        return original(to, message, options)

    monkeypatch.setattr(channel, "post", post)
    group.create(0, n=1)
    assert set(posted) == {8}


@pytest.mark.parametrize("kind", [BackupManager, DeltaManager])
def test_without_a_cluster_the_application_does_not_start(kind: type[BackupManager | DeltaManager]) -> None:
    """It would keep its sessions to itself, and nobody would notice before the first failover."""
    manager = kind()
    manager.context = FakeContext()
    with pytest.raises(LifecycleError, match="no cluster associated with this context"):
        manager.start()


@pytest.mark.parametrize("terminate", [False, True])
def test_a_map_that_cannot_start_stops_the_application_only_when_so_configured(terminate: bool) -> None:
    group = Group(1)
    manager = BackupManager(terminate_on_start_failure=terminate)
    manager.context = FakeContext()
    channel = group.network.add(2)
    manager.cluster = FakeCluster(channel)  # type: ignore[assignment]

    def refuse(*_: object) -> None:
        raise ChannelError("stopped")

    channel.post = refuse  # type: ignore[assignment, method-assign]
    if terminate:
        with pytest.raises(LifecycleError, match="Failed to start BackupManager"):
            manager.start()
    else:
        manager.start()
        assert manager.map is None
        assert manager.create_session().is_valid


def test_a_node_that_stood_still_knows_what_the_others_own_now_before_it_serves() -> None:
    group = Group(3)
    taken, ended = group.create(0, n=1), group.create(0, n=1)
    frozen = group.managers[0]
    group.network.settle()
    group.network.hold = {frozen.cluster.channel.local_member}  # type: ignore[union-attr]
    assert group.request(1, taken, n=2) == {"n": 2}
    session = group.managers[1].find_session(ended)
    assert session is not None
    session.invalidate()
    group.network.settle()
    assert frozen.active_sessions == 2
    group.network.hold = set()
    is_through = frozen.stood_still()
    assert is_through is not None
    assert not is_through()
    group.network.settle()
    assert is_through()
    assert [session.id for session in frozen.find_sessions()] == []
    assert frozen.known_sessions == 1
    assert frozen.sessions.keys() <= {taken}
    assert all(session.get_attribute("n") == 2 for session in frozen.sessions.values())


def test_without_members_there_is_nothing_to_catch_up_with() -> None:
    assert Group(1).managers[0].stood_still() is None


def test_a_change_that_could_not_be_handed_over_is_kept_until_the_owner_has_it() -> None:
    group = Group(2)
    session_id = group.create(0, n=1)
    session = group.managers[0].sessions[session_id]
    assert isinstance(session, MapSession)
    session.access()
    group.managers[1].find_session(session_id)
    session.set_attribute("mine", 2)
    group.managers[0].request_completed(session, None)  # a claim that crosses the other one
    group.network.faults.extend(["", "", "drop", "drop", "drop"])
    group.network.settle()
    for _ in range(2):
        group.network.heartbeat()
    assert [manager.sessions[session_id].get_attribute("mine") for manager in group.managers] == [2, 2]
    assert [manager.map.table.handed for manager in group.managers if manager.map] == [{}, {}]


def test_a_session_with_a_route_that_found_no_backup_gets_one_when_a_member_is_heard_again() -> None:
    group = Group(2)
    group.network.hold = {group.managers[1].cluster.channel.local_member}  # type: ignore[union-attr]
    group.managers[0].create_session("ABC.n1")
    group.request(0, "ABC.n1", a=1)
    group.network.hold = set()
    for _ in range(2):
        group.network.heartbeat()
    assert [manager.sessions["ABC.n1"].get_attribute("a") for manager in group.managers] == [1, 1]


def test_the_changes_of_a_round_leave_together_for_each_backup(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(3)
    ids = [group.create(0, n=0) for _ in range(6)]
    manager = group.managers[0]
    sessions = [manager.find_session(session_id) for session_id in ids]
    channel = manager.cluster.channel  # type: ignore[union-attr]
    assert channel is not None
    posted: list[tuple[int, int]] = []
    original = channel.post_all

    def post_all(to: Sequence[Member], messages: Sequence[Any], options: int) -> Any:
        posted.append((len(to), len(messages)))
        return original(to, messages, options)

    monkeypatch.setattr(channel, "post_all", post_all)
    held = [Delivery(1) for _ in sessions]
    for number, session in enumerate(sessions):
        assert session is not None
        session.set_attribute("n", number)
    manager.requests_completed([(session, None, each) for session, each in zip(sessions, held, strict=True)])  # type: ignore[misc]
    assert posted == [(1, 3), (1, 3)]
    assert not any(each.done for each in held)
    group.network.settle()
    assert all(each.done for each in held)
    copies = [other.sessions[each] for each in ids for other in group.managers[1:] if each in other.sessions]
    assert [copy.get_attribute("n") for copy in copies] == list(range(6))


def test_what_a_backup_has_missed_of_a_round_goes_to_another_one_before_the_answers() -> None:
    group = Group(3)
    ids = [group.create(0, n=0) for _ in range(4)]
    manager = group.managers[0]
    sessions = [manager.find_session(session_id) for session_id in ids]
    group.network.hold = {group.managers[1].cluster.channel.local_member}  # type: ignore[union-attr]
    held = [Delivery(1) for _ in sessions]
    for session in sessions:
        assert session is not None
        session.set_attribute("n", 7)
    manager.requests_completed([(session, None, each) for session, each in zip(sessions, held, strict=True)])  # type: ignore[misc]
    group.network.settle()
    assert all(each.done for each in held)
    assert [group.managers[2].sessions[each].get_attribute("n") for each in ids] == [7] * 4


def test_a_fault_of_one_request_of_a_round_keeps_no_answer_and_no_other_change(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(2)
    ids = [group.create(0, n=0) for _ in range(3)]
    manager = group.managers[0]
    sessions = [manager.find_session(session_id) for session_id in ids]
    for session in sessions:
        assert session is not None
        session.set_attribute("n", 7)
    take = MapSession.take_diff

    def broken(self: MapSession) -> bytes | None:
        if self is sessions[1]:
            raise RuntimeError("while it is encoded")
        return take(self)

    monkeypatch.setattr(MapSession, "take_diff", broken)
    monkeypatch.setattr(manager, "not_replicated", lambda error: None)
    held = [Delivery(1) for _ in sessions]
    manager.requests_completed([(session, None, each) for session, each in zip(sessions, held, strict=True)])  # type: ignore[misc]
    group.network.settle()
    assert all(each.done for each in held)
    assert [group.managers[1].sessions[each].get_attribute("n") for each in ids] == [7, 0, 7]


def test_who_only_looks_at_a_session_does_not_take_it_over() -> None:
    group = Group(2)
    session_id = group.create(0, n=1)
    backup = group.managers[1]
    assert backup.get_session_attribute(session_id, "n") == "1"
    assert backup.get_creation_timestamp(session_id) == group.managers[0].get_creation_timestamp(session_id)
    assert backup.look_at(session_id) is not None
    assert backup.look_at("none") is None
    assert [manager.active_sessions for manager in group.managers] == [1, 0]
