"""Where an application made from an archive runs, and the way back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.deploy.archive import read_archive
from catalina.deploy.brought_files import BroughtFiles
from catalina.deploy.exploding import STAGING_PREFIX
from catalina.errors import DeploymentError
from catalina.startup.application_root import ApplicationRoot, put_in_place, stage
from tests.deploy.archives import hello, make_wheel, make_zip
from tests.startup.hosts import Base
from tests.support.narrowing import there


@pytest.fixture
def base(tmp_path):
    base = Base(tmp_path)
    base.webapps.mkdir()
    return base


def root_of(base, content, unpack=True):
    file = make_zip(base.webapps / "a.war", {"index.html": content})
    root = ApplicationRoot(base.host, read_archive(str(file)), "a")
    root.prepare(unpack)
    return root


def test_unpacked_it_is_a_directory_in_app_base(base):
    root = root_of(base, "one")
    assert root.move_in(True) == str(base.webapps / "a")
    root.close()
    assert sorted(os.listdir(base.webapps)) == ["a", "a.war"]


def test_packed_it_runs_from_the_work_directory(base):
    root = root_of(base, "one", unpack=False)
    assert root.move_in(False).startswith(str(base.host.work_path / "a"))
    root.close()
    assert os.listdir(base.webapps) == ["a.war"]


def test_a_directory_that_fits_the_archive_is_kept(base):
    root_of(base, "one").move_in(True)
    (base.webapps / "a/index.html").write_text("edited")
    again = ApplicationRoot(base.host, read_archive(str(base.webapps / "a.war")), "a")
    assert again.prepare(True) == again.move_in(True) == str(base.webapps / "a")
    assert (base.webapps / "a/index.html").read_text() == "edited"
    assert not again.move_back()


def test_the_previous_directory_can_be_restored(base):
    first = root_of(base, "one")
    first.move_in(True)
    first.close()
    second = root_of(base, "two")
    second.move_in(True)
    assert (base.webapps / "a/index.html").read_text() == "two"
    assert second.move_back()
    second.close()
    assert (base.webapps / "a/index.html").read_text() == "one"
    assert sorted(os.listdir(base.webapps)) == ["a", "a.war"]


def test_without_being_moved_in_nothing_changes(base):
    first = root_of(base, "one")
    first.move_in(True)
    first.close()
    root_of(base, "two").close()
    assert (base.webapps / "a/index.html").read_text() == "one"


def test_the_hosts_limits_count(base):
    base.host.max_unpacked_size = 10
    with pytest.raises(DeploymentError, match="more than 10 bytes unpacked"):
        root_of(base, "x" * 11)


def test_a_missing_requirement_is_named(base):
    file = make_wheel(base.webapps, "shop", "1", {"shop.py": hello("x")}, requires=["tilly-none"])
    root = ApplicationRoot(base.host, read_archive(str(file)), "shop##1")
    root.prepare(True)
    with pytest.raises(DeploymentError, match="requires what is not here: tilly-none"):
        root.check_requirements(StandardContext(install_dependencies=False))
    root.close()
    assert os.listdir(base.webapps) == [file.name]


def test_a_directory_that_was_made_from_no_archive_is_kept_and_used(base, caplog):
    (base.webapps / "a").mkdir()
    (base.webapps / "a/mine.txt").write_text("mine")
    root = root_of(base, "one")
    assert root.move_in(True) == str(base.webapps / "a")
    root.close()
    assert os.listdir(base.webapps / "a") == ["mine.txt"]
    assert "was not made from the archive" in caplog.text


def test_the_directory_of_another_server_is_moved_aside_when_its_archive_has_changed(base, caplog):
    (base.webapps / "a/META-INF").mkdir(parents=True)
    (base.webapps / "a/META-INF/war-tracker").touch()
    (base.webapps / "a/mine.txt").write_text("mine")
    root = root_of(base, "one")
    root.move_in(True)
    root.close()
    assert (base.webapps / "a/index.html").read_text() == "one"
    assert [path.read_text() for path in base.webapps.glob(".catalina-kept-a-*/mine.txt")] == ["mine"]
    assert "was not brought by this server" in caplog.text


def test_what_was_moved_aside_comes_back_when_the_new_one_does_not_start(base):
    (base.webapps / "a/META-INF").mkdir(parents=True)
    (base.webapps / "a/META-INF/war-tracker").touch()
    root = root_of(base, "one")
    root.move_in(True)
    assert root.move_back()
    root.close()
    assert os.listdir(base.webapps / "a") == ["META-INF"]
    assert sorted(os.listdir(base.webapps)) == ["a", "a.war"]


def test_a_file_in_the_way_is_not_replaced(base):
    (base.webapps / "a").write_text("mine")
    with pytest.raises(DeploymentError, match="is in the way"):
        root_of(base, "one")
    assert (base.webapps / "a").read_text() == "mine"
    assert sorted(os.listdir(base.webapps)) == ["a", "a.war"]


@pytest.fixture
def brought(tmp_path):
    return BroughtFiles(str(tmp_path / "work/.brought.json"), {"appBase": str(tmp_path / "apps")})


def test_an_archive_is_staged_beside_its_place_and_put_there(tmp_path, brought):
    archive = read_archive(str(make_zip(tmp_path / "w/a.war", {"index.html": "new"})))
    staged = stage(brought, archive, str(tmp_path / "apps"))
    assert [name.startswith(STAGING_PREFIX) for name in os.listdir(tmp_path / "apps")] == [True]
    assert put_in_place(brought, staged, str(tmp_path / "apps/a")) is None
    assert os.listdir(tmp_path / "apps") == ["a"]
    assert (tmp_path / "apps/a/index.html").read_text() == "new"


def test_what_stood_there_is_kept_aside(tmp_path, brought):
    (tmp_path / "apps/a").mkdir(parents=True)
    (tmp_path / "apps/a/old").touch()
    staged = stage(brought, read_archive(str(make_zip(tmp_path / "w/a.war", {"new": ""}))), str(tmp_path / "apps"))
    old = there(put_in_place(brought, staged, str(tmp_path / "apps/a")))
    assert os.listdir(old) == ["old"]
    assert os.path.basename(os.path.dirname(old)).startswith(STAGING_PREFIX)


def test_a_refused_archive_leaves_nothing(tmp_path, brought):
    archive = read_archive(str(make_zip(tmp_path / "w/a.war", {"../x": ""})))
    with pytest.raises(DeploymentError):
        stage(brought, archive, str(tmp_path / "apps"))
    assert os.listdir(tmp_path / "apps") == []


def test_an_archive_that_changes_meanwhile_is_refused(tmp_path, brought, monkeypatch):
    file = make_zip(tmp_path / "w/a.war", {"index.html": ""})
    monkeypatch.setattr("catalina.startup.application_root.is_current", lambda *_: False)
    with pytest.raises(DeploymentError, match="changed while it was unpacked"):
        stage(brought, read_archive(str(file)), str(tmp_path / "apps"))
    assert os.listdir(tmp_path / "apps") == []


def test_what_cannot_be_replaced_is_as_before(tmp_path, brought):
    staged = stage(brought, read_archive(str(make_zip(tmp_path / "w/a.war", {"new": ""}))), str(tmp_path / "apps"))
    with pytest.raises(OSError, match=r"busy|not empty|Invalid"):
        put_in_place(brought, staged, str(tmp_path / "apps/.."))
    brought.end_stage(os.path.dirname(staged))
    assert os.listdir(tmp_path / "apps") == []


def apart(base, content):
    file = make_zip(base.webapps / "a.war", {"index.html": content})
    root = ApplicationRoot(base.host, read_archive(str(file)), "a")
    root.prepare(True)
    root.keep_apart()
    root.prepare(True)
    return root


def test_versions_that_are_kept_apart_lie_beside_each_other(base):
    root_of(base, "zero").move_in(True)
    first = apart(base, "one")
    one = first.move_in(True)
    first.close()
    first.sweep()
    assert not (base.webapps / "a").exists(), "what was unpacked there is of an earlier version"
    second = apart(base, "two and more")
    two = second.move_in(True)
    second.close()
    read = [Path(directory, "index.html").read_text() for directory in (one, two)]
    assert read == ["one", "two and more"]
    assert os.path.dirname(one) == os.path.dirname(two) == str(base.host.work_path / "a" / "versions")
    second.sweep([one])
    assert len(os.listdir(os.path.dirname(one))) == 2
    second.sweep()
    assert os.listdir(os.path.dirname(one)) == [os.path.basename(two)]


def test_a_version_that_is_withdrawn_leaves_the_one_before(base):
    first = apart(base, "one")
    one = first.move_in(True)
    first.close()
    second = apart(base, "two and more")
    second.move_in(True)
    second.withdraw()
    second.close()
    assert os.listdir(os.path.dirname(one)) == [os.path.basename(one)]
    assert apart(base, "one").directory != one, "another time is another version"


def test_a_new_place_in_app_base_is_withdrawn_too(base):
    root = root_of(base, "one")
    root.move_in(True)
    root.withdraw()
    root.close()
    assert os.listdir(base.webapps) == ["a.war"]


def test_an_operators_directory_in_app_base_stays_where_versions_are_kept_apart(base):
    (base.webapps / "a").mkdir()
    root = apart(base, "one")
    root.move_in(True)
    root.close()
    root.sweep()
    assert (base.webapps / "a").is_dir()
