"""The Deployer element: directories and messages of one node. The farm itself: tests/cluster/test_farm.py."""

from __future__ import annotations

import os

import pytest

from catalina.errors import ConfigurationError
from catalina.ha.deploy.farm_war_deployer import FarmWarDeployer
from catalina.ha.deploy.file_message import FileMessage
from catalina.ha.deploy.undeploy_message import UndeployMessage
from tests.cluster.node import wait_until
from tests.deploy.archives import hello, make_wheel
from tests.ha.deploy.farm import FakeCluster, member
from tests.startup.hosts import Base, running

ONE = member(1)


class Cluster(FakeCluster):
    """A cluster without a channel."""

    def __init__(self, container):
        super().__init__()
        self.container, self.channel, self.members, self.listeners = container, None, (), []

    def add_cluster_listener(self, listener):
        self.listeners.append(listener)

    def remove_cluster_listener(self, listener):
        self.listeners.remove(listener)


@pytest.fixture
def base(tmp_path):
    with running(Base(tmp_path, auto_deploy=False)) as base:
        yield base


@pytest.fixture
def make(base):
    made = []

    def make(**values):
        deployer = FarmWarDeployer(**values)
        deployer.cluster = Cluster(base.host)
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
    deployer.cluster = Cluster(base.engine)
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
    wait_until(lambda: os.listdir(base.directory / "temp/farm") == [], "removed")


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
