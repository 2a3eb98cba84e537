"""Sessions that outlive a node."""

from __future__ import annotations

import pytest

from catalina.ha.session.delta_manager import DeltaManager
from catalina.session.file_store import FileStore
from catalina.session.persistent_manager import PersistentManager
from catalina.session.standard_manager import StandardManager
from catalina.startup.session_safety import SessionSafety, clusters_of, contexts_of, session_safety, unsent
from tests.startup.hosts import Base, running

WSGI = "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'']\n"


@pytest.fixture
def base(tmp_path):
    base = Base(tmp_path, auto_deploy=False)
    application = base.webapps / "shop"
    application.mkdir(parents=True)
    (application / "wsgi.py").write_text(WSGI)
    with running(base) as base:
        yield base


def with_manager(base, manager):
    """The row of ``/shop`` with two sessions of such a manager."""
    context = base.context("/shop")
    context.manager = manager
    for _ in range(2):
        context.manager.create_session(None)
    (row,) = session_safety(base.server)
    return row


def test_sessions_of_one_node_end_with_it(base):
    assert with_manager(base, StandardManager()) == SessionSafety("localhost/shop", 2, 0, "only here (StandardManager)")


def test_sessions_that_a_stop_stores_are_safe(base):
    row = with_manager(base, StandardManager(pathname="SESSIONS.ser"))
    assert (row.safe, row.where) == (2, "stored at a stop, in SESSIONS.ser")
    manager = PersistentManager()
    manager.store = FileStore()
    row = with_manager(base, manager)
    assert (row.safe, row.where) == (2, "stored at a stop, by FileStore")


def test_a_store_that_is_not_filled_at_a_stop_keeps_nothing(base):
    manager = PersistentManager(save_on_restart=False)
    manager.store = FileStore()
    row = with_manager(base, manager)
    assert (row.safe, row.where) == (0, 'saveOnRestart="false"')


def test_without_another_member_a_replicated_session_is_only_here(base):
    row = with_manager(base, DeltaManager())
    assert (row.sessions, row.safe, row.where) == (2, 0, "no other member of the cluster is there")


def test_an_application_that_does_not_run_has_no_row(base):
    base.context("/shop").stop()
    assert session_safety(base.server) == []
    assert [context.name for context in contexts_of(base.server)] == ["/shop"]


def test_a_node_without_a_cluster_owes_nobody_anything(base):
    assert clusters_of(base.server) == []
    assert unsent(base.server) == 0
