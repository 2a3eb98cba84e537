"""Deleting what lies directly in a directory, and nothing else."""

from __future__ import annotations

import os

import pytest

from catalina.deploy.removal import remove


@pytest.fixture
def apps(tmp_path):
    (tmp_path / "apps").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/kept").touch()
    return tmp_path / "apps"


@pytest.mark.parametrize("kind", ["file", "directory", "link", "nothing"])
def test_anything_is_deleted_but_not_what_a_link_points_to(apps, tmp_path, kind):
    target = apps / "x"
    if kind == "directory":
        (target / "inner").mkdir(parents=True)
    elif kind == "file":
        target.touch()
    elif kind == "link":
        target.symlink_to(tmp_path / "outside")
    assert remove(str(target), str(apps))
    assert not os.path.lexists(target)
    assert (tmp_path / "outside/kept").exists()


@pytest.mark.parametrize("name", ["..", ".", "", "../outside", "x/../../outside", "link/kept", "x/y"])
def test_what_is_not_one_name_in_the_directory_stays(apps, tmp_path, name, caplog):
    (apps / "x/y").mkdir(parents=True)
    (apps / "link").symlink_to(tmp_path / "outside")
    assert not remove(os.path.join(str(apps), name), str(apps))
    assert (apps / "x/y").is_dir()
    assert (tmp_path / "outside/kept").exists()
    assert "is not deleted" in caplog.text


def test_a_directory_that_is_now_a_link_is_not_followed(apps, tmp_path):
    (apps / "x").symlink_to(tmp_path / "outside")
    assert not remove(str(apps / "x" / "kept"), str(apps / "x" / ".." / "x2"))
    assert (tmp_path / "outside/kept").exists()


def test_the_servers_own_directories_stay_where_app_base_is_the_base(tmp_path, caplog):
    (tmp_path / "conf/Catalina").mkdir(parents=True)
    assert not remove(str(tmp_path / "conf"), str(tmp_path), [str(tmp_path / "conf/Catalina")])
    assert (tmp_path / "conf/Catalina").is_dir()
    assert "the server's own" in caplog.text


def test_the_directory_itself_may_be_behind_a_link(apps, tmp_path):
    (apps / "x").mkdir()
    (tmp_path / "webapps").symlink_to(apps)
    assert remove(str(tmp_path / "webapps/x"), str(tmp_path / "webapps"))
    assert not (apps / "x").exists()


def test_what_cannot_be_deleted_is_said(apps, monkeypatch, caplog):
    (apps / "x").touch()

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "unlink", refuse)
    assert not remove(str(apps / "x"), str(apps))
    assert "could not be completely deleted" in caplog.text
