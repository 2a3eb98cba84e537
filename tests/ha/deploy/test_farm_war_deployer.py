"""The Deployer element: directories and messages of one node. The farm itself: tests/cluster/test_farm.py."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from catalina.errors import ConfigurationError, DeploymentError, ProtocolError
from catalina.ha.deploy.farm_introductions import FarmIntroductions
from catalina.ha.deploy.farm_war_deployer import FarmWarDeployer, WarWatcher
from catalina.ha.deploy.file_message import FileMessage
from catalina.ha.deploy.undeploy_message import UndeployMessage
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.mbeans.managed_bean import ManagedBean
from tests.deploy.archives import hello, make_wheel, make_zip
from tests.ha.deploy.farm import FakeChannel, FakeCluster, farm_file, member
from tests.startup.hosts import Base, running
from tests.support.waiting import wait_until

ONE = member(1)


class Cluster(FakeCluster):
    """A cluster without a channel."""

    def __init__(self, container):
        super().__init__()
        self.container, self.members, self.listeners = container, (), []
        self.channel: Any = None

    def add_cluster_listener(self, listener):
        self.listeners.append(listener)

    def remove_cluster_listener(self, listener):
        self.listeners.remove(listener)


def as_cluster(cluster: Any) -> Any:
    """A deployer asks no more of its cluster than this one has."""
    return cluster


def _is_logged(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return text in caplog.text


@pytest.fixture
def base(tmp_path):
    with running(Base(tmp_path, auto_deploy=False)) as base:
        yield base


@pytest.fixture
def make(base):
    made = []

    def make(**values):
        deployer = FarmWarDeployer(**values)
        deployer.cluster = as_cluster(Cluster(base.host))
        made.append(deployer)
        deployer.start()
        return deployer

    yield make
    for deployer in made:
        deployer.stop()


def java_piece(path, name, context):
    data = path.read_bytes()
    return FileMessage(name, context, data, 1, 1, padding=b"")


def test_directories_are_relative_to_the_base_and_made(base, make):
    make(temp_dir="t/", watch_dir="w/", watch_enabled=True)
    assert os.path.isdir(base.directory / "t")
    assert os.path.isdir(base.directory / "w")


@pytest.mark.parametrize("watch", ["webapps", "webapps/inner", "./webapps/../webapps"])
def test_a_watched_directory_in_the_deployed_one_is_refused_with_both_places(base, make, watch):
    with pytest.raises(ConfigurationError) as error:
        make(watch_dir=watch, watch_enabled=True)
    assert f"[{base.directory}/{watch}]" in str(error.value)
    assert f"[{base.webapps}]" in str(error.value)


def test_without_watching_the_watched_directory_does_not_matter(make):
    make(watch_dir="webapps")


def test_watching_needs_a_directory(make):
    with pytest.raises(ConfigurationError, match="watchEnabled needs a watchDir"):
        make(watch_enabled=True)


def test_a_deployed_directory_that_is_not_app_base_is_warned_of(make, caplog):
    make(deploy_dir="elsewhere")
    assert "what the farm puts there does not run" in caplog.text


def test_under_an_engine_it_says_so_and_does_nothing(base, caplog):
    deployer = FarmWarDeployer()
    deployer.cluster = as_cluster(Cluster(base.engine))
    deployer.start()
    assert "FarmWarDeployer can only work as host cluster subelement!" in caplog.text
    deployer.background_process()
    deployer.stop()


def test_javas_file_runs_and_javas_removal_removes_it(base, make, tmp_path):
    deployer = make()
    wheel = make_wheel(tmp_path / "from", "shop", "1", {"shop.py": hello("java")})
    message = java_piece(wheel, wheel.name, "/shop##1")
    assert deployer.accept(message)
    deployer.message_received(message, ONE)
    wait_until(lambda: base.ask("/shop##1") == "java", "it runs")
    deployer.message_received(UndeployMessage("/shop##1", 0), ONE)
    wait_until(lambda: base.context("/shop##1") is None and os.listdir(base.webapps) == [], "it is gone")


def test_a_file_that_is_no_archive_is_said_and_leaves_nothing(base, make, caplog):
    deployer = make()
    deployer.message_received(FileMessage("a.war", "/a", b"no zip", 1, 1), ONE)
    wait_until(lambda: "[a.war] from the farm cannot be installed" in caplog.text, "refused")
    assert os.listdir(base.webapps) == []
    wait_until(lambda: list(base.directory.glob("temp/farm/*/*")) == [], "removed")


def test_a_bad_piece_is_said_and_no_fault_of_the_channel(make, caplog):
    make().message_received(FileMessage("../a.war", "/a", b"x", 1, 1), ONE)
    assert (
        "Piece of [../a.war] from tcp://127.0.0.1:1 refused: piece of a file: refused: file name '../a.war'"
        in caplog.text
    )


def test_the_size_of_archives_is_bounded(base, make, tmp_path, caplog):
    deployer = make(max_war_size=10, watch_dir="w", watch_enabled=True)
    deployer.message_received(FileMessage("a.war", "/a", b"x" * 11, 1, 1), ONE)
    assert "limit 10" in caplog.text
    make_wheel(base.directory / "w", "shop", "1", {"shop.py": hello("x")})
    wait_until(lambda: "maxWarSize is 10" in caplog.text, "refused")


def test_progress_tells_of_incoming_files(make):
    deployer = make()
    assert deployer.progress == ""
    deployer.message_received(FileMessage("a.war", "/a", b"x" * 100, 1, 4), ONE)
    assert deployer.progress == "receiving a.war 25% 100/400 bytes"


def test_a_stalled_transfer_goes_at_a_tick(make, caplog):
    deployer = make(max_valid_time=0)
    deployer.message_received(FileMessage("a.war", "/a", b"x", 1, 4), ONE)
    wait_until(lambda: (deployer.background_process(), deployer.progress == "")[1], "dropped")


def test_started_again_it_works_again(base, make, tmp_path):
    deployer = make(watch_dir="w", watch_enabled=True)
    deployer.stop()
    deployer.start()
    make_wheel(base.directory / "w", "shop", "1", {"shop.py": hello("again")})
    wait_until(lambda: base.ask("/shop##1") == "again", "it runs")


# -- what the farm has not brought -------------------------------------------------------------------------------


def test_what_this_nodes_operator_has_laid_is_neither_replaced_nor_removed(base, make, tmp_path, caplog):
    deployer = make()
    laid = make_zip(base.webapps / "a.war", {"WEB-INF/web.xml": "<web-app/>", "mine.txt": "mine"})
    (base.webapps / "d/WEB-INF").mkdir(parents=True)
    (base.webapps / "d/mine.txt").write_text("mine")
    base.config.deploy_apps(at_start=True)
    for name in ("a", "d"):
        sent = make_zip(tmp_path / f"from/{name}.war", {"WEB-INF/web.xml": "<web-app/>", "theirs.txt": "x"})
        deployer.message_received(java_piece(sent, f"{name}.war", f"/{name}"), ONE)
        said = f"[{name}.war] from the farm cannot be installed: [/{name}] was not brought by the farm"
        wait_until(partial(_is_logged, caplog, said), said)
        deployer.message_received(UndeployMessage(f"/{name}", 0), ONE)
        said = f"There is no web app [/{name}] that the farm has brought; nothing is removed"
        wait_until(partial(_is_logged, caplog, said), said)
        assert base.runs(f"/{name}")
        assert (base.webapps / name / "mine.txt").read_text() == "mine"
    assert laid.exists()


@pytest.mark.parametrize("context", ["/..", "/a/../b", "/a##../..", "", "a", "/x\n", "/\ud800"])
def test_a_removal_of_what_can_be_no_context_is_refused(context):
    if context == "":  # the root application
        assert UndeployMessage.decode(UndeployMessage(context, 1).encode()).context_name == ""
        return
    with pytest.raises(ProtocolError):
        UndeployMessage.decode(UndeployMessage(context, 1).encode())


# -- several nodes, and what the values mean ---------------------------------------------------------------------


def test_nodes_that_share_a_temp_dir_have_a_state_each(tmp_path):
    shared = tmp_path / "war-temp"
    deployers = []
    for name in ("one", "two"):
        base = Base(tmp_path / name, auto_deploy=False)
        base.server.start()
        deployer = FarmWarDeployer(temp_dir=str(shared))
        deployer.cluster = as_cluster(Cluster(base.host))
        deployer.start()
        deployers.append((deployer, base))
    try:
        deployers[0][0].message_received(FileMessage("a.war", "/a", b"x", 1, 4), ONE)
        deployers[0][0].state.put(farm_file())
        again = FarmWarDeployer(temp_dir=str(shared))
        again.cluster = as_cluster(Cluster(deployers[1][1].host))
        again.start()
        deployers.append((again, deployers[1][1]))
        assert again.state.files == []
        assert deployers[0][0].progress.startswith("receiving a.war"), "what another node is receiving stays"
        assert len(list(shared.glob("*/incoming-*/a.war"))) == 1
        assert len(list(shared.glob("*/farm-state.json"))) == 1
    finally:
        for deployer, _ in deployers:
            deployer.stop()
        for _, base in deployers[:2]:
            base.server.stop()
            base.server.destroy()


def test_what_the_values_mean_is_said_with_what_to_change(make, caplog):
    caplog.set_level("INFO")
    make(temp_dir="t", deploy_dir="elsewhere", watch_dir="w", watch_enabled=False)
    assert 'Set deployDir="webapps"' in caplog.text
    assert 'set watchEnabled="true" and watchDir' in caplog.text


@pytest.mark.parametrize("guarded", [False, True])
def test_a_channel_that_anybody_can_join_is_warned_of(base, caplog, guarded):
    deployer = FarmWarDeployer()
    cluster = Cluster(base.host)
    deployer.cluster = as_cluster(cluster)
    channel: Any = FakeChannel()
    cluster.channel = channel
    channel.is_guarded, channel.members = guarded, ()
    for name in (
        "add_channel_listener",
        "add_membership_listener",
        "remove_channel_listener",
        "remove_membership_listener",
    ):
        setattr(channel, name, lambda listener: None)
    deployer.start()
    deployer.stop()
    assert ("can pass for a member" in caplog.text) is not guarded


def test_the_encrypting_layer_is_one_that_keeps_strangers_out():
    encrypting = pytest.importorskip("catalina.tribes.group.interceptors.encrypt_interceptor")
    assert encrypting.EncryptInterceptor.keeps_strangers_out


def test_it_can_be_looked_at_while_it_runs(make):
    bean = ManagedBean(make())
    values = dict(bean.items())
    assert values["progress"] == ""
    assert "stateName" not in values


# -- withdrawing -------------------------------------------------------------------------------------------------


def test_a_farmed_application_is_withdrawn_everywhere(base, make, tmp_path):
    deployer = make(watch_dir="w", watch_enabled=True)
    deployer.cluster.members = (ONE,)
    wheel = make_wheel(base.directory / "w", "shop", "1", {"shop.py": hello("x")})
    wait_until(lambda: deployer.is_farmed("/shop##1"), "it is farmed")
    assert deployer.withdraw("/shop##1") == "undeployed [/shop##1] here and told 1 members"
    assert base.context("/shop##1") is None
    assert not wheel.exists()
    assert os.listdir(base.webapps) == []
    wait_until(lambda: any(isinstance(each, UndeployMessage) for each, _ in deployer.cluster.sent), "members are told")
    with pytest.raises(DeploymentError, match="is no application of the farm"):
        deployer.withdraw("/shop##1")


def test_what_listens_for_the_farm_hears_members_only():
    for listener in (FarmWarDeployer, FarmIntroductions, SimpleTcpCluster):
        assert not getattr(listener, "hears_strangers", False)


@pytest.fixture
def watcher(tmp_path):
    (tmp_path / "listen").mkdir()
    watcher = WarWatcher(str(tmp_path / "listen"))
    watcher.settling.quiet = 0.0
    return watcher


def put(watcher, name="a.war", content="x"):
    return make_zip(Path(watcher.directory) / name, {content: ""})


def test_new_and_changed_archives_are_told_once(watcher):
    put(watcher)
    assert watcher.look() == ["a.war"]
    assert watcher.look() == []
    put(watcher, content="y")
    assert watcher.look() == ["a.war"]


def test_other_files_and_hidden_ones_are_none(watcher):
    put(watcher, "notes.txt")
    put(watcher, ".a.war")
    assert watcher.look() == []


def test_an_archive_that_is_being_copied_waits(watcher):
    watcher.settling.quiet = 60.0
    put(watcher)
    assert watcher.look() == []
    assert watcher.unsettled


def test_a_file_is_gone_when_it_stays_away(watcher):
    file = put(watcher)
    watcher.look()
    assert not watcher.is_gone("a.war")
    file.unlink()
    watcher.settling.quiet = 60.0
    assert not watcher.is_gone("a.war")
    assert watcher.unsettled
    watcher.settling.quiet = 0.0
    assert watcher.is_gone("a.war")


def test_a_directory_that_is_not_there_means_nothing_is_gone(tmp_path):
    watcher = WarWatcher(str(tmp_path / "none"))
    assert watcher.look() == []
    assert not watcher.is_gone("a.war")
