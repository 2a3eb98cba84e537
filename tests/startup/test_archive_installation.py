"""Archives that come from outside, and the way back."""

from __future__ import annotations

import os

import pytest

from catalina.core.standard_context import StandardContext
from catalina.deploy.brought_files import COMMAND, FARM
from catalina.errors import DeploymentError
from catalina.util.context_name import ContextName
from tests.deploy.archives import hello, make_wheel, make_zip
from tests.startup.hosts import Base, running
from tests.startup.test_application_deployer import application_files, write_descriptor, write_directory

NAME = ContextName("/shop", "1")
FILE = "shop-1-py3-none-any.whl"


@pytest.fixture
def base(tmp_path):
    with running(Base(tmp_path / "base", auto_deploy=False)) as base:
        yield base


def install(base, text, source=None):
    made = make_wheel(base.directory.parent / "from", "shop", "1", {"shop.py": source or hello(text)})
    return base.config.install_archive(str(made), FILE, NAME)


def test_a_new_archive_runs(base):
    assert install(base, "one")
    assert base.ask("/shop##1") == "one"
    assert sorted(os.listdir(base.webapps)) == ["shop##1", FILE]


def test_a_newer_state_replaces_it_without_a_gap(base):
    install(base, "one")
    context = base.context("/shop##1")
    assert install(base, "two")
    assert base.ask("/shop##1") == "two"
    assert base.context("/shop##1") is context


def test_an_archive_of_the_same_moment_is_another_one_all_the_same(base):
    for text in ("one", "two"):
        made = make_wheel(base.directory.parent / "from", "shop", "1", {"shop.py": hello(text)})
        os.utime(made, ns=(1_700_000_000_000_000_000,) * 2)
        assert base.config.install_archive(str(made), FILE, NAME)
        assert base.ask("/shop##1") == text


def test_what_does_not_start_is_taken_back_file_and_all(base):
    install(base, "one")
    before = (base.webapps / FILE).read_bytes()
    assert not install(base, "", source="application = 1/0\n")
    assert base.ask("/shop##1") == "one"
    assert (base.webapps / FILE).read_bytes() == before
    assert sorted(os.listdir(base.webapps)) == ["shop##1", FILE]
    base.host.auto_deploy = True
    context = base.context("/shop##1")
    base.settle()
    assert base.context("/shop##1") is context
    assert install(base, "three")
    assert base.ask("/shop##1") == "three"


def test_a_broken_archive_is_taken_back_too(base):
    install(base, "one")
    broken = base.directory.parent / "broken"
    broken.write_bytes(b"no zip")
    assert not base.config.install_archive(str(broken), FILE, NAME)
    assert base.ask("/shop##1") == "one"


def test_a_directory_of_the_name_gives_way(base):
    write_directory(base.webapps / "a")
    base.config.check_now("/a")
    (base.webapps / "a/old").touch()
    made = make_zip(base.directory.parent / "from/a.war", application_files(False))
    assert base.config.install_archive(str(made), "a.war", ContextName("/a"))
    assert not (base.webapps / "a/old").exists()
    assert [path.name for path in base.webapps.glob(".catalina-kept-a-*/old")] == ["old"]
    assert base.runs("/a")


def test_an_application_somebody_works_on_is_left_alone(base):
    base.config.try_add_serviced("/shop##1")
    with pytest.raises(DeploymentError, match="is being worked on"):
        install(base, "one")
    assert os.listdir(base.webapps) == []


def test_removing_deletes_archive_and_directory(base):
    install(base, "one")
    assert not base.config.remove_archive(NAME, FARM)
    assert base.config.remove_archive(NAME, COMMAND)
    assert os.listdir(base.webapps) == []
    assert not base.config.remove_archive(NAME, COMMAND)


@pytest.mark.parametrize("kind", ["archive", "directory", "command's archive"])
def test_the_farm_replaces_only_what_the_farm_has_brought(base, kind):
    made = make_zip(base.directory.parent / "from/a.war", {**application_files(False), "new.html": ""})
    if kind == "archive":
        make_zip(base.webapps / "a.war", application_files(False))
    elif kind == "directory":
        write_directory(base.webapps / "a")
    else:
        other = make_zip(base.directory.parent / "other/a.war", application_files(False))
        base.config.install_archive(str(other), "a.war", ContextName("/a"))
    base.config.check_now("/a")
    before = base.context("/a")
    assert before is not None
    with pytest.raises(DeploymentError, match="the farm does not replace it"):
        base.config.install_archive(str(made), "a.war", ContextName("/a"), FARM)
    assert base.context("/a") is before
    assert base.runs("/a")
    assert not (base.webapps / "a/new.html").exists()
    assert made.exists()


def test_the_farm_replaces_what_it_has_brought(base):
    for text in ("one", "two"):
        made = make_wheel(base.directory.parent / "from", "shop", "1", {"shop.py": hello(text)})
        assert base.config.install_archive(str(made), FILE, NAME, FARM)
        assert base.ask("/shop##1") == text
    assert base.config.remove_archive(NAME, FARM)
    assert os.listdir(base.webapps) == []


def test_a_context_of_server_xml_is_not_replaced(base):
    own = StandardContext(path="/a", doc_base=str(write_directory(base.directory / "own")))
    base.host.add_child(own)
    made = make_zip(base.directory.parent / "from/a.war", application_files(False))
    with pytest.raises(DeploymentError, match=r"stands in server\.xml"):
        base.config.install_archive(str(made), "a.war", ContextName("/a"))
    assert os.listdir(base.webapps) == []


def test_an_installation_that_breaks_off_leaves_the_previous_archive(base, monkeypatch):
    install(base, "one")
    before = (base.webapps / FILE).read_bytes()
    made = make_wheel(base.directory.parent / "from", "shop", "1", {"shop.py": hello("two")})

    def break_off(application, by):
        raise KeyboardInterrupt

    monkeypatch.setattr(base.config, "exchange", break_off)
    with pytest.raises(KeyboardInterrupt):
        base.config.install_archive(str(made), FILE, NAME)
    assert (base.webapps / FILE).read_bytes() == before
    assert base.host.brought.brought_by(str(base.webapps / FILE)) == COMMAND


def test_the_farm_renews_an_archive_whose_descriptor_was_copied_from_it_or_is_the_operators(tmp_path):
    base = Base(tmp_path, auto_deploy=False, copy_xml=True)
    write_descriptor(base, "b")
    with running(base):
        for text in ("one", "two"):
            for name in ("a", "b"):
                files = {**application_files(name == "a"), f"{text}.html": text}
                made = make_zip(tmp_path / f"from/{name}.war", files)
                assert base.config.install_archive(str(made), f"{name}.war", ContextName(f"/{name}"), FARM)
                assert (base.webapps / name / f"{text}.html").exists()
        for name in ("a", "b"):
            assert base.config.remove_archive(ContextName(f"/{name}"), FARM)
        assert os.listdir(base.webapps) == []
        assert sorted(os.listdir(base.descriptors)) == ["b.xml"]
