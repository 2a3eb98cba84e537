"""Where an application's code lies."""

from __future__ import annotations

import os

import pytest

from catalina.errors import DeploymentError
from catalina.loader.search_path import bare_module, search_path
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


def test_the_module_that_makes_a_directory_an_application(tmp_path):
    assert bare_module(str(tmp_path / "none")) is None
    (tmp_path / "mysite").mkdir()
    (tmp_path / "mysite/wsgi.py").touch()
    assert bare_module(str(tmp_path)) is None
    (tmp_path / "manage.py").touch()
    assert bare_module(str(tmp_path)) == "mysite.wsgi"
    (tmp_path / "app.py").touch()
    assert bare_module(str(tmp_path)) == "app"


def test_a_wheel_for_another_platform_is_an_error(tmp_path):
    make_wheel(tmp_path / "a/WEB-INF/lib", "b", "1", {}, tag="py3-none-win32")
    with pytest.raises(DeploymentError, match="built for py3-none-win32"):
        path_of(tmp_path)


def test_other_resource_sets_stand_in_front_and_behind(tmp_path):
    for name in ("a/WEB-INF/classes", "shared", "fallback"):
        (tmp_path / name).mkdir(parents=True)
    wheel = make_wheel(tmp_path / "wheels", "b", "1", {"b.py": ""})
    make_wheel(tmp_path / "shared", "c", "1", {"c.py": ""})
    found = search_path(
        str(tmp_path / "a"),
        str(tmp_path / "work"),
        [str(tmp_path / "shared"), str(wheel)],
        [str(tmp_path / "fallback")],
    )
    relative = [os.path.relpath(entry, tmp_path) for entry in found]
    assert relative[0].startswith("work/resources/")
    assert os.path.realpath(found[0]) == str(tmp_path / "shared")
    assert relative[1].startswith("work/lib/c-1-py3-none-any.whl")
    assert relative[2].startswith("work/lib/b-1-py3-none-any.whl")
    assert relative[3] == "a/WEB-INF/classes"
    assert [os.path.realpath(entry) for entry in found[4:]] == [str(tmp_path / "fallback")]
