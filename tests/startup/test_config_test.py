from __future__ import annotations

from pathlib import Path

from catalina.attributes import Attribute, Component, Element
from catalina.digester.digester import Digester
from catalina.digester.substitution import MappingSource, Substitution
from catalina.startup.config_test import remarks, render_tree, summary


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
