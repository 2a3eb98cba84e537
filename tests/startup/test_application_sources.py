"""The files in appBase and xmlBase."""

from __future__ import annotations

import os

import pytest

from catalina.errors import DeploymentError
from catalina.startup.application_sources import ApplicationSources
from catalina.util.context_name import ContextName
from tests.deploy.archives import hello, make_wheel, make_zip
from tests.startup.hosts import Base


@pytest.fixture
def base(tmp_path):
    base = Base(tmp_path)
    base.webapps.mkdir()
    base.descriptors.mkdir(parents=True)
    return base


def test_descriptors_archives_and_directories_are_told_apart(base):
    (base.descriptors / "x.xml").write_text("<Context/>")
    (base.descriptors / "context.xml.default").write_text("<Context/>")
    make_zip(base.webapps / "w.war", {"a": ""})
    (base.webapps / "d.war").mkdir()
    (base.webapps / "notes.txt").write_text("")
    sources = ApplicationSources(base.host)
    assert [name for name, _ in sources.descriptors()] == [ContextName("/x")]
    assert [archive.name for archive in sources.archives(at_start=True)] == [ContextName("/w")]
    assert [name for name, _ in sources.directories()] == [ContextName("/d.war")]


def test_a_wheel_is_found_by_the_name_of_its_context(base):
    make_wheel(base.webapps, "dist", "2", {"m.py": hello("x")}, entry_point=("shop", "m:application"))
    archive = ApplicationSources(base.host).archive_named(ContextName("/shop", "2"))
    assert archive is not None
    assert os.path.basename(archive.file) == "dist-2-py3-none-any.whl"
    assert ApplicationSources(base.host).archive_named(ContextName("/shop")) is None


def test_work_in_progress_is_neither_archive_nor_directory(base):
    make_zip(base.webapps / ".catalina-farm-a.war", {"a": ""})
    (base.webapps / ".catalina-unpacking-x").mkdir()
    sources = ApplicationSources(base.host)
    assert (list(sources.archives(at_start=True)), list(sources.directories())) == ([], [])


def test_an_archive_is_read_again_only_when_it_has_changed(base):
    file = make_zip(base.webapps / "a.war", {"a": ""})
    sources = ApplicationSources(base.host)
    first = sources.archive(str(file))
    assert sources.archive(str(file)) is first
    make_zip(base.webapps / "a.war", {"META-INF/context.xml": "<Context/>"})
    assert sources.archive(str(file)).has_context_xml


def test_a_missing_archive_is_an_error(base):
    with pytest.raises(DeploymentError, match="is not there"):
        ApplicationSources(base.host).archive(str(base.webapps / "none.war"))


def test_missing_directories_are_empty(tmp_path):
    sources = ApplicationSources(Base(tmp_path / "none").host)
    assert (list(sources.descriptors()), list(sources.archives()), list(sources.directories())) == ([], [], [])


def test_a_fresh_archive_asks_for_another_look(base):
    make_zip(base.webapps / "a.war", {"a": ""})
    sources = ApplicationSources(base.host)
    assert list(sources.archives()) == []
    assert sources.unsettled
