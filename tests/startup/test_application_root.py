"""Where an application made from an archive runs, and the way back."""

from __future__ import annotations

import os

import pytest

from catalina.core.standard_context import StandardContext
from catalina.deploy.archive import read_archive
from catalina.errors import DeploymentError
from catalina.startup.application_root import ApplicationRoot
from tests.deploy.archives import hello, make_wheel, make_zip
from tests.startup.hosts import Base


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
