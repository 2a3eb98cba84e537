"""If a node with one worker has a keeper: what the arbiter sees before it forks, and applications that come later."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.errors import ConfigurationError
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.startup.keeper_need import KEEPER, needs_keeper
from catalina.valves.persistent_valve import PersistentValve
from tests.deploy.archives import hello, make_wheel
from tests.startup.hosts import Base, running
from tests.support.stand_in import stand_in

NEEDS = {"requirements.txt": "flask>=3\n"}
SHOP = "[/shop] has processes of its own, because of requirements.txt"


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return Base(tmp_path, auto_deploy=False)


def write(directory: Path, files: dict[str, str]) -> Path:
    for name, text in {"wsgi.py": hello("one"), **files}.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory


def pack(file: Path, files: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in {"wsgi.py": hello("one"), **files}.items():
            archive.writestr(name, text)


def why(base: Base) -> str:
    return needs_keeper(base.server, 1)


def test_a_node_of_light_applications_is_one_process(base: Base) -> None:
    write(base.webapps / "shop", {})
    pack(base.webapps / "pages.war", {"WEB-INF/web.xml": "<web-app/>"})
    make_wheel(base.webapps, "counter", "1", {"counter.py": hello("one")}, entry_point=("counter", "counter:x"))
    (base.webapps / "broken.war").write_text("no archive")
    (base.webapps / ".hidden").mkdir()
    assert why(base) == ""
    assert needs_keeper(base.server, 3) == "it has 3 workers"


def test_a_directory_with_packages_wants_one(base: Base) -> None:
    write(base.webapps / "shop", NEEDS)
    assert why(base) == SHOP


def test_an_archive_with_packages_wants_one(base: Base) -> None:
    pack(base.webapps / "shop##2.zip", NEEDS)
    assert why(base) == SHOP.replace("shop", "shop##2")


def test_a_wheel_wants_one_if_its_requirements_count_here(base: Base) -> None:
    files = {"counter.py": hello("one")}
    point = ("counter", "counter:x")
    make_wheel(base.webapps, "counter", "1", files, entry_point=point, requires=["flask; extra == 'web'"])
    assert why(base) == ""
    make_wheel(base.webapps, "counter", "2", files, entry_point=point, requires=["flask"])
    assert why(base) == "[/counter##2] has processes of its own, because of the wheel's metadata"


@pytest.mark.parametrize("place", ["conf/context.xml", "conf/Catalina/localhost/context.xml.default"])
def test_the_operators_default_counts_and_the_applications_word_counts_more(base: Base, place: str) -> None:
    file = base.directory / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('<Context isolation="shared"/>')
    shop = write(base.webapps / "shop", NEEDS)
    assert why(base) == ""
    write(shop, {"META-INF/context.xml": '<Context isolation="auto"/>'})
    assert why(base) != ""
    base.host.deploy_xml = False
    assert why(base) == "", "the application's own word does not count then"


def test_an_archives_own_word_counts(base: Base) -> None:
    pack(base.webapps / "shop.zip", {"META-INF/context.xml": '<Context isolation="process"/>'})
    assert why(base) == SHOP.replace("requirements.txt", 'isolation="process"')
    pack(base.webapps / "shop.zip", {**NEEDS, "META-INF/context.xml": '<Context isolation="shared"/>'})
    assert why(base) == ""
    pack(base.webapps / "shop.zip", {**NEEDS, "META-INF/context.xml": "<Context"})
    assert why(base) == "", "its deployment says what is wrong"


def test_a_descriptor_counts_for_the_directory_that_it_names(base: Base, tmp_path: Path) -> None:
    outside = write(tmp_path / "srv" / "shop", NEEDS)
    base.descriptors.mkdir(parents=True)
    (base.descriptors / "shop.xml").write_text(f'<Context docBase="{outside}"/>')
    assert why(base) == SHOP
    write(base.webapps / "shop", NEEDS)
    (base.descriptors / "shop.xml").write_text('<Context isolation="shared"/>')
    assert why(base) == "", "the directory is that of the descriptor"
    (base.descriptors / "shop.xml").write_text("<Context")
    assert why(base) == ""


def test_an_application_of_server_xml_counts(base: Base) -> None:
    write(base.webapps / "shop", NEEDS)
    base.host.deploy_on_startup = False
    assert why(base) == "", "nothing is deployed at the start"
    context = StandardContext()
    context.give(path="/shop", doc_base="shop")
    base.host.add_child(context)
    assert why(base) == SHOP


def test_the_property_decides(base: Base) -> None:
    base.server.properties = {KEEPER: "true"}
    assert why(base) == f"{KEEPER}=true"
    write(base.webapps / "shop", NEEDS)
    base.server.properties = {KEEPER: "false"}
    assert why(base) == ""
    base.server.properties = {KEEPER: "yes"}
    with pytest.raises(ConfigurationError, match=r"catalina\.keeper=yes: expected true, false or auto"):
        why(base)


def test_a_server_that_refuses_several_processes_stays_one(base: Base) -> None:
    write(base.webapps / "shop", NEEDS)
    base.host.add_valve(PersistentValve())
    assert why(base) == ""


# -- while the node runs ---------------------------------------------------------------------------------------------


def deploy(base: Base) -> list[bool]:
    """Deploy an application with packages into a node that runs as one process; returns what was asked for."""
    asked: list[bool] = []

    def restarter(limited: bool) -> bool:
        asked.append(limited)
        return True

    base.server.restarter = restarter
    write(base.webapps / "shop", {"fast/_c.abi3.so": ""})
    base.config.check_now("/shop")
    return asked


def test_an_application_that_comes_later_restarts_a_node_that_loses_nothing(base: Base) -> None:
    with running(base):
        assert deploy(base) == [False]
        assert not base.runs("/shop")
        assert base.server.restart_reason == (
            "Application [/shop] has processes of its own, because of fast/_c.abi3.so, and the node has no keeper yet"
        )


def test_a_node_with_sessions_goes_on_and_says_so(base: Base, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    write(base.webapps / "first", {})
    with running(base):
        first = base.context("/first")
        assert first is not None
        assert first.manager is not None
        first.manager.create_session(None)
        assert deploy(base) == []
        assert base.ask("/shop") == "one"
    assert "because of fast/_c.abi3.so, and shares the node's until" in caplog.text
    assert "until the node starts next: it has 1 sessions" in caplog.text


def test_a_member_of_a_group_goes_on(base: Base, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with running(base), pytest.MonkeyPatch.context() as patch:
        patch.setattr(StandardHost, "cluster", stand_in(SimpleTcpCluster))
        assert deploy(base) == []
        assert base.ask("/shop") == "one"
    assert "until the node starts next: it is a member of a group" in caplog.text


@pytest.mark.parametrize("told", [{KEEPER: "false"}, {}])
def test_who_wants_no_keeper_has_none(base: Base, told: dict[str, str]) -> None:
    base.server.properties |= told
    (base.directory / "conf" / "context.xml").write_text('<Context isolation="shared"/>' if not told else "<Context/>")
    with running(base):
        assert deploy(base) == []
        assert base.ask("/shop") == "one"
