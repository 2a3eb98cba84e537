"""Libraries that bring servlets, filters and listeners of their own."""

from __future__ import annotations

import itertools
from pathlib import Path
from zipfile import ZipFile

import pytest

from catalina.core.standard_context import StandardContext
from catalina.descriptor.web_xml import OTHERS, WebXml
from catalina.errors import ConfigurationError
from catalina.lifecycle import LifecycleState
from catalina.startup.web_fragments import order_fragments
from tests.core.node import Node, web_xml

MODULE = "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [__name__.encode()]\n"


def fragment(name: str, inner: str = "", servlet: bool = True) -> str:
    if servlet:
        inner += (
            f"<servlet><servlet-name>{name}</servlet-name><servlet-class>lib_{name}:application</servlet-class></servlet>"
            f"<servlet-mapping><servlet-name>{name}</servlet-name><url-pattern>/{name}</url-pattern></servlet-mapping>"
        )
    return f"<web-fragment><name>{name}</name>{inner}</web-fragment>"


def application(node: Node, descriptor: str | None, fragments: dict[str, str]) -> StandardContext:
    files: dict[str, str | bytes] = {"a.txt": "a"}
    if descriptor is not None:
        files["WEB-INF/web.xml"] = descriptor
    context = node.add("shop", files)
    library = node.base / "webapps" / "shop" / "WEB-INF" / "lib"
    library.mkdir(parents=True)
    for name, text in fragments.items():
        with ZipFile(library / f"{name}.zip", "w") as archive:
            archive.writestr("META-INF/web-fragment.xml", text)
        (library / f"lib_{name}.py").write_text(MODULE)
    return context


def test_a_library_brings_its_servlet(tmp_path: Path) -> None:
    node = Node(tmp_path)
    application(node, None, {"x": fragment("x"), "plain": "<web-fragment/>"})
    with node:
        assert node.ask("/shop/x").body == b"lib_x"


def test_the_applications_own_word_wins(tmp_path: Path) -> None:
    node = Node(tmp_path)
    parameter = "<context-param><param-name>p</param-name><param-value>{}</param-value></context-param>"
    context = application(node, web_xml(parameter.format("own")), {"x": fragment("x", parameter.format("library"))})
    with node:
        assert context.parameters == {"p": "own"}
        assert node.ask("/shop/x").status == 200


def test_a_complete_descriptor_leaves_libraries_out(tmp_path: Path) -> None:
    node = Node(tmp_path)
    application(node, '<web-app metadata-complete="true"/>', {"x": fragment("x")})
    with node:
        assert node.ask("/shop/x").status == 404


def test_the_order_is_the_applications(tmp_path: Path) -> None:
    node = Node(tmp_path)
    parameter = "<context-param><param-name>p</param-name><param-value>{}</param-value></context-param>"
    fragments = {name: fragment(name, parameter.format(name)) for name in "xyz"}
    context = application(
        node, web_xml("<absolute-ordering><name>y</name><name>x</name></absolute-ordering>"), fragments
    )
    with node:
        assert context.parameters == {"p": "y"}
        assert (node.ask("/shop/x").status, node.ask("/shop/z").status) == (200, 404)


@pytest.mark.parametrize(("own", "library", "result"), [(True, True, True), (True, False, False), (False, True, False)])
def test_distributable_is_what_all_of_them_are(tmp_path: Path, own: bool, library: bool, result: bool) -> None:
    node = Node(tmp_path)
    mark = "<distributable/>"
    context = application(node, web_xml(mark if own else ""), {"x": fragment("x", mark if library else "")})
    with node:
        assert context.distributable is result


