"""Privileged applications are closed until an operator opens them."""

from __future__ import annotations

import logging

import pytest

from catalina.startup.privileged_application import is_privileged_directory
from catalina.valves.remote_cidr_valve import RemoteCIDRValve
from tests.startup.hosts import Base, running

OWN = '<Context privileged="true"/>'


@pytest.fixture
def base(tmp_path):
    base = Base(tmp_path / "base")
    for file, text in {"META-INF/context.xml": OWN, "index.html": "hello"}.items():
        path = base.webapps / "tool" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return base


def test_a_directory_that_calls_itself_privileged_is_not_deployed_and_that_is_said_once(base, caplog):
    caplog.set_level(logging.INFO)
    with running(base):
        base.config.check()
        assert base.context("/tool") is None
    said = [record.getMessage() for record in caplog.records if "is not deployed by itself" in record.getMessage()]
    assert len(said) == 1
    assert str(base.descriptors / "tool.xml") in said[0]


def test_a_descriptor_deploys_it_and_only_this_machine_reaches_it(base):
    base.descriptors.mkdir(parents=True)
    (base.descriptors / "tool.xml").write_text(OWN)
    with running(base):
        assert base.runs("/tool")
        base.context("/tool").reload()
        guards = [valve for valve in base.context("/tool").pipeline.valves if isinstance(valve, RemoteCIDRValve)]
        assert len(guards) == 1
        assert guards[0].is_allowed("127.0.0.7")
        assert guards[0].is_allowed("::1")
        assert not guards[0].is_allowed("192.0.2.1")


def test_a_valve_of_the_descriptor_says_who_may_come(base):
    base.descriptors.mkdir(parents=True)
    valve = '<Valve className="org.apache.catalina.valves.RemoteCIDRValve" allow="192.0.2.0/24"/>'
    (base.descriptors / "tool.xml").write_text(f'<Context privileged="true">{valve}</Context>')
    with running(base):
        guards = [valve for valve in base.context("/tool").pipeline.valves if isinstance(valve, RemoteCIDRValve)]
        assert len(guards) == 1
        assert guards[0].is_allowed("192.0.2.1")


def test_an_archive_that_calls_itself_privileged_is_refused(base, caplog):
    from tests.deploy.archives import make_zip

    make_zip(base.webapps / "shop.war", {"META-INF/context.xml": OWN, "index.html": "x"})
    with running(base):
        assert not base.runs("/shop")
    assert "Only a descriptor of an operator may say so" in caplog.text


@pytest.mark.parametrize("text", ["<Context", '<Context privileged="false"/>', "<Context/>"])
def test_what_does_not_say_so_is_not_privileged(tmp_path, text):
    (tmp_path / "META-INF").mkdir()
    (tmp_path / "META-INF" / "context.xml").write_text(text)
    assert not is_privileged_directory(str(tmp_path))
