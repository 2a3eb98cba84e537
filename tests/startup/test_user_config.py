from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from catalina.attributes import AttributeRefused
from catalina.startup.catalina import Catalina
from catalina.startup.user_config import UserConfig

SERVER_XML = """\
<Server port="-1"><Service name="Catalina"><Engine name="Catalina" defaultHost="localhost">
<Host name="localhost" appBase="webapps">
<Listener className="org.apache.catalina.startup.UserConfig" {attributes}/>
</Host></Engine></Service></Server>
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name in ("conf", "webapps"):
        (tmp_path / name).mkdir()
    for user in ("ann", "bob", "eve"):
        directory = tmp_path / "home" / user / "public_html"
        directory.mkdir(parents=True)
        (directory / "app.py").write_text("def application(environ, start_response): ...\n")
    (tmp_path / "home" / "without").mkdir()
    return tmp_path


def deployed(base: Path, attributes: str) -> list[str]:
    (base / "conf" / "server.xml").write_text(SERVER_XML.format(attributes=attributes))
    catalina = Catalina(base, base)
    server = catalina.load()
    catalina.start()
    engine = server.services[0].engine
    assert engine is not None
    names = sorted(child.name for host in engine.children for child in host.children)
    catalina.stop()
    return names


HOMES = 'userClass="org.apache.catalina.startup.HomesUserDatabase" homeBase="{base}/home"'


def test_each_home_with_the_directory_is_an_application(base: Path) -> None:
    assert deployed(base, HOMES.format(base=base)) == ["/~ann", "/~bob", "/~eve"]


def test_users_are_chosen_by_expressions_and_deny_wins(base: Path) -> None:
    assert deployed(base, HOMES.format(base=base) + ' allow="ann|eve" deny="e.*"') == ["/~ann"]


def test_the_users_of_the_system_are_the_default(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = pwd.struct_passwd(("ann", "x", 1000, 1000, "", str(base / "home" / "ann"), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwall", lambda: [ann])
    assert deployed(base, "") == ["/~ann"]


def test_homes_without_their_directory_are_an_error(base: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert deployed(base, 'userClass="org.apache.catalina.startup.HomesUserDatabase"') == []
    assert "HomesUserDatabase needs homeBase" in caplog.text


def test_what_is_no_expression_is_refused() -> None:
    with pytest.raises(AttributeRefused, match="a regular expression"):
        UserConfig().set_attribute("allow", "(")


def test_the_class_of_the_applications_is_what_the_listener_names(base: Path, caplog: pytest.LogCaptureFixture) -> None:
    replicated = "org.apache.catalina.ha.context.ReplicatedContext"
    assert deployed(base, HOMES.format(base=base) + f' contextClass="{replicated}"') == ["/~ann", "/~bob", "/~eve"]
    assert deployed(base, HOMES.format(base=base) + ' contextClass="shop.Missing"') == []
    assert "className 'shop.Missing' is not the class of a context" in caplog.text
