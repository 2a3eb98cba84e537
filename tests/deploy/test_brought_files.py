"""The record of what deployment itself has put into appBase and xmlBase."""

from __future__ import annotations

import os
import shutil

import pytest

from catalina.deploy.brought_files import ARCHIVE, COMMAND, COPY_XML, FARM, BroughtFiles, token_of, write_tracker
from catalina.errors import DeploymentError


def record(base):
    (base / "apps").mkdir(parents=True, exist_ok=True)
    (base / "xml").mkdir(exist_ok=True)
    places = {"appBase": str(base / "apps"), "xmlBase": str(base / "xml")}
    return BroughtFiles(str(base / "work/.brought.json"), places, [str(base / "xml")])


def unpacked(brought, directory):
    directory.mkdir()
    write_tracker(str(directory), 1, 1)
    brought.note(str(directory), ARCHIVE)


def test_what_was_brought_is_known_after_a_restart_and_deleted(tmp_path):
    brought = record(tmp_path)
    unpacked(brought, tmp_path / "apps/a")
    (tmp_path / "apps/a.war").touch()
    brought.note(str(tmp_path / "apps/a.war"), FARM)
    again = record(tmp_path)
    assert again.brought_by(str(tmp_path / "apps/a")) == ARCHIVE
    assert again.brought_by(str(tmp_path / "apps/a.war")) == FARM
    assert again.discard(str(tmp_path / "apps/a"))
    assert again.discard(str(tmp_path / "apps/a.war"))
    assert os.listdir(tmp_path / "apps") == []
    assert record(tmp_path).brought_by(str(tmp_path / "apps/a")) is None


def test_the_record_goes_with_a_base_that_is_moved(tmp_path):
    unpacked(record(tmp_path / "one"), tmp_path / "one/apps/a")
    (tmp_path / "one").rename(tmp_path / "two")
    assert record(tmp_path / "two").brought_by(str(tmp_path / "two/apps/a")) == ARCHIVE


def test_what_an_operator_put_in_its_place_is_not_taken_for_it(tmp_path):
    brought = record(tmp_path)
    directory, war, xml = tmp_path / "apps/a", tmp_path / "apps/b.war", tmp_path / "xml/a.xml"
    unpacked(brought, directory)
    war.write_text("1")
    brought.note(str(war), COMMAND)
    xml.write_text("<Context/>")
    brought.note(str(xml), COPY_XML)
    shutil.rmtree(directory)
    (directory / "META-INF").mkdir(parents=True)
    (directory / "META-INF/war-tracker").touch()
    war.write_text("22")
    xml.write_text("<Context reloadable='true'/>")
    for path in (directory, war, xml):
        assert brought.brought_by(str(path)) is None
        assert not brought.discard(str(path))
        assert path.exists()


def test_a_copy_of_what_was_brought_is_the_copiers(tmp_path):
    brought = record(tmp_path)
    unpacked(brought, tmp_path / "apps/a")
    shutil.copytree(tmp_path / "apps/a", tmp_path / "apps/b")
    assert token_of(str(tmp_path / "apps/b")) == token_of(str(tmp_path / "apps/a"))
    assert brought.brought_by(str(tmp_path / "apps/b")) is None


def test_a_link_in_its_place_is_not_followed(tmp_path):
    brought = record(tmp_path)
    unpacked(brought, tmp_path / "apps/a")
    (tmp_path / "apps/a").rename(tmp_path / "elsewhere")
    (tmp_path / "apps/a").symlink_to(tmp_path / "elsewhere")
    assert brought.brought_by(str(tmp_path / "apps/a")) is None
    assert not brought.discard(str(tmp_path / "apps/a"))
    assert (tmp_path / "elsewhere/META-INF").is_dir()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"brought": {"a": {}}, "staging": []}', '{"brought": [], "staging": 1}']
)
def test_a_record_that_cannot_be_read_makes_nothing_ours(tmp_path, content, caplog):
    unpacked(record(tmp_path), tmp_path / "apps/a")
    (tmp_path / "work/.brought.json").write_text(content)
    brought = record(tmp_path)
    assert "taken for the operator's" in caplog.text
    assert not brought.discard(str(tmp_path / "apps/a"))
    assert (tmp_path / "apps/a").is_dir()


@pytest.mark.parametrize("path", ["apps/..", "apps/.", "apps", "other/a", "apps/a/b", "apps/x\ny"])
def test_paths_that_are_no_name_in_a_place_are_nobodys(tmp_path, path):
    brought = record(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a").touch()
    unpacked(brought, tmp_path / "apps/a")
    where = os.path.join(str(tmp_path), path)
    with pytest.raises(DeploymentError):
        brought.note(where, FARM)
    assert brought.brought_by(where) is None
    assert not brought.remove(where)
    assert (tmp_path / "apps/a").is_dir()


def test_what_is_in_the_way_is_moved_aside_and_said(tmp_path, caplog):
    brought = record(tmp_path)
    (tmp_path / "apps/a").mkdir()
    (tmp_path / "apps/a/mine.txt").write_text("mine")
    (tmp_path / "conf/xml/inner").mkdir(parents=True)
    own = BroughtFiles(
        str(tmp_path / "r.json"), {"appBase": str(tmp_path / "conf")}, [str(tmp_path / "conf/xml/inner")]
    )
    kept = brought.set_aside(str(tmp_path / "apps/a"))
    assert not (tmp_path / "apps/a").exists()
    with open(os.path.join(kept, "mine.txt"), encoding="utf-8") as source:
        assert source.read() == "mine"
    assert kept in caplog.text
    with pytest.raises(DeploymentError, match="the server's own"):
        own.set_aside(str(tmp_path / "conf/xml"))


def test_stages_that_were_left_over_go_at_the_next_start_and_nothing_else(tmp_path):
    stage = record(tmp_path).stage(str(tmp_path / "apps"), "unpacking")
    (tmp_path / "apps/.catalina-mine").mkdir()
    record(tmp_path).clear_stages()
    assert os.listdir(tmp_path / "apps") == [".catalina-mine"]
    assert not os.path.exists(stage)


def test_without_a_record_nothing_is_brought(tmp_path):
    brought = record(tmp_path)
    (tmp_path / "work").touch()
    (tmp_path / "apps/a.war").touch()
    with pytest.raises(DeploymentError, match="cannot be written"):
        brought.note(str(tmp_path / "apps/a.war"), FARM)


def test_hosts_that_share_a_directory_know_what_the_others_have_brought(tmp_path):
    one = record(tmp_path)
    two = BroughtFiles(str(tmp_path / "other/.brought.json"), {"appBase": str(tmp_path / "apps")})
    unpacked(one, tmp_path / "apps/a")
    (tmp_path / "apps/mine").mkdir()
    assert two.brought_by(str(tmp_path / "apps/a")) == ARCHIVE
    assert two.brought_by(str(tmp_path / "apps/mine")) is None
    assert two.discard(str(tmp_path / "apps/a"))
