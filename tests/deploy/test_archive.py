"""The kind of an archive, and the name of its application."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.deploy.archive import is_archive_name, module_among, read_archive
from catalina.errors import DeploymentError
from catalina.util.context_name import ContextName
from tests.deploy.archives import hello, make_wheel, make_zip


@pytest.mark.parametrize(
    ("file", "path", "version"),
    [("shop.war", "/shop", ""), ("foo#bar##2.zip", "/foo/bar", "2"), ("ROOT.WAR", "", ""), ("ROOT##3.war", "", "3"),
     ("Foo.zip", "/Foo", "")],
)  # fmt: skip
def test_zips_are_called_as_their_file(tmp_path, file, path, version):
    made = make_zip(tmp_path / "w" / file, {"WEB-INF/web.xml": "<web-app/>"})
    assert read_archive(str(made)).name == ContextName(path, version)


@pytest.mark.parametrize(("entry", "path"), [("shop", "/shop"), ("ROOT", ""), ("foo#bar", "/foo/bar")])
def test_a_wheel_is_called_as_its_entry_point_in_its_own_version(tmp_path, entry, path):
    made = make_wheel(tmp_path / "w", "dist", "1.4.0", {"m.py": hello("x")}, entry_point=(entry, "m:application"))
    assert read_archive(str(made)).name == ContextName(path, "1.4.0")


def test_a_wheel_with_a_module_is_called_as_its_distribution(tmp_path):
    archive = read_archive(str(make_wheel(tmp_path / "w", "My-Shop", "2", {"m.py": hello("x")})))
    assert archive.name == ContextName("/my-shop", "2")
    assert archive.target is not None
    assert archive.target.target == "m:application"


@pytest.mark.parametrize("root", ["", "shop/"])
def test_a_wheel_may_carry_a_web_xml(tmp_path, root):
    files = {f"{root}WEB-INF/web.xml": "<web-app/>", "shop/__init__.py": ""}
    archive = read_archive(str(make_wheel(tmp_path / "w", "shop", "1", files)))
    assert (archive.web_root, archive.target) == (root, None)


def test_an_entry_point_wins_over_web_xml_and_modules(tmp_path):
    files = {"WEB-INF/web.xml": "<web-app/>", "shop.py": hello("x")}
    made = make_wheel(tmp_path / "w", "d", "1", files, entry_point=("shop", "shop:application"))
    assert read_archive(str(made)).web_root is None


@pytest.mark.parametrize("names", [["wsgi.py"], ["app.py"], ["WEB-INF/classes/a.py"], ["manage.py", "a/wsgi.py"]])
def test_a_zip_is_an_application_by_what_it_contains(tmp_path, names):
    assert read_archive(str(make_zip(tmp_path / "w/a.zip", dict.fromkeys(names, "")))).name.path == "/a"


@pytest.mark.parametrize(
    ("files", "module"),
    [
        (["app.py", "manage.py", "a/wsgi.py"], "app"), (["manage.py", "a/wsgi.py", "a/b/wsgi.py"], "a.wsgi"),
        (["manage.py", "a/wsgi.py", "b/wsgi.py"], None), (["a/wsgi.py"], None), (["manage.py"], None),
    ],
)  # fmt: skip
def test_the_module_of_a_project(files, module):
    assert module_among(files) == module


def test_a_war_of_static_files_is_an_application_as_in_tomcat(tmp_path):
    assert read_archive(str(make_zip(tmp_path / "w/a.war", {"index.html": ""}))).name.path == "/a"


def test_another_zip_is_refused_with_what_is_missing(tmp_path):
    with pytest.raises(DeploymentError, match="neither WEB-INF/ nor wsgi"):
        read_archive(str(make_zip(tmp_path / "w/a.zip", {"readme.txt": ""})))


def test_another_wheel_is_refused_with_what_is_missing(tmp_path):
    with pytest.raises(DeploymentError, match="no module with application or app"):
        read_archive(str(make_wheel(tmp_path / "w", "d", "1", {"lib.py": ""})))


def test_a_wheel_of_two_applications_is_refused(tmp_path):
    info = "d-1.dist-info/entry_points.txt"
    made = make_wheel(tmp_path / "w", "d", "1", {info: "[catalina.webapp]\na = d:a\nb = d:b\n"})
    with pytest.raises(DeploymentError, match=r"has 2 applications \(a, b\), expected one"):
        read_archive(str(made))


def test_context_xml_is_noticed(tmp_path):
    files = {"META-INF/context.xml": "<Context/>", "WEB-INF/web.xml": ""}
    assert read_archive(str(make_zip(tmp_path / "w/a.war", files))).has_context_xml


@pytest.mark.parametrize(
    ("name", "is_one"), [("a.war", True), ("a.WHL", True), ("a.zip", True), ("a.tar.gz", False), ("war", False)]
)
def test_archives_are_known_by_their_suffix(name, is_one):
    assert is_archive_name(name) is is_one


@given(st.data())
def test_a_damaged_wheel_is_read_or_refused_in_one_line(tmp_path_factory, data):
    directory = tmp_path_factory.mktemp("damaged")
    made = make_wheel(directory / "w", "shop", "1", {"shop.py": hello("x")}, entry_point=("shop", "shop:application"))
    content = bytearray(made.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    made.write_bytes(content)
    refused = ""
    try:
        read_archive(str(made))
    except DeploymentError as error:
        refused = str(error)
    assert not refused or str(made) in refused
