"""The tables "Changed while running" and "Removed while running" of automatic deployment, row by row."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.archives import make_zip
from tests.startup.hosts import Base, running
from tests.startup.test_application_deployer import (
    CONTEXT_XML,
    application_files,
    present,
    write_descriptor,
    write_directory,
)
from tests.support.narrowing import there


def start(base: Base) -> Iterator[Base]:
    with running(base):
        base.config.sources.settling.quiet = 0.05
        yield base


@pytest.fixture
def make(tmp_path):
    """Start a host with what ``kinds`` names of the application ``a``: X, W, D, or (W), (D) outside."""
    started = []

    def make(kinds: str, **values: object) -> Base:
        base = Base(tmp_path / "base", **values)
        base.webapps.mkdir(parents=True)
        outside = None
        if "(W)" in kinds:
            outside = make_zip(tmp_path / "outside/a.war", application_files(False))
        elif "W" in kinds:
            make_zip(base.webapps / "a.war", application_files(False))
        if "(D)" in kinds:
            outside = write_directory(tmp_path / "outside/a")
        elif "D" in kinds and "W" not in kinds:
            write_directory(base.webapps / "a")
        if "X" in kinds:
            write_descriptor(base, "a", **({"docBase": outside} if outside else {}))
        running_base = start(base)
        next(running_base)
        started.append(running_base)
        assert base.runs("/a")
        base.brought_from = outside
        return base

    yield make
    for running_base in started:
        next(running_base, None)


def touch(file: Path) -> None:
    """Another time, as after an edit."""
    stat = file.stat()
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 2_000_000_000))


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def new_content(war: Path) -> None:
    make_zip(war, {**application_files(False), "new.html": "new"})


# -- changed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kinds", "values"), [("X(D)", {}), ("XD", {}), ("XW", {}), ("X(W)", {"unpack_wars": False})])
def test_a_changed_descriptor_redeploys(make, kinds, values):
    base = make(kinds, **values)
    before = base.context("/a")
    touch(base.descriptors / "a.xml")
    base.settle()
    assert base.runs("/a")
    assert base.context("/a") is not before


@pytest.mark.parametrize("unpack", [True, False])
def test_a_changed_archive_is_deployed_and_its_directory_unpacked_anew(make, unpack):
    base = make("W", unpack_wars=unpack)
    new_content(base.webapps / "a.war")
    base.wait_for(lambda: base.runs("/a") and (there(base.context("/a")).document_root / "new.html").exists())


@pytest.mark.parametrize("kinds", ["XW", "X(W)"])
def test_a_changed_archive_below_a_descriptor_reloads_and_is_unpacked_anew(make, kinds):
    base = make(kinds)
    before = base.context("/a")
    new_content(base.brought_from or base.webapps / "a.war")
    base.wait_for(lambda: base.runs("/a") and (base.webapps / "a/new.html").exists())
    assert base.context("/a") is before


def test_an_archive_with_context_xml_gets_a_new_context(tmp_path):
    base = Base(tmp_path)
    make_zip(base.webapps / "a.war", application_files(True))
    with running(base):
        before = base.context("/a")
        other = CONTEXT_XML.replace("own", "newer")
        make_zip(base.webapps / "a.war", {**application_files(False), "META-INF/context.xml": other})
        base.wait_for(lambda: base.runs("/a") and there(base.context("/a")).parameters["from"] == "newer")
        assert base.context("/a") is not before


@pytest.mark.parametrize("kinds", ["D", "W", "XD"])
def test_a_changed_static_file_or_directory_does_nothing(make, kinds):
    base = make(kinds)
    before = base.context("/a")
    (base.webapps / "a/index.html").write_text("changed")
    touch(base.webapps / "a/index.html")
    touch(base.webapps / "a")
    base.settle()
    assert base.context("/a") is before
    assert present(base)[-1] == "D"


@pytest.mark.parametrize("kinds", ["D", "W", "XD", "X(D)"])
def test_a_changed_web_xml_reloads(make, kinds, caplog):
    caplog.set_level("INFO")
    base = make(kinds)
    before = base.context("/a")
    touch(before.document_root / "WEB-INF/web.xml")
    base.settle()
    assert base.context("/a") is before
    assert [text for text in caplog.messages if text.startswith("Reloading")] == [
        "Reloading context [/a]", "Reloading Context with name [/a] has started",
        "Reloading Context with name [/a] is completed",
    ]  # fmt: skip


def test_a_changed_default_web_xml_reloads_all(make, caplog):
    caplog.set_level("INFO")
    base = make("D")
    write_directory(base.webapps / "b")
    base.wait_for(lambda: base.runs("/b"))
    (base.directory / "conf/web.xml").write_text("<web-app/>")
    base.settle()
    assert {text for text in caplog.messages if text.startswith("Reloading context")} == {
        "Reloading context [/a]", "Reloading context [/b]",
    }  # fmt: skip


def test_a_watched_resource_of_context_xml_reloads(tmp_path, caplog):
    caplog.set_level("INFO")
    base = Base(tmp_path)
    write_directory(base.webapps / "a")
    (base.webapps / "a/META-INF").mkdir()
    watched = "<Context><WatchedResource>settings.ini</WatchedResource></Context>"
    (base.webapps / "a/META-INF/context.xml").write_text(watched)
    (base.webapps / "a/settings.ini").write_text("1")
    with running(base):
        base.config.sources.settling.quiet = 0.05
        touch(base.webapps / "a/settings.ini")
        base.settle()
    assert caplog.messages.count("Reloading context [/a]") == 1


def test_context_xml_added_to_a_directory_redeploys(make):
    base = make("D")
    (base.webapps / "a/META-INF").mkdir()
    (base.webapps / "a/META-INF/context.xml").write_text(CONTEXT_XML)
    base.wait_for(lambda: base.runs("/a") and there(base.context("/a")).parameters.get("from") == "own")


@pytest.mark.parametrize("kinds", ["D", "W", "XD"])
@pytest.mark.parametrize("name", ["conf/context.xml", "conf/Catalina/localhost/context.xml.default"])
def test_changed_global_context_files_redeploy_all(make, kinds, name):
    base = make(kinds)
    before = base.context("/a")
    (base.directory / name).write_text("<Context/>")
    base.wait_for(lambda: base.runs("/a") and base.context("/a") is not before)
    remove(base.directory / name)
    base.settle()
    assert base.runs("/a")


@pytest.mark.parametrize("kinds", ["D", "W"])
def test_a_descriptor_added_redeploys_with_it(make, kinds):
    base = make(kinds)
    write_descriptor(base, "a")
    base.wait_for(lambda: base.runs("/a") and there(base.context("/a")).parameters.get("from") == "X")


def test_an_archive_added_beside_a_directory_replaces_it(make):
    base = make("D")
    (base.webapps / "a/old.html").touch()
    new_content(base.webapps / "a.war")
    base.wait_for(lambda: base.runs("/a") and (base.webapps / "a/new.html").exists())
    assert not (base.webapps / "a/old.html").exists()
    assert [path.name for path in base.webapps.glob(".catalina-kept-a-*/old.html")] == ["old.html"]


def test_a_directory_added_beside_a_packed_archive_is_ignored_and_said_once(make, caplog):
    base = make("W", unpack_wars=False)
    before = base.context("/a")
    write_directory(base.webapps / "a")
    base.settle()
    said = [text for text in caplog.messages if "will be ignored because the WAR" in text]
    assert len(said) == 1
    assert base.context("/a") is before


@pytest.mark.parametrize("reloadable", [True, False])
def test_changed_code_reloads_only_a_reloadable_application(tmp_path, reloadable):
    base = Base(tmp_path)
    (base.webapps / "a").mkdir(parents=True)
    (base.webapps / "a/wsgi.py").write_text("application = lambda environ, start: [b'one']\n")
    (base.webapps / "a/META-INF").mkdir()
    (base.webapps / "a/META-INF/context.xml").write_text(f'<Context reloadable="{str(reloadable).lower()}"/>')
    with running(base):
        assert base.ask("/a") == "one"
        (base.webapps / "a/wsgi.py").write_text("application = lambda environ, start: [b'another']\n")
        base.engine.tick()
        assert base.ask("/a") == ("another" if reloadable else "one")


# -- removed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "values", "removed", "left", "runs"),
    [
        ("D", {}, "D", "", False),
        ("W", {"unpack_wars": False}, "W", "", False),
        ("W", {}, "D", "WD", True),
        ("W", {}, "W", "", False),
        ("X(D)", {}, "X", "", False),
        ("XD", {"copy_xml": True}, "D", "X", False),
        ("XD", {}, "X", "D", True),
        ("XW", {"unpack_wars": False, "copy_xml": True}, "W", "X", False),
        ("XW", {"copy_xml": True}, "W", "X", False),
        ("XW", {}, "X", "WD", True),
        ("XW", {"unpack_wars": False}, "X", "W", True),
        ("XW", {}, "D", "XWD", True),
        ("X(W)", {}, "X", "", False),
    ],
)
def test_removed(make, kinds, values, removed, left, runs):
    base = make(kinds, **values)
    remove({"X": base.descriptors / "a.xml", "W": base.webapps / "a.war", "D": base.webapps / "a"}[removed])
    base.settle()
    assert (present(base), base.runs("/a")) == (left, runs)
    assert base.brought_from is None or base.brought_from.exists()


@pytest.mark.parametrize("kinds", ["X(D)", "X(W)"])
def test_with_outside_files_removed_the_descriptor_stays_and_its_start_fails(make, kinds):
    base = make(kinds)
    remove(base.brought_from)
    base.settle()
    assert (present(base), base.runs("/a")) == ("X", False)


def test_a_descriptor_of_the_operator_stays_when_its_directory_goes(make):
    base = make("XD")
    remove(base.webapps / "a")
    base.settle()
    assert (present(base), base.runs("/a")) == ("X", False)


def test_a_descriptor_that_was_copied_comes_back(tmp_path):
    base = Base(tmp_path, copy_xml=True)
    write_directory(base.webapps / "a", context_xml=True)
    with running(base):
        base.config.sources.settling.quiet = 0.05
        remove(base.descriptors / "a.xml")
        base.settle()
        assert (present(base), base.runs("/a")) == ("XD", True)


def test_a_file_that_is_gone_for_a_moment_is_not_removed(make):
    base = make("W", unpack_wars=False)
    before = base.context("/a")
    (base.webapps / "a.war").rename(base.webapps / "b.tmp")
    base.config.check()
    (base.webapps / "b.tmp").rename(base.webapps / "a.war")
    base.settle()
    assert base.context("/a") is before


def test_undeploying_root_shows_an_empty_name(tmp_path, caplog):
    caplog.set_level("INFO")
    base = Base(tmp_path)
    write_directory(base.webapps / "ROOT")
    with running(base):
        base.config.sources.settling.quiet = 0.05
        remove(base.webapps / "ROOT")
        base.settle()
    assert "Undeploying context []" in caplog.messages


def test_a_descriptor_added_beside_a_packed_archive_redeploys_with_it(make):
    base = make("W", unpack_wars=False)
    write_descriptor(base, "a")
    base.wait_for(lambda: base.runs("/a") and there(base.context("/a")).parameters.get("from") == "X")
    assert present(base) == "XW"


def test_a_directory_beside_an_archive_outlives_the_archive(tmp_path):
    base = Base(tmp_path)
    write_directory(base.webapps / "a")
    (base.webapps / "a/mine.txt").write_text("mine")
    make_zip(base.webapps / "a.war", application_files(False))
    with running(base):
        base.config.sources.settling.quiet = 0.05
        assert (base.webapps / "a/mine.txt").read_text() == "mine"
        remove(base.webapps / "a.war")
        base.settle()
        assert (present(base), base.runs("/a")) == ("D", True)
    assert (base.webapps / "a/mine.txt").read_text() == "mine"
