"""One login for all workers of a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalina.authenticator.single_sign_on import SingleSignOn
from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_pipeline import StandardPipeline
from catalina.realm.generic_principal import GenericPrincipal
from catalina.workers.frames import CallError
from catalina.workers.node_sign_ons import KeeperSignOns, join_sign_ons
from catalina.workers.services import SIGN_ON
from tests.support.stand_in import stand_in
from tests.support.waiting import wait_until
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]

ANN = GenericPrincipal("ann", ("user",))


def tree() -> tuple[Any, SingleSignOn]:
    """A host with a single sign-on."""
    engine, host = StandardEngine(name="Catalina"), StandardHost(name="localhost")
    engine.add_child(host)
    valve = SingleSignOn()
    host.add_valve(valve)
    return host, valve


class SignOns:
    """A keeper and two workers, each with the valve and the application's manager."""

    def __init__(self, make_node: MakeNode) -> None:
        self.node = make_node()
        host, self.keeper = tree()
        self.node.keeper.links.services.add(SIGN_ON, KeeperSignOns([host], self.node.memory.section("logins")).call)
        self.valves: list[SingleSignOn] = []
        self._place(host, self.node.keeper.manager)
        self.keeper.start()
        for worker in self.node.workers:
            host, valve = tree()
            join_sign_ons([host], worker.queries.call)
            self._place(host, worker.manager)
            valve.start()
            self.valves.append(valve)

    @staticmethod
    def _place(host: Any, manager: Any) -> None:
        """The manager's application is below the host, as the valve finds it."""
        context = manager.context
        context.host, context.parent, context.pipeline = host, host, stand_in(StandardPipeline, valves=[])
        host.find_child = lambda name: stand_in(StandardContext, manager=manager)
        engine = host.parent
        engine.find_child = lambda name: host

    def login(self, worker: int) -> Any:
        """A user logs in at a worker: the session, which has joined the login."""
        session = self.node.workers[worker].request(count=1)
        assert session is not None
        self.valves[worker].register("SSO", ANN, "FORM", "ann", "secret")
        assert self.valves[worker].associate("SSO", session)
        self.node.workers[worker].request(session.id)
        return session


@pytest.fixture
def sign_ons(make_node: MakeNode) -> SignOns:
    return SignOns(make_node)


def test_a_login_at_one_worker_holds_at_all(sign_ons: SignOns) -> None:
    session = sign_ons.login(0)
    entry = sign_ons.valves[1].cache["SSO"]
    assert entry.principal is not None
    assert entry.principal.name == "ann"
    assert (entry.username, entry.password, entry.auth_type) == ("ann", "secret", "FORM")
    assert [key.session_id for key in entry.session_keys] == [session.id]
    assert "unknown" not in sign_ons.valves[1].cache


def test_a_logout_at_one_worker_ends_the_sessions_of_all(sign_ons: SignOns) -> None:
    first = sign_ons.login(0)
    second = sign_ons.node.workers[1].request(count=2)
    assert second is not None
    assert sign_ons.valves[1].associate("SSO", second)
    sign_ons.node.workers[1].request(second.id)
    first.expire()
    wait_until(lambda: "SSO" not in sign_ons.keeper.cache, "the end of the login")
    wait_until(lambda: not second.alive, "the end of the other session")


def test_a_session_that_has_moved_to_another_worker_ends_its_login_there(sign_ons: SignOns) -> None:
    session = sign_ons.login(0)
    there = sign_ons.node.workers[1].request(session.id, count=2)
    assert there is not None
    there.expire()
    wait_until(lambda: "SSO" not in sign_ons.keeper.cache, "the end of the login")


def test_a_session_that_the_keeper_ends_leaves_its_login(sign_ons: SignOns) -> None:
    session = sign_ons.login(0)
    keeper = sign_ons.node.keeper
    keeper.read_all()
    sign_ons.node.workers[0].end()
    wait_until(lambda: not len(keeper.copies), "no worker has a copy")
    keeper.manager.find_session(session.id).expire()
    assert "SSO" not in sign_ons.keeper.cache


def test_a_second_kind_of_login_is_known_to_all(sign_ons: SignOns) -> None:
    first, second = sign_ons.valves
    first.register("SSO", ANN, "CLIENT_CERT", None, None)
    assert second.update("SSO", ANN, "FORM", "ann", "secret")
    assert first.cache["SSO"].can_reauthenticate
    assert not second.update("SSO", ANN, "FORM", "ann", "secret")


def test_a_login_outlives_the_keeper_and_a_logout_does_so_too(sign_ons: SignOns) -> None:
    def next_keeper() -> SingleSignOn:
        host, valve = tree()
        KeeperSignOns([host], sign_ons.node.memory.section("logins"))
        return valve

    first = sign_ons.login(0)
    entry = next_keeper().cache["SSO"]
    assert (entry.username, [key.session_id for key in entry.session_keys]) == ("ann", [first.id])
    first.expire()
    wait_until(lambda: "SSO" not in sign_ons.keeper.cache, "the end of the login")
    assert "SSO" not in next_keeper().cache


def test_only_what_a_sign_on_does_can_be_called(sign_ons: SignOns) -> None:
    call = sign_ons.node.workers[0].queries.call
    with pytest.raises(CallError, match="no single sign-on at"):
        call(SIGN_ON, ["elsewhere", "get", "SSO", None])
    with pytest.raises(CallError, match=r"got \[clear\]"):
        call(SIGN_ON, ["Catalina/localhost#SingleSignOn0", "clear", "SSO", None])
