"""The session goes to the store after each request."""

import threading
from typing import Any

import pytest

from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_server import StandardServer
from catalina.errors import LifecycleError
from catalina.session.persistent_manager_base import PersistentManagerBase
from catalina.session.standard_session import StandardSession
from catalina.valves.persistent_valve import PersistentValve
from tests.connector.bare import BareContext
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request, run


class Manager(PersistentManagerBase):
    def __init__(self, works=True):
        super().__init__()
        self.stored = []
        self.works = works

    def swap_out(self, session):
        self.stored.append(session.id)
        return self.works


def make(manager, uri="/", session_id="S1", **attributes):
    attributes |= {"context": BareContext(manager=manager), "requested_session_id": session_id}
    return make_request(uri, get_session=lambda create=True: StandardSession(manager, "S1", 0), **attributes)


def test_a_session_is_stored_when_the_request_is_through():
    manager = Manager()
    request, response = make(manager)
    run(PersistentValve(), request, response, lambda *_: manager.stored.append("served"))
    assert manager.stored == ["served", "S1"]


def test_a_new_session_is_stored_too():
    manager = Manager()
    run(PersistentValve(), *make(manager, session_id=None))
    assert manager.stored == ["S1"]


def test_filtered_paths_are_not_looked_at():
    valve = PersistentValve()
    valve.set_attribute("filter", r".*\.css")
    manager = Manager()
    run(valve, *make(manager, "/a.css"))
    assert manager.stored == []


def test_two_requests_of_one_session_follow_each_other():
    valve = PersistentValve()
    manager = Manager()
    first_inside, release = threading.Event(), threading.Event()
    order = []

    def serve(request, response):
        order.append("in")
        first_inside.set()
        assert release.wait(10)
        order.append("out")

    threads = [threading.Thread(target=run, args=(valve, *make(manager), serve)) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert first_inside.wait(10)
    release.set()
    for thread in threads:
        thread.join(10)
    assert order == ["in", "out", "in", "out"]
    assert valve._in_use == {}


def test_a_request_that_must_not_wait_is_refused():
    valve = PersistentValve(semaphore_block_on_acquire=False)
    statuses = []

    def serve(request, response):
        other, other_response = make(Manager())
        valve.invoke(other, other_response)
        statuses.append(other_response.status)

    request, response = make(Manager())
    run(valve, request, response, serve)
    assert statuses == [429]


def test_without_an_application_it_is_an_error():
    request, response = make_request()
    run(PersistentValve(), request, response)
    assert response.status == 500


def test_a_store_that_fails_is_said(caplog):
    run(PersistentValve(), *make(Manager(works=False)))
    assert "Saving session [S1] to the store failed" in caplog.text


def test_it_does_not_start_in_a_node_of_several_workers() -> None:
    valve = PersistentValve()
    container: Any = stand_in(
        StandardEngine, name="Catalina", parent=None, server=stand_in(StandardServer, role=object())
    )
    valve.container = container
    with pytest.raises(LifecycleError, match="cannot be used in a node of several processes"):
        valve.start()
