"""Wheels in WEB-INF/lib."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalina.deploy.wheel_install import install_wheel_cached
from catalina.errors import DeploymentError
from tests.deploy.archives import make_wheel


def test_packages_and_the_parts_of_data_that_belong_there_are_installed(tmp_path):
    files = {"a.py": "A = 1", "s-1.data/purelib/b.py": "", "s-1.data/scripts/run": "", "s-1.data/data/etc/x": ""}
    place = Path(install_wheel_cached(str(make_wheel(tmp_path / "w", "s", "1", files)), str(tmp_path / "cache")))
    assert {each.name for each in place.iterdir()} == {"a.py", "b.py", "s-1.dist-info"}


def test_a_wheel_is_unpacked_once_and_again_when_it_changes(tmp_path):
    cache = str(tmp_path / "cache")
    file = make_wheel(tmp_path / "w", "s", "1", {"a.py": "A = 1"})
    first = install_wheel_cached(str(file), cache)
    os.unlink(os.path.join(first, "a.py"))
    assert install_wheel_cached(str(file), cache) == first
    assert not os.path.exists(os.path.join(first, "a.py"))
    make_wheel(tmp_path / "w", "s", "1", {"a.py": "A = 22"})
    second = install_wheel_cached(str(file), cache)
    assert os.listdir(cache) == [os.path.basename(second)]
    assert Path(second, "a.py").read_text() == "A = 22"


def test_a_wheel_for_another_platform_leaves_nothing(tmp_path):
    file = make_wheel(tmp_path / "w", "s", "1", {}, tag="py3-none-win32")
    with pytest.raises(DeploymentError):
        install_wheel_cached(str(file), str(tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()


def test_a_wheel_that_is_refused_leaves_nothing(tmp_path):
    file = make_wheel(tmp_path / "w", "s", "1", {"../x": ""})
    with pytest.raises(DeploymentError):
        install_wheel_cached(str(file), str(tmp_path / "cache"))
    assert os.listdir(tmp_path / "cache") == []
