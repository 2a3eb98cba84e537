from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from catalina.attributes import Attribute, Component, Element
from catalina.digester.digester import Digester
from catalina.digester.findings import Finding
from catalina.digester.substitution import MappingSource, Substitution
from catalina.place import Place
from catalina.startup.catalina import Catalina
from catalina.startup.config_test import ConfigTest, check_files, remarks, render_tree, summary, unplaced
from tests.support.work import assert_linear

ROOT = Path(__file__).parents[2]


class Part(Component):
    port = Attribute(int, 1, doc="A port.")
    key_pass = Attribute(str, "", doc="A secret.")
    elements = {"Part": Element(add=lambda _parent, _child: None, default=f"{__name__}.Part")}


def digested(tmp_path: Path, text: str) -> Digester:
    path = tmp_path / "server.xml"
    path.write_text(text)
    digester = Digester(Substitution([MappingSource({"p": "8080"})]))
    digester.parse(path, roots={"Part": Part.elements["Part"]})  # type: ignore[dict-item]  # not a Text
    return digester


def test_the_tree_shows_each_element_its_class_place_and_attributes(tmp_path: Path) -> None:
    digester = digested(tmp_path, f'<Part port="${{p}}">\n<Part className="{__name__}.Part"/></Part>')
    assert digester.tree is not None
    assert list(render_tree(digester.tree, digester.substitution)) == [
        "Part (server.xml:1) port='8080'",
        "  Part (server.xml:2)",
    ]


def test_remarks_stand_below_their_element(tmp_path: Path) -> None:
    digester = digested(tmp_path, '<Part>\n<Part\n prt="1"/></Part>')
    assert digester.tree is not None
    assert list(render_tree(digester.tree, digester.substitution))[2] == (
        "    ! no attribute prt on Part; did you mean port? (server.xml:3)"
    )


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    digester = digested(tmp_path, '<Part keyPass="hidden"/>')
    assert digester.tree is not None
    assert "hidden" not in "".join(render_tree(digester.tree, digester.substitution))


def test_the_summary_counts(tmp_path: Path) -> None:
    digester = digested(tmp_path, '<Part a1="1"><Logger/></Part>')
    assert summary(digester.findings) == "0 errors, 2 warnings, 0 remarks"
    assert next(remarks(digester.findings)).startswith("! server.xml:1 <Part>: no attribute a1")


def test_a_finding_that_stands_below_no_element_is_found(tmp_path: Path) -> None:
    digester = digested(tmp_path, '<Part prt="1"/>')
    assert digester.tree is not None
    outside = Finding(logging.INFO, Place("server.xml", 1), "Part", "an old form")
    assert unplaced(digester.tree, [*digester.findings, outside]) == [outside]


def base_with_hosts(base: Path, count: int) -> Catalina:
    hosts = "".join(
        f'<Host name="h{number}.example.org" appBase="webapps"><Alias>www.h{number}.example.org</Alias>'
        '<Valve className="org.apache.catalina.valves.AccessLogValve"/></Host>\n'
        for number in range(count)
    )
    (base / "conf").mkdir(parents=True)
    (base / "webapps").mkdir()
    (base / "conf" / "server.xml").write_text(
        '<Server port="-1"><Service name="C"><Engine name="C" defaultHost="h0.example.org">'
        f"{hosts}</Engine></Service></Server>"
    )
    return Catalina(base, base)


def test_hundreds_of_hosts_are_tested_in_a_time_that_grows_with_their_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", list(sys.path))

    def run(count: int) -> Callable[[], object]:
        test = ConfigTest(base_with_hosts(tmp_path / str(count), count))
        return lambda: [*test.run()]

    assert_linear(run, 50)


def test_two_hundred_hosts_have_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", list(sys.path))
    test = ConfigTest(base_with_hosts(tmp_path / "base", 200))
    lines = [*test.run()]
    assert test.findings == []
    assert sum(line.lstrip().startswith("Host ") for line in lines) == 200


def remarks_of(base: Path) -> list[str]:
    properties = {"catalina.base": str(base)}
    return [str(finding) for finding in check_files(base, Substitution([MappingSource(properties)]), properties)]


@pytest.mark.parametrize(
    ("name", "text", "remark"),
    [
        (
            "context.xml",
            '<Context relodable="true"/>',
            "context.xml:1 <Context>: no attribute relodable on StandardContext",
        ),
        ("context.xml", "<Context>", "context.xml:1 <xml>: not well-formed XML"),
        ("context.xml", '<Context>\n<Valve className="a.B"/></Context>', "context.xml:2 <Valve>: no class answers to"),
        ("web.xml", "<web-app>\n<servlet></web-app>", "web.xml:2: not well-formed XML"),
        ("logging.properties", ".level = LOUD", "logging.properties: .level = 'LOUD' ignored, expected a level"),
    ],
)
def test_what_is_not_understood_is_a_line_with_its_place(tmp_path: Path, name: str, text: str, remark: str) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / name).write_text(text)
    (found,) = remarks_of(tmp_path)
    assert found.startswith(remark)


def test_files_that_are_not_there_have_no_remarks(tmp_path: Path) -> None:
    assert remarks_of(tmp_path) == []


def test_our_own_files_have_no_remarks_and_checking_changes_nothing() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    assert remarks_of(ROOT) == []
    assert (root.level, root.handlers) == before
