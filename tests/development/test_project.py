"""The application that ``catalina run`` finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.development.project import Project, find_project
from catalina.errors import ConfigurationError

WSGI = "def application(environ, start_response): ...\n"
ENTRY = '[project]\nname="shop"\n[project.entry-points."catalina.webapp{}"]\nshop = "shop.web:make"\n'


def write(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        file = directory / name.replace("__", "/").replace("_py", ".py").replace("_toml", ".toml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return directory


def test_a_directory_with_wsgi_is_left_to_the_container(tmp_path: Path) -> None:
    write(tmp_path, wsgi_py=WSGI)
    assert find_project(".", tmp_path) == Project(tmp_path, "", False, tmp_path)


def test_a_file_has_its_callable(tmp_path: Path) -> None:
    write(tmp_path, hello_py="from flask import Flask\napp = Flask(__name__)\n")
    assert find_project("hello.py", tmp_path) == Project(tmp_path, "hello:app", False, tmp_path)


def test_a_callable_is_looked_for_here_and_in_src(tmp_path: Path) -> None:
    write(tmp_path, src__shop__web_py=WSGI)
    assert find_project("shop.web:application", tmp_path).root == tmp_path / "src"
    with pytest.raises(ConfigurationError, match=r"no module nowhere in .* or in .*src"):
        find_project("nowhere:app", tmp_path)


@pytest.mark.parametrize(("group", "travels"), [("", False), (".distributable", True)])
def test_an_entry_point_names_the_callable_and_says_whether_sessions_travel(
    tmp_path: Path, group: str, travels: bool
) -> None:
    write(tmp_path, pyproject_toml=ENTRY.format(group), shop__web_py="")
    assert find_project(str(tmp_path), Path("/")) == Project(tmp_path, "shop.web:make", travels, tmp_path)


def test_a_django_project_has_its_wsgi_beside_manage(tmp_path: Path) -> None:
    write(tmp_path, manage_py="", mysite__wsgi_py=WSGI)
    assert find_project(".", tmp_path).callable == "mysite.wsgi:application"


def test_an_archive_is_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "shop-1-py3-none-any.whl").touch()
    assert find_project("shop-1-py3-none-any.whl", tmp_path).is_archive


@pytest.mark.parametrize("text", ["nowhere", "a b:c", "x:", "notes.txt", "empty", "empty.py"])
def test_anything_else_is_refused_with_what_was_expected(tmp_path: Path, text: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path, empty_py="")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ConfigurationError, match="expected"):
        find_project(text, tmp_path)


def test_source_is_not_run(tmp_path: Path) -> None:
    write(tmp_path, manage_py="", mysite__wsgi_py="1 / 0\napplication = None\n")
    assert find_project(".", tmp_path).callable == "mysite.wsgi:application"


@pytest.mark.parametrize("text", ["project = 3", 'project = {"entry-points" = 4}', "x = ["])
def test_a_strange_pyproject_is_no_application(tmp_path: Path, text: str) -> None:
    write(tmp_path, pyproject_toml=text)
    with pytest.raises(ConfigurationError):
        find_project(".", tmp_path)
