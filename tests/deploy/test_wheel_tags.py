"""Wheels for another interpreter."""

from __future__ import annotations

import platform
import zipfile

import pytest

from catalina.deploy.wheel import read_wheel
from catalina.deploy.wheel_tags import check_tags
from catalina.errors import DeploymentError
from tests.deploy.archives import make_wheel


def check(file):
    with zipfile.ZipFile(file) as archive:
        check_tags(read_wheel(str(file), archive))


@pytest.mark.parametrize("tag", ["py3-none-any", "py2.py3-none-any"])
def test_pure_wheels_fit(tmp_path, tag):
    check(make_wheel(tmp_path / "w", "s", "1", {}, tag=tag))


@pytest.mark.parametrize("tag", ["cp27-cp27m-manylinux1_x86_64", "py3-none-win_amd64", "cp311-cp311-macosx_11_0_arm64"])
def test_another_python_or_platform_is_refused_with_both_named(tmp_path, tag):
    with pytest.raises(DeploymentError) as error:
        check(make_wheel(tmp_path / "w", "s", "1", {}, tag=tag))
    assert tag in str(error.value)
    assert platform.python_version() in str(error.value)


def test_requires_python_is_kept(tmp_path):
    check(make_wheel(tmp_path / "a", "s", "1", {}, requires_python=">=3.8"))
    with pytest.raises(DeploymentError, match=r"requires Python <3.9, this is"):
        check(make_wheel(tmp_path / "b", "s", "1", {}, requires_python="<3.9"))


def test_requires_python_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(DeploymentError, match="'three' cannot be read"):
        check(make_wheel(tmp_path / "b", "s", "1", {}, requires_python="three"))
