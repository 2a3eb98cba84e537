"""Where an application's code lies."""

from __future__ import annotations

import os

import pytest

from catalina.errors import DeploymentError
from catalina.loader.search_path import resource_path, search_path
from tests.deploy.archives import make_wheel


def path_of(tmp_path):
    return [os.path.relpath(entry, tmp_path) for entry in search_path(str(tmp_path / "a"), str(tmp_path / "work"))]


def test_without_web_inf_it_is_the_directory(tmp_path):
    (tmp_path / "a").mkdir()
    assert path_of(tmp_path) == ["a"]


def test_classes_come_before_libraries(tmp_path):
    for name in ("classes", "lib/package"):
        (tmp_path / "a/WEB-INF" / name).mkdir(parents=True)
    assert path_of(tmp_path) == ["a/WEB-INF/classes", "a/WEB-INF/lib"]


def test_wheels_in_lib_are_unpacked_below_the_work_directory(tmp_path):
    make_wheel(tmp_path / "a/WEB-INF/lib", "b", "1", {"b.py": ""})
    make_wheel(tmp_path / "a/WEB-INF/lib", "a", "1", {"a.py": ""})
    library, first, second = path_of(tmp_path)
    assert library == "a/WEB-INF/lib"
    assert first.startswith("work/lib/a-1-py3-none-any.whl")
    assert second.startswith("work/lib/b-1-py3-none-any.whl")


def test_what_pip_installed_comes_last(tmp_path):
    (tmp_path / "a/WEB-INF/classes").mkdir(parents=True)
    (tmp_path / "work/site-packages").mkdir(parents=True)
    assert path_of(tmp_path) == ["a/WEB-INF/classes", "work/site-packages"]


def test_a_wheel_for_another_platform_is_an_error(tmp_path):
    make_wheel(tmp_path / "a/WEB-INF/lib", "b", "1", {}, tag="py3-none-win32")
    with pytest.raises(DeploymentError, match="built for py3-none-win32"):
        path_of(tmp_path)


def test_what_resources_add_has_a_name_of_its_own(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    make_wheel(tmp_path, "a", "1", {"a.py": ""})
    (wheel,) = tmp_path.glob("*.whl")
    code = [([str(shared)], []), ([], [str(wheel)])]
    one, two = (resource_path(code, str(tmp_path / work)) for work in ("one", "two"))
    assert [os.path.realpath(entry) for entry in (one[0], two[0])] == [str(shared), str(shared)]
    assert one[0] != two[0]
    assert os.path.relpath(one[1], tmp_path).startswith("one/lib/a-1-py3-none-any.whl")
    assert resource_path(code, str(tmp_path / "one")) == one
