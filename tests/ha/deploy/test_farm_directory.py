"""deployDir: archives put there run."""

from __future__ import annotations

import os

import pytest

from catalina.core.standard_host import StandardHost
from catalina.deploy.archive import read_archive
from catalina.ha.deploy.farm_directory import FarmDirectory, host_deployer_of
from catalina.ha.deploy.file_message_factory import FarmFile, sha256_of
from catalina.startup.host_config import HostConfig
from tests.deploy.archives import hello, make_wheel
from tests.startup.hosts import Base, running


@pytest.fixture
def base(tmp_path):
    with running(Base(tmp_path / "base", auto_deploy=False)) as base:
        yield base


def made(base, text, source=None):
    path = make_wheel(base.directory.parent / "from", "shop", "1", {"shop.py": source or hello(text)})
    name = read_archive(str(path)).name
    return str(path), FarmFile(path.name, name.name, path.stat().st_size, sha256_of(str(path)), 1), name


@pytest.mark.parametrize("keep", [True, False])
def test_an_archive_runs_and_its_source_is_kept_or_not(base, keep):
    directory = FarmDirectory(base.host, str(base.webapps))
    path, file, name = made(base, "one")
    assert directory.install(path, file, name, keep_source=keep)
    assert base.ask("/shop##1") == "one"
    assert os.path.exists(path) is keep
    assert directory.has(file)


def test_what_does_not_start_is_taken_back(base):
    directory = FarmDirectory(base.host, str(base.webapps))
    path, first, name = made(base, "one")
    directory.install(path, first, name, keep_source=False)
    path, file, name = made(base, "", source="1/0\napplication = 1\n")
    assert not directory.install(path, file, name, keep_source=False)
    assert base.ask("/shop##1") == "one"
    assert directory.has(first)
    assert not directory.has(file)


def test_a_directory_that_is_not_app_base_only_keeps_files(base, tmp_path):
    (tmp_path / "other").mkdir()
    directory = FarmDirectory(base.host, str(tmp_path / "other"))
    path, file, name = made(base, "one")
    assert directory.install(path, file, name, keep_source=False)
    assert os.listdir(tmp_path / "other") == [file.name]
    assert directory.has(file)
    assert base.context("/shop##1") is None


def test_a_removed_context_goes_and_an_unknown_one_is_no_fault(base, caplog):
    caplog.set_level("INFO")
    directory = FarmDirectory(base.host, str(base.webapps))
    path, file, name = made(base, "one")
    directory.install(path, file, name, keep_source=False)
    directory.remove("/shop##1")
    directory.remove("/shop##1")
    assert os.listdir(base.webapps) == []
    assert "There is no web app [/shop##1]" in caplog.text


def test_host_config_is_what_the_farm_needs():
    host, config = StandardHost(name="localhost"), HostConfig()
    host.add_lifecycle_listener(lambda event: None)
    host.add_lifecycle_listener(config)
    assert host_deployer_of(host) is config


def test_a_host_without_deployment_has_none():
    assert host_deployer_of(StandardHost(name="localhost")) is None