def test_a_fragment_that_cannot_be_used_says_where(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    node = Node(tmp_path)
    context = application(node, None, {"x": "<web-fragment>\n<servlet/></web-fragment>"})
    with node:
        assert context.state is LifecycleState.FAILED
    assert "x.zip!/META-INF/web-fragment.xml:2: <servlet> needs a <servlet-name>" in caplog.text


def test_tomcat_web_xml_is_below_the_applications_and_above_the_defaults(tmp_path: Path) -> None:
    node = Node(tmp_path)
    context = node.add(
        "shop",
        {
            "WEB-INF/web.xml": web_xml("<display-name>own</display-name>"),
            "WEB-INF/tomcat-web.xml": web_xml(
                "<display-name>lower</display-name><session-config><session-timeout>7</session-timeout></session-config>"
            ),
        },
    )
    with node:
        assert (context.display_name, context.session_timeout) == ("own", 7)


def names(application: WebXml, *fragments: WebXml) -> list[str]:
    return [fragment.name for fragment in order_fragments(application, fragments)]


A, B, C = WebXml(name="a"), WebXml(name="b"), WebXml(name="c")


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        (["c", "a"], ["c", "a"]),
        (["c", OTHERS, "a"], ["c", "b", "a"]),
        ([OTHERS], ["a", "b", "c"]),
        (["b", "nobody"], ["b"]),
        ([], []),
    ],
)
def test_the_application_may_name_them(ordering: list[str], expected: list[str]) -> None:
    assert names(WebXml(absolute_ordering=ordering), A, B, C) == expected


def test_without_any_word_the_archives_order_counts() -> None:
    assert names(WebXml(), B, WebXml(), A) == ["b", "", "a"]


def test_before_and_after_count_whatever_order_they_come_in() -> None:
    first = WebXml(name="first", before=[OTHERS])
    last = WebXml(name="last", after=[OTHERS])
    early = WebXml(name="early", before=["late"])
    late = WebXml(name="late")
    later = WebXml(name="later", after=["late"])
    for order in itertools.permutations((first, last, early, late, later)):
        assert names(WebXml(), *order) == ["first", "early", "late", "later", "last"]


def test_a_circle_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"circular reference among \[x, y\]"):
        names(WebXml(), WebXml(name="x", before=["y"]), WebXml(name="y", before=["x"]))


def test_a_name_that_is_there_twice_is_refused_unless_the_application_decides() -> None:
    with pytest.raises(ConfigurationError, match=r"More than one web fragment has the name \[a\]"):
        names(WebXml(), A, WebXml(name="a"))
    assert names(WebXml(absolute_ordering=["b"]), A, WebXml(name="a"), B) == ["b"]


@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        # a is before all others and behind c: so c is before all others, too.
        ([WebXml(name="a", before=[OTHERS], after=["c"]), B, C], ["c", "a", "b"]),
        # A fragment that must come after one that is after all others goes there as well.
        ([WebXml(name="a", after=["c"]), B, WebXml(name="c", after=[OTHERS])], ["b", "c", "a"]),
        ([WebXml(name="a", before=["c"]), WebXml(name="c", before=[OTHERS]), B], ["a", "c", "b"]),
        ([WebXml(name="a", after=["nobody"]), WebXml(name="b", before=["nobody"])], ["a", "b"]),
    ],
)
def test_wishes_reach_across_the_groups(fragments: list[WebXml], expected: list[str]) -> None:
    assert names(WebXml(), *fragments) == expected


@pytest.mark.parametrize(
    "fragments",
    [
        [WebXml(name="a", before=[OTHERS], after=["b"]), WebXml(name="b", after=["a"])],
        [WebXml(name="a", before=["a"])],
        [
            WebXml(name="a", before=[OTHERS]),
            WebXml(name="b", before=["a"]),
            WebXml(name="c", before=["b"], after=["a"]),
        ],
    ],
)
def test_circles_across_the_groups_are_refused(fragments: list[WebXml]) -> None:
    with pytest.raises(ConfigurationError, match="circular"):
        names(WebXml(), *fragments)


@pytest.mark.parametrize(
    "fragments",
    [
        [WebXml(name="a", before=[OTHERS], after=[OTHERS])],
        [WebXml(name="a", before=[OTHERS]), WebXml(name="b", before=["a"], after=[OTHERS])],
        [WebXml(name="a", after=[OTHERS]), WebXml(name="b", after=["a"], before=[OTHERS])],
    ],
)
def test_nobody_is_before_all_others_and_after_them(fragments: list[WebXml]) -> None:
    with pytest.raises(ConfigurationError, match="before all others and after all others"):
        names(WebXml(), *fragments)


def test_a_wrong_name_in_the_applications_order_is_said(caplog: pytest.LogCaptureFixture) -> None:
    names(WebXml(absolute_ordering=["nobody", "a"]), A)
    assert "Used a wrong fragment name [nobody]" in caplog.text
