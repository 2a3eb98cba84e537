"""A directory with wsgi.py or app.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.lifecycle import LifecycleState
from catalina.startup.bare_application import BareApplication, stray_source
from tests.core.node import Node, web_xml

APPLICATION = """
def {name}(environ, start_response):
    start_response("200 OK", [])
    return [(environ["SCRIPT_NAME"] + "|" + environ["PATH_INFO"]).encode()]
"""


@pytest.mark.parametrize(
    ("module", "name"), [("wsgi", "application"), ("wsgi", "app"), ("app", "application"), ("app", "app")]
)
def test_module_and_callable_have_two_names_each(tmp_path: Path, module: str, name: str) -> None:
    node = Node(tmp_path)
    node.add("shop", {f"{module}.py": APPLICATION.format(name=name)})
    with node:
        assert node.ask("/shop/cart/1").body == b"/shop|/cart/1"


def test_its_files_are_never_served(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("shop", {"wsgi.py": APPLICATION.format(name="application"), "secret.txt": "secret"})
    with node:
        for path in ("/secret.txt", "/wsgi.py", "/"):
            answer = node.ask("/shop" + path)
            assert answer.body == f"/shop|{path}".encode()


@pytest.mark.parametrize("marker", ["distributable = True", "application.distributable = True"])
def test_the_marker_makes_it_distributable(tmp_path: Path, marker: str) -> None:
    node = Node(tmp_path)
    marked = node.add("marked", {"wsgi.py": APPLICATION.format(name="application") + marker})
    plain = node.add("plain", {"wsgi.py": APPLICATION.format(name="application")})
    with node:
        assert (marked.distributable, plain.distributable) == (True, False)


def test_a_directory_without_either_module_is_none(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("")
    assert BareApplication.find(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1", "expected a WSGI callable named application or app"),
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("raise AttributeError('own')", "own"),
    ],
)
def test_a_module_without_callable_or_that_fails_says_so(
    tmp_path: Path, text: str, complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"wsgi.py": text})
    with node:
        assert context.state is LifecycleState.FAILED
    assert complaint in caplog.text


@pytest.mark.parametrize("web_xml_text", [None, web_xml(""), web_xml("<distributable/>"), web_xml("<session-config/>")])
def test_a_module_beside_a_web_inf_without_servlets_is_the_application(
    tmp_path: Path, web_xml_text: str | None
) -> None:
    node = Node(tmp_path)
    files = {"wsgi.py": APPLICATION.format(name="application"), "secret.txt": "secret", "WEB-INF/lib/.keep": ""}
    context = node.add("shop", files | ({"WEB-INF/web.xml": web_xml_text} if web_xml_text is not None else {}))
    with node:
        for path in ("/cart/1", "/wsgi.py", "/secret.txt", "/"):
            assert node.ask("/shop" + path).body == f"/shop|{path}".encode()
        assert node.ask("/shop/WEB-INF/web.xml").status == 404
        assert context.distributable is ("distributable" in (web_xml_text or ""))


def test_libraries_and_constraints_of_its_web_inf_are_the_applications(tmp_path: Path) -> None:
    node = Node(tmp_path)
    constraint = (
        "<security-constraint><web-resource-collection><web-resource-name>a</web-resource-name>"
        "<url-pattern>/closed/*</url-pattern></web-resource-collection><auth-constraint/></security-constraint>"
    )
    node.add(
        "shop",
        {
            "wsgi.py": "import shoplib_of_web_inf\n" + APPLICATION.format(name="application"),
            "WEB-INF/lib/shoplib_of_web_inf/__init__.py": "",
            "WEB-INF/web.xml": web_xml(constraint),
        },
    )
    with node:
        assert node.ask("/shop/open").body == b"/shop|/open"
        assert node.ask("/shop/closed/x").status == 403


def test_a_descriptor_with_servlets_finds_the_module_beside_it(tmp_path: Path) -> None:
    node = Node(tmp_path)
    servlet = (
        "<servlet><servlet-name>s</servlet-name><servlet-class>wsgi:application</servlet-class></servlet>"
        "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/s/*</url-pattern></servlet-mapping>"
    )
    node.add(
        "shop",
        {
            "wsgi.py": APPLICATION.format(name="application"),
            "index.html": "static",
            "WEB-INF/web.xml": web_xml(servlet),
        },
    )
    with node:
        assert node.ask("/shop/s/x").body == b"/shop/s|/x"
        assert node.ask("/shop/index.html").body == b"static"
        assert node.ask("/shop/wsgi.py").status == 404


def test_a_descriptor_that_cannot_be_read_shows_nothing(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("shop", {"wsgi.py": APPLICATION.format(name="application"), "WEB-INF/web.xml": "<web-app><x"})
    with node:
        assert node.ask("/shop/wsgi.py").status == 404


@pytest.mark.parametrize(
    "layout",
    [
        ("manage.py", "mysite/settings.py", "mysite/wsgi.py", "another/wsgi.py", "db.sqlite3"),
        ("main.py",),
        ("shop/__init__.py", "index.html"),
    ],
)
def test_source_without_an_application_is_not_deployed_and_said(
    tmp_path: Path, layout: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(tmp_path)
    context = node.add("mysite", dict.fromkeys(layout, "SECRET = 1"))
    other = node.add("other", {"index.html": "other"})
    with node:
        assert (context.state, other.state) == (LifecycleState.FAILED, LifecycleState.STARTED)
        for file in layout:
            assert node.ask(f"/mysite/{file}").status == 404
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [text for text in warnings if "is not deployed as [/mysite]" in text and "Expected wsgi.py" in text]


def test_a_django_project_is_deployed_as_it_is_and_serves_none_of_its_files(tmp_path: Path) -> None:
    node = Node(tmp_path)
    source = {"manage.py": "", "mysite/__init__.py": "", "mysite/settings.py": "SECRET = 1", "db.sqlite3": ""}
    node.add("mysite", {**source, "mysite/wsgi.py": APPLICATION.format(name="application")})
    with node:
        assert node.ask("/mysite/mysite/settings.py").body == b"/mysite|/mysite/settings.py"


def test_a_site_with_source_deep_below_or_with_a_web_inf_is_static(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("docs", {"index.html": "docs", "_downloads/0a1b/plot.py": "x"})
    node.add("site", {"index.html": "site", "build.py": "x", "WEB-INF/.keep": ""})
    with node:
        assert node.ask("/docs/index.html").body == b"docs"
        assert node.ask("/docs/_downloads/0a1b/plot.py").status == 404
        assert node.ask("/site/index.html").body == b"site"
        assert node.ask("/site/build.py").status == 404


def test_a_large_tree_is_not_searched_to_its_end(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"d{number}").mkdir()
        for name in range(100):
            (tmp_path / f"d{number}/{name}.html").touch()
    assert stray_source(tmp_path) is None
