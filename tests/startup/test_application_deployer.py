"""The table "A new application" of automatic deployment, row by row: what is found, what is there afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.archives import hello, make_wheel, make_zip
from tests.startup.hosts import Base, running
from tests.support.narrowing import there

CONTEXT_XML = '<Context><Parameter name="from" value="own"/></Context>'


def application_files(context_xml: bool) -> dict[str, str]:
    files = {"WEB-INF/web.xml": "<web-app/>", "index.html": "hello"}
    if context_xml:
        files["META-INF/context.xml"] = CONTEXT_XML
    return files


def write_directory(directory: Path, context_xml: bool = False) -> Path:
    for name, text in application_files(context_xml).items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory


def write_descriptor(base: Base, name: str, **attributes: object) -> Path:
    base.descriptors.mkdir(parents=True, exist_ok=True)
    text = "".join(f' {key}="{value}"' for key, value in attributes.items())
    (base.descriptors / f"{name}.xml").write_text(f'<Context{text}><Parameter name="from" value="X"/></Context>')
    return base.descriptors / f"{name}.xml"


def present(base: Base) -> str:
    """Those of X, W and D of the application ``a`` that exist."""
    found = [
        ("X", base.descriptors / "a.xml"),
        ("W", base.webapps / "a.war"),
        ("D", base.webapps / "a"),
    ]
    return "".join(letter for letter, file in found if file.exists())


YES_AND_NO = (True, False)


def test_x_without_document_base_stays_and_does_not_start(tmp_path, caplog):
    base = Base(tmp_path)
    write_descriptor(base, "a")
    with running(base):
        assert (present(base), base.runs("/a")) == ("X", False)
    assert f"The document base [{base.webapps / 'a'}] of application [/a] does not exist" in caplog.text


@pytest.mark.parametrize(("unpack", "left"), [(False, "X"), (True, "XD")])
def test_x_with_an_outside_archive(tmp_path, unpack, left):
    base = Base(tmp_path / "base", unpack_wars=unpack)
    war = make_zip(tmp_path / "outside/other.war", application_files(False))
    write_descriptor(base, "a", docBase=war)
    with running(base):
        assert (present(base), base.runs("/a")) == (left, True)


def test_x_with_an_outside_directory(tmp_path):
    base = Base(tmp_path / "base")
    write_descriptor(base, "a", docBase=write_directory(tmp_path / "outside/a"))
    with running(base):
        assert (present(base), base.runs("/a")) == ("X", True)
        assert there(base.context("/a")).parameters["from"] == "X"


@pytest.mark.parametrize("copy", YES_AND_NO)
@pytest.mark.parametrize("deploy_xml", YES_AND_NO)
@pytest.mark.parametrize(("unpack", "left"), [(False, "W"), (True, "WD")])
def test_w_without_context_xml(tmp_path, unpack, left, deploy_xml, copy):
    base = Base(tmp_path, unpack_wars=unpack, deploy_xml=deploy_xml, copy_xml=copy)
    make_zip(base.webapps / "a.war", application_files(False))
    with running(base):
        assert (present(base), base.runs("/a")) == (left, True)


@pytest.mark.parametrize(("unpack", "left"), [(False, "W"), (True, "WD")])
def test_w_with_context_xml_is_refused_without_deploy_xml(tmp_path, unpack, left, caplog):
    base = Base(tmp_path, unpack_wars=unpack, deploy_xml=False)
    make_zip(base.webapps / "a.war", application_files(True))
    with running(base):
        assert (present(base), base.runs("/a")) == (left, False)
    assert "The web application with context path [/a] was not deployed because it contained" in caplog.text


@pytest.mark.parametrize(
    ("copy", "unpack", "left"), [(False, False, "W"), (False, True, "WD"), (True, False, "XW"), (True, True, "XWD")]
)
def test_w_with_context_xml(tmp_path, copy, unpack, left):
    base = Base(tmp_path, unpack_wars=unpack, copy_xml=copy)
    make_zip(base.webapps / "a.war", application_files(True))
    with running(base):
        assert (present(base), base.runs("/a")) == (left, True)
        assert there(base.context("/a")).parameters["from"] == "own"


@pytest.mark.parametrize("copy", YES_AND_NO)
@pytest.mark.parametrize("deploy_xml", YES_AND_NO)
def test_d_without_context_xml(tmp_path, deploy_xml, copy):
    base = Base(tmp_path, deploy_xml=deploy_xml, copy_xml=copy)
    write_directory(base.webapps / "a")
    with running(base):
        assert (present(base), base.runs("/a")) == ("D", True)


def test_d_with_context_xml_is_refused_without_deploy_xml(tmp_path, caplog):
    base = Base(tmp_path, deploy_xml=False)
    write_directory(base.webapps / "a", context_xml=True)
    with running(base):
        assert (present(base), base.runs("/a")) == ("D", False)
    assert "prevented by the deployXML setting of this host" in caplog.text


@pytest.mark.parametrize(("copy", "left"), [(False, "D"), (True, "XD")])
def test_d_with_context_xml(tmp_path, copy, left):
    base = Base(tmp_path, copy_xml=copy)
    write_directory(base.webapps / "a", context_xml=True)
    with running(base):
        assert (present(base), base.runs("/a")) == (left, True)
        assert there(base.context("/a")).parameters["from"] == "own"


def test_a_descriptor_wins_over_an_archive_over_a_directory(tmp_path):
    base = Base(tmp_path / "base", unpack_wars=False)
    outside = write_directory(tmp_path / "outside")
    write_descriptor(base, "a", docBase=outside)
    make_zip(base.webapps / "a.war", application_files(False))
    make_zip(base.webapps / "b.war", application_files(False))
    write_directory(base.webapps / "b")
    with running(base):
        assert there(base.context("/a")).document_root == outside
        assert there(base.context("/b")).document_root != base.webapps / "b"


def test_path_in_a_descriptor_is_ignored_and_said(tmp_path, caplog):
    base = Base(tmp_path / "base")
    write_descriptor(base, "a", docBase=write_directory(tmp_path / "outside"), path="/x")
    with running(base):
        assert base.runs("/a")
        assert base.context("/x") is None
    assert "The path attribute with value [/x] in deployment descriptor" in caplog.text


def test_a_document_base_inside_app_base_is_ignored_and_said(tmp_path, caplog):
    base = Base(tmp_path)
    inside = write_directory(base.webapps / "inner")
    write_directory(base.webapps / "a")
    write_descriptor(base, "a", docBase=inside)
    with running(base):
        assert there(base.context("/a")).document_root == base.webapps / "a"
    assert f"A docBase [{inside}] inside the host appBase has been specified, and will be ignored" in caplog.text


@pytest.mark.parametrize(
    ("name", "context"),
    [("foo", "/foo"), ("foo#bar", "/foo/bar"), ("ROOT", ""), ("foo##42", "/foo##42"), ("foo#bar##2", "/foo/bar##2"),
     ("ROOT##2", "##2"), ("Foo", "/Foo")],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["X", "W", "D", "zip"])
def test_names(tmp_path, name, context, kind):
    base = Base(tmp_path / "base")
    match kind:
        case "X":
            write_descriptor(base, name, docBase=write_directory(tmp_path / "outside"))
        case "W":
            make_zip(base.webapps / f"{name}.war", application_files(False))
        case "zip":
            make_zip(base.webapps / f"{name}.zip", application_files(False))
        case "D":
            write_directory(base.webapps / name)
    with running(base):
        assert [each.name for each in base.host.children] == [context]
        assert base.runs(context)


def test_attributes_of_context_xml_count(tmp_path):
    base = Base(tmp_path)
    files = {**application_files(False), "META-INF/context.xml": '<Context reloadable="true" unpackWAR="false"/>'}
    make_zip(base.webapps / "a.war", files)
    with running(base):
        assert there(base.context("/a")).reloadable
        assert present(base) == "W"


def test_a_descriptor_that_is_not_xml_is_one_line_and_the_others_run(tmp_path, caplog):
    base = Base(tmp_path)
    write_descriptor(base, "a").write_text("<Context")
    write_directory(base.webapps / "b")
    with running(base):
        assert base.runs("/b")
        assert not base.runs("/a")
    assert [record.getMessage().count("\n") for record in caplog.records if "a.xml]: " in record.getMessage()] == [0]


def test_an_application_that_fails_leaves_the_rest_running(tmp_path):
    base = Base(tmp_path)
    (base.webapps / "bad").mkdir(parents=True)
    (base.webapps / "bad/wsgi.py").write_text("raise ValueError('no')\n")
    write_directory(base.webapps / "good")
    with running(base):
        assert base.runs("/good")
        assert not base.runs("/bad")


def test_the_lines_of_a_deployment(tmp_path, caplog):
    caplog.set_level("INFO")
    base = Base(tmp_path / "base")
    x = write_descriptor(base, "x", docBase=write_directory(tmp_path / "outside"))
    w = make_zip(base.webapps / "w.war", application_files(False))
    d = write_directory(base.webapps / "d")
    with running(base):
        pass
    said = [record.getMessage() for record in caplog.records if "HostConfig" in record.name]
    for what, file in (("deployment descriptor", x), ("web application archive", w), ("web application directory", d)):
        assert f"Deploying {what} [{file}]" in said
        assert any(line.startswith(f"Deployment of {what} [{file}] has finished in [") for line in said)


def test_a_directory_that_is_not_deployed_has_not_finished(tmp_path, caplog):
    caplog.set_level("INFO")
    base = Base(tmp_path / "base")
    inside, outside = base.webapps / "inside", tmp_path / "outside"
    for directory in (inside, outside):
        directory.mkdir(parents=True)
        (directory / "main.py").write_text("x = 1\n")
    descriptor = write_descriptor(base, "x", docBase=outside)
    with running(base):
        assert not base.runs("/inside")
        assert not base.runs("/x")
        said = [record.getMessage() for record in caplog.records]
        for what, file, directory in (
            ("web application directory", inside, inside),
            ("deployment descriptor", descriptor, outside),
        ):
            assert f"Deploying {what} [{file}]" in said
            assert [line for line in said if line.startswith(f"The directory [{directory}] is not deployed as [")]
        assert not [line for line in said if "has finished" in line]
        (inside / "wsgi.py").write_text(hello("x"))
        base.wait_for(lambda: base.runs("/inside"))
    said = [record.getMessage() for record in caplog.records]
    last = [line for line in said if f"web application directory [{inside}]" in line][-1]
    assert " has finished in [" in last


def test_a_wheel_in_web_inf_lib_fulfils_a_requirement(tmp_path):
    base = Base(tmp_path / "base")
    inner = make_wheel(tmp_path / "w", "tilly-lib", "3.1", {"tilly_lib.py": "NAME = 'inner'\n"})
    web_xml = """<web-app><servlet><servlet-name>application</servlet-name>
        <servlet-class>tilly_lib:NAME.encode</servlet-class></servlet></web-app>"""
    make_zip(base.webapps / "a.war", {"WEB-INF/web.xml": web_xml, f"WEB-INF/lib/{inner.name}": inner.read_bytes()})
    with running(base):
        assert there(there(base.context("/a")).loader).load("tilly_lib:NAME") == "inner"


def test_a_document_base_that_is_a_directory_called_like_an_archive_is_one(tmp_path):
    base = Base(tmp_path / "base")
    outside = write_directory(tmp_path / "outside/external.war")
    write_descriptor(base, "a", docBase=outside)
    with running(base):
        assert base.runs("/a")


def test_copy_xml_keeps_what_an_operator_has_written(tmp_path):
    base = Base(tmp_path, copy_xml=True)
    make_zip(base.webapps / "a.war", application_files(True))
    with running(base):
        assert (base.descriptors / "a.xml").read_text() == CONTEXT_XML
        edited = CONTEXT_XML.replace("own", "edited")
        (base.descriptors / "a.xml").write_text(edited)
        base.wait_for(lambda: base.runs("/a") and there(base.context("/a")).parameters["from"] == "edited")
        base.config.undeploy("/a")
        (kept,) = base.descriptors.glob(".catalina-kept-a.xml-*")
        assert kept.read_text() == edited
