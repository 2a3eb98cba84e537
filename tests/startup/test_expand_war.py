"""The directory an archive runs from, replaced in one step."""

from __future__ import annotations

import os

import pytest

from catalina.deploy.archive import read_archive
from catalina.deploy.brought_files import BroughtFiles
from catalina.deploy.exploding import STAGING_PREFIX
from catalina.errors import DeploymentError
from catalina.startup.expand_war import put_in_place, stage
from tests.deploy.archives import make_zip
from tests.support.narrowing import there


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
    monkeypatch.setattr("catalina.startup.expand_war.is_current", lambda *_: False)
    with pytest.raises(DeploymentError, match="changed while it was unpacked"):
        stage(brought, read_archive(str(file)), str(tmp_path / "apps"))
    assert os.listdir(tmp_path / "apps") == []


def test_what_cannot_be_replaced_is_as_before(tmp_path, brought):
    staged = stage(brought, read_archive(str(make_zip(tmp_path / "w/a.war", {"new": ""}))), str(tmp_path / "apps"))
    with pytest.raises(OSError, match=r"busy|not empty|Invalid"):
        put_in_place(brought, staged, str(tmp_path / "apps/.."))
    brought.end_stage(os.path.dirname(staged))
    assert os.listdir(tmp_path / "apps") == []
