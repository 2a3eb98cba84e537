"""The commands in the node."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from catalina.errors import CatalinaError, DeploymentError
from catalina.ha.deploy.farm_war_deployer import FarmWarDeployer
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.startup.control_commands import ControlCommands
from tests.deploy.archives import hello, make_wheel
from tests.startup.hosts import Base, running


@pytest.fixture
def base(tmp_path):
    with running(Base(tmp_path / "base", auto_deploy=False)) as base:
        yield base


@pytest.fixture
def run(base):
    def run(verb, file=None, report=lambda *_: None, **arguments):
        commands = ControlCommands(base.server)
        if file is None:
            return commands.run(verb, arguments, None, report)
        with open(file, "rb") as opened:
            return commands.run(verb, {"file": file.name, **arguments}, opened, report)

    return run


def wheel(base, text, source=None):
    return make_wheel(base.directory.parent / "from", "shop", "1", {"shop.py": source or hello(text)})


def test_an_archive_is_deployed_and_its_copying_reported(base, run):
    seen = []
    file = wheel(base, "one")
    assert run("deploy", file, lambda *progress: seen.append(progress)) == ["deployed [/shop##1]"]
    assert base.ask("/shop##1") == "one"
    size = file.stat().st_size
    assert seen == [("copying", size, size), ("starting", 0, 0)]


def test_what_does_not_start_is_an_error_and_the_running_version_stays(base, run):
    run("deploy", wheel(base, "one"))
    with pytest.raises(DeploymentError, match=r"\[/shop##1\] does not start: .*ZeroDivisionError.*shop\.py, line 1"):
        run("deploy", wheel(base, "", source="1/0\napplication = 1\n"))
    assert base.ask("/shop##1") == "one"
    assert sorted(os.listdir(base.webapps)) == ["shop##1", "shop-1-py3-none-any.whl"]


@pytest.mark.parametrize("name", ["x.txt", "../x.whl", ""])
def test_what_is_no_archive_is_refused(base, name):
    with open(os.devnull, "rb") as nothing, pytest.raises(DeploymentError, match=r"is no archive|has a separator"):
        ControlCommands(base.server).run("deploy", {"file": name}, nothing, print)


def test_applications_are_listed(base, run):
    run("deploy", wheel(base, "one"))
    base.context("/shop##1").manager.create_session(None)
    assert run("list") == ["PATH      STATE    SESSIONS  DIRECTORY", "/shop##1  running  1         shop##1"]


def test_an_application_is_reloaded_and_undeployed(base, run):
    run("deploy", wheel(base, "one"))
    assert run("reload", name="/shop##1") == ["reloaded [/shop##1]"]
    assert run("undeploy", name="/shop##1") == ["undeployed [/shop##1]"]
    assert base.context("/shop##1") is None


@pytest.mark.parametrize("verb", ["reload", "undeploy"])
def test_an_unknown_application_is_named(run, verb):
    with pytest.raises(DeploymentError, match="/none"):
        run(verb, name="/none")


def test_a_path_alone_names_an_application_that_has_one_version(base, run):
    run("deploy", wheel(base, "one"))
    assert run("reload", name="/shop") == ["reloaded [/shop##1]"]
    with pytest.raises(DeploymentError, match=r"no application \[/shop##2\] on host localhost; there is \[/shop##1\]"):
        run("reload", name="/shop##2")
    run("deploy", make_wheel(base.directory.parent / "from", "shop", "2", {"shop.py": hello("two")}))
    with pytest.raises(DeploymentError, match=r"no application \[/shop\].*there is \[/shop##1\], \[/shop##2\]"):
        run("environment", name="/shop")


def test_an_application_somebody_works_on_is_not_reloaded(base, run):
    run("deploy", wheel(base, "one"))
    base.config.try_add_serviced("/shop##1")
    with pytest.raises(DeploymentError, match="is being worked on"):
        run("reload", name="/shop##1")


def test_an_unknown_host_or_verb_is_an_error(run):
    with pytest.raises(CatalinaError, match="no host nowhere"):
        run("list", host="nowhere")
    with pytest.raises(CatalinaError, match="no command 'destroy'"):
        run("destroy")


def test_farming_needs_a_farm(base, run):
    with pytest.raises(DeploymentError, match="no FarmWarDeployer with watchEnabled"):
        run("deploy", wheel(base, "one"), farm=True)


class Farm(FarmWarDeployer):
    """A farm with one application."""

    withdrawn: str | None = None

    def is_farmed(self, context):
        return context == "/shop##1"

    def withdraw(self, context):
        self.withdrawn = context
        return f"undeployed [{context}] here and told 2 members"


def test_a_farmed_application_is_undeployed_on_all_nodes_or_not_at_all(base, run, monkeypatch):
    run("deploy", wheel(base, "one"))
    farm = Farm()
    cluster = SimpleTcpCluster()
    cluster.deployer = farm
    monkeypatch.setattr(type(base.host), "cluster", cluster)
    with pytest.raises(DeploymentError, match=r"on all nodes: catalina undeploy --farm /shop##1"):
        run("undeploy", name="/shop##1")
    assert base.runs("/shop##1")
    assert run("undeploy", name="/shop##1", farm=True) == ["undeployed [/shop##1] here and told 2 members"]
    assert farm.withdrawn == "/shop##1"


def test_undeploying_from_the_farm_needs_one(base, run):
    with pytest.raises(DeploymentError, match="has no FarmWarDeployer"):
        run("undeploy", name="/shop##1", farm=True)


def test_what_an_archive_requires_is_named_with_the_cure(base, run):
    file = make_wheel(
        base.directory.parent / "from", "needy", "1", {"needy.py": hello("x")}, requires=["tilly-none>=3"]
    )
    base.host.install_dependencies = False
    with pytest.raises(DeploymentError, match=r"requires what is not here: tilly-none>=3\. installDep"):
        run("deploy", file)
    assert "tilly-none>=3" in run("list")[-1]


def test_a_broken_archive_is_named_as_its_user_named_it(base, run):
    file = base.directory.parent / "bad.whl"
    file.write_bytes(b"no zip")
    with pytest.raises(DeploymentError, match=r"^bad\.whl: "):
        run("deploy", file)


def test_a_reload_that_fails_says_why(base, run):
    directory = base.webapps / "own"
    directory.mkdir()
    (directory / "wsgi.py").write_text(hello("one"))
    base.config.check_now("/own")
    (directory / "wsgi.py").write_text("def application(:\n")
    why = rf"cannot load 'wsgi': SyntaxError: invalid syntax \({directory}/wsgi\.py, line 1\)"
    with pytest.raises(DeploymentError, match=rf"^\[/own\] does not start again: {why}$"):
        run("reload", name="/own")
    head, row = run("list")
    assert head.split() == ["PATH", "STATE", "SESSIONS", "DIRECTORY", "REASON"]
    assert re.fullmatch(rf"/own +failed +- +own +{why}", row)


def test_the_sessions_of_an_application_are_listed_with_their_part(base, run):
    run("deploy", wheel(base, "one"))
    manager = base.context("/shop##1").manager
    assert run("holds", name="/shop##1") == []
    first, second, ended = (manager.create_session(name) for name in ("A", "B", "ENDED"))
    ended.expire()
    assert run("holds", name="/shop##1") == [f"primary  {first.id}", f"primary  {second.id}"]
    with pytest.raises(DeploymentError, match=r"no application \[/nowhere\] on host localhost"):
        run("holds", name="/nowhere")


def test_a_new_state_of_an_archive_is_taken_when_told_to(base, run):
    source = wheel(base, "one")
    target = base.webapps / source.name
    run("deploy", source)
    assert run("check", name="/shop##1") == ["checked [/shop##1]"]
    assert base.ask("/shop##1") == "one"
    shutil.copy(wheel(base, "two"), target)
    run("check", name="/shop##1")
    assert base.ask("/shop##1") == "two"
    shutil.copy(wheel(base, "", source="1/0\napplication = 1\n"), target)
    with pytest.raises(DeploymentError, match="ZeroDivisionError"):
        run("check", name="/shop##1")
    assert base.ask("/shop##1") == "two"
