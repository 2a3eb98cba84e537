"""How a tree of components becomes a keeper or a worker."""

from collections.abc import Iterator
from typing import Any

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.errors import CatalinaError, LifecycleError
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.cluster_manager_base import ClusterManagerBase
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.session.standard_manager import StandardManager
from catalina.workers.application_entry import manager_key
from catalina.workers.away_manager import AwayManager
from catalina.workers.keeper_backup_manager import KeeperBackupManager
from catalina.workers.roles import KeeperRole, WorkerRole
from catalina.workers.shared_parts import SharedParts
from catalina.workers.worker_cluster import WorkerCluster
from catalina.workers.worker_manager import WorkerManager
from tests.workers.fake_seats import FakeSeats


class FakeQueries:
    """A keeper that notes what it is called for."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def call(self, service: str, argument: Any, seconds: float = 0) -> None:
        self.calls.append((service, argument))


class FakeCrew:
    """Two workers."""

    def __init__(self) -> None:
        self.changes: list[int] = []

    def count(self) -> int:
        return 2

    def change(self, more: int) -> int:
        self.changes.append(more)
        return 2 + more


class Tree:
    """Server, engine, host and context."""

    def __init__(self) -> None:
        self.server = StandardServer(port=-1)
        service = StandardService(name="Catalina")
        self.engine = StandardEngine(name="Catalina", default_host="localhost")
        self.host = StandardHost(name="localhost")
        self.context = StandardContext(name="/shop", path="/shop")
        self.server.add_service(service)
        service.set_engine(self.engine)
        self.engine.add_child(self.host)
        self.host.add_child(self.context)
        self.shared = SharedParts.make(2)
        self.crew = FakeCrew()

    def keeper(self) -> KeeperRole:
        role = KeeperRole(self.server, self.shared.listening, 0, self.crew, FakeSeats(), self.shared.memory)
        self.server.role = role
        return role

    def worker(self) -> WorkerRole:
        role = WorkerRole(self.server, self.shared.for_worker(), 0, lambda: None)
        role.queries = self.queries = FakeQueries()  # type: ignore[assignment]
        self.server.role = role
        return role


@pytest.fixture
def tree() -> Iterator[Tree]:
    made = Tree()
    yield made
    made.shared.close()


def test_keeper_and_worker_know_a_manager_by_the_same_key(tree: Tree) -> None:
    assert manager_key(tree.context) == b"Catalina/localhost//shop"


def test_the_keeper_joins_the_group_with_the_clusters_manager(tree: Tree) -> None:
    tree.engine.cluster = SimpleTcpCluster()
    tree.context.distributable = True
    manager = tree.keeper().manager_for(tree.context, None)
    assert isinstance(manager, DeltaManager)
    assert manager.cluster is tree.engine.cluster
    assert manager.name == "localhost#/shop"


def test_an_application_that_is_not_distributable_is_in_no_group(tree: Tree) -> None:
    tree.engine.cluster = SimpleTcpCluster()
    manager = tree.keeper().manager_for(tree.context, StandardManager(max_active_sessions=7))
    assert isinstance(manager, DeltaManager)
    assert manager.cluster is not None
    assert manager.cluster is not tree.engine.cluster
    assert not manager.cluster.members
    assert manager.max_active_sessions == 7


def test_the_keeper_joins_the_map_of_a_backup_manager(tree: Tree) -> None:
    tree.engine.cluster = SimpleTcpCluster()
    tree.context.distributable = True
    manager = tree.keeper().manager_for(tree.context, BackupManager(map_send_options=8))
    assert isinstance(manager, KeeperBackupManager)
    assert manager.map_send_options == 8
    assert manager.name == "localhost#/shop"


def test_a_manager_that_cannot_have_workers_is_refused_by_name(tree: Tree) -> None:
    class OwnManager(ClusterManagerBase):
        pass

    tree.engine.cluster = SimpleTcpCluster()
    tree.context.distributable = True
    with pytest.raises(LifecycleError, match=r"OwnManager cannot be used in a node of several processes"):
        tree.keeper().manager_for(tree.context, OwnManager())


def test_a_worker_joins_no_group(tree: Tree) -> None:
    declared = tree.engine.cluster = SimpleTcpCluster(channel_send_options=6)
    manager = tree.worker()
    assert isinstance(tree.engine.cluster, WorkerCluster)
    made = manager.manager_for(tree.context, None)
    assert isinstance(made, WorkerManager)
    assert made.cluster.channel_send_options == 6
    assert declared.container is tree.engine


def test_a_cluster_of_a_host_is_replaced_too_and_replicates_once(tree: Tree) -> None:
    tree.host.cluster = SimpleTcpCluster(channel_send_options=6)
    tree.context.distributable = True
    role = tree.worker()
    made = role.manager_for(tree.context, None)
    assert isinstance(made, WorkerManager)
    assert made.name == "/shop", "the name that it has in the group"
    assert made.cluster.channel_send_options == 6


def test_a_worker_says_what_only_the_code_knows(tree: Tree) -> None:
    role = tree.worker()
    tree.context.distributable = True
    role.manager_for(tree.context, None)
    assert tree.queries.calls == [("distributable", {"key": "Catalina/localhost//shop", "distributable": True})]


def test_a_worker_has_the_keeper_reload_everywhere(tree: Tree) -> None:
    role = tree.worker()
    role.serials["Catalina/localhost//shop"] = 3
    assert role.reload(tree.context, by_command=True)
    asked = {"key": "Catalina/localhost//shop", "serial": 3, "by_command": True}
    assert tree.queries.calls == [("reload", asked)]


def test_the_keeper_runs_no_application_and_knows_who_does(tree: Tree) -> None:
    role = tree.keeper()
    assert not role.runs(tree.context)
    assert role.deploys
    assert not role.reload(tree.context, by_command=True)
    assert tree.context.elsewhere is role.elsewhere


def test_the_manager_of_an_exchanged_context_goes_on(tree: Tree) -> None:
    role = tree.keeper()
    manager = role.manager_for(tree.context, None)
    manager.start()
    other = StandardContext(name="/shop", path="/shop")
    other.parent = tree.host
    assert role.manager_for(other, None) is manager
    assert manager.context is other
    other.distributable = True
    assert role.manager_for(other, None) is manager, "without a cluster it makes no difference"
    manager.stop()


def test_the_groups_manager_is_known_until_the_code_says_otherwise(tree: Tree) -> None:
    tree.engine.cluster = SimpleTcpCluster()
    role = tree.keeper()
    assert not role.has_group_manager(tree.context)
    tree.context.distributable = True
    manager = role.manager_for(tree.context, None)
    manager.start()
    assert role.has_group_manager(tree.context)
    tree.context.distributable = False
    assert role.manager_for(tree.context, None) is not manager
    assert not role.has_group_manager(tree.context)


def test_a_worker_knows_which_applications_it_runs(tree: Tree) -> None:
    role = tree.worker()
    assert role.runs(tree.context)
    role.placements["Catalina/localhost//shop"] = (1,)
    assert not role.runs(tree.context)
    manager = role.manager_for(tree.context, None)
    assert isinstance(manager, AwayManager)
    assert manager.worker_for(None) == 1
    assert tree.queries.calls == [], "the keeper hears of it from those that run it"


@pytest.mark.parametrize(
    ("placement", "workers", "expected"),
    [(None, 0, True), (None, 1, False), ((0, 1), 2, True), ((0,), 1, False), ((512,), 0, False), ((512, 513), 2, True)],
)
def test_an_application_is_told_if_other_processes_serve_it_too(
    tree: Tree, placement: tuple[int, ...] | None, workers: int, expected: bool
) -> None:
    role = tree.worker()
    tree.context.workers = workers
    if placement is not None:
        role.placements["Catalina/localhost//shop"] = placement
    assert role.may_run_elsewhere(tree.context) is expected


def test_an_operation_of_the_server_adds_and_removes_workers_at_the_keeper(tree: Tree) -> None:
    with pytest.raises(CatalinaError, match="this node is one process"):
        tree.server.add_worker()
    tree.keeper()
    assert tree.server.add_worker() == 3
    assert tree.server.remove_worker() == 1
    assert tree.crew.changes == [1, -1]
    tree.worker()
    with pytest.raises(CatalinaError, match=r"worker \[0\] cannot"):
        tree.server.add_worker()
