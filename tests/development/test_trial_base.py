"""The base of a trial, as its node reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.development.project import Project
from catalina.development.trial_base import Meeting, TrialBase, free_port
from catalina.startup.catalina import Catalina
from catalina.startup.config_test import ConfigTest

WSGI = "def application(environ, start_response): ...\n"


def project(directory: Path, callable: str = "", travels: bool = False) -> Project:
    directory.mkdir()
    (directory / "wsgi.py").write_text(WSGI)
    return Project(directory, callable, travels, directory)


@pytest.mark.parametrize("meeting", [None, Meeting(), Meeting(manager="BackupManager", options=8)])
def test_the_container_understands_all_of_it(tmp_path: Path, meeting: Meeting | None) -> None:
    base = TrialBase(tmp_path / "a & b", project(tmp_path / "shop"), "/shop", free_port(), meeting=meeting)
    base.write()
    test = ConfigTest(Catalina(base.directory, base.directory))
    lines = list(test.run())
    assert not test.failed, lines
    assert "0 errors, 0 warnings" in "\n".join(lines)


def test_the_context_names_the_project_and_keeps_its_sessions(tmp_path: Path) -> None:
    base = TrialBase(tmp_path / "base", project(tmp_path / "<shop>"), "/a/b")
    base.write()
    text = (base.directory / "conf" / "Catalina" / "localhost" / "a#b.xml").read_text()
    assert f'docBase="{tmp_path}/&lt;shop&gt;"' in text
    assert 'pathname="SESSIONS.ser"' in text
    assert 'asgi="wrap"' in text
    assert "altDDName" not in text


def test_only_the_nodes_of_a_group_name_themselves_in_the_access_log(tmp_path: Path) -> None:
    shop = project(tmp_path / "shop")
    for name, meeting, written in (("alone", None, 'node=""'), ("member", Meeting(), 'node="node2"')):
        TrialBase(tmp_path / name, shop, name="node2", meeting=meeting).write()
        assert written in (tmp_path / name / "conf" / "server.xml").read_text()


def test_a_callable_and_a_group_need_a_descriptor(tmp_path: Path) -> None:
    base = TrialBase(tmp_path / "base", project(tmp_path / "shop", "wsgi:application"), meeting=Meeting())
    base.write()
    text = (base.directory / "conf" / "application.xml").read_text()
    assert "<servlet-class>wsgi:application</servlet-class>" in text
    assert "<distributable/>" in text
    assert "<Manager" not in (base.directory / "conf" / "Catalina" / "localhost" / "ROOT.xml").read_text()


def test_an_own_descriptor_holds(tmp_path: Path) -> None:
    shop = project(tmp_path / "shop")
    (shop.root / "WEB-INF").mkdir()
    (shop.root / "WEB-INF" / "web.xml").write_text("<web-app/>")
    base = TrialBase(tmp_path / "base", shop, meeting=Meeting())
    base.write()
    assert not (base.directory / "conf" / "application.xml").exists()
