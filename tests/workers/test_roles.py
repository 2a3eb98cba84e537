"""How a tree of components becomes a keeper or a worker."""

from collections.abc import Iterator

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.errors import LifecycleError
from catalina.ha.session.backup_manager import BackupManager
from catalina.ha.session.cluster_manager_base import ClusterManagerBase
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.session.standard_manager import StandardManager
from catalina.workers.keeper_backup_manager import KeeperBackupManager
from catalina.workers.roles import KeeperRole, WorkerRole, manager_key
from catalina.workers.shared_parts import SharedParts
from catalina.workers.worker_cluster import WorkerCluster
from catalina.workers.worker_manager import WorkerManager


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

    def keeper(self) -> KeeperRole:
        role = KeeperRole(self.server, self.shared.listening, 0)
        self.server.role = role
        return role

    def worker(self) -> WorkerRole:
        role = WorkerRole(self.server, self.shared, 0, lambda: None)
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
    with pytest.raises(LifecycleError, match=r"OwnManager cannot be used with several workers"):
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


def test_only_the_keeper_looks_at_files(tree: Tree) -> None:
    tree.worker()
    assert not tree.host.auto_deploy
