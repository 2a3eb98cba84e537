from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from catalina.digester.xml_tree import MAX_REFERENCES, XmlElement, read_xml, tag_lines
from catalina.errors import ConfigurationError
from catalina.place import Place

Read = Callable[..., XmlElement]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str | bytes, **options: Any) -> XmlElement:
        path = tmp_path / "server.xml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_xml(path, **options)

    return read


def test_elements_and_attributes_know_their_lines(read: Read) -> None:
    root = read('<!-- x -->\n<Server\n port="1"\n shutdown="x">\n\n<Service name="a"/></Server>')
    assert root.place == Place("server.xml", 2)
    assert root.attributes["shutdown"].place == Place("server.xml", 4)
    assert root.children[0].place == Place("server.xml", 6)


def test_text_is_kept_without_that_of_children_and_comments(read: Read) -> None:
    root = read("<Host><Alias> www<!-- x -->.example.org </Alias></Host>")
    assert root.children[0].text == " www.example.org "
    assert root.text == ""


def test_namespaces_are_dropped_from_tags_and_namespaced_attributes(read: Read) -> None:
    root = read('<t:users xmlns:t="u:x" xmlns:s="u:s" s:schemaLocation="a b" version="1"><t:role/></t:users>')
    assert root.tag == "users"
    assert list(root.attributes) == ["version"]
    assert root.children[0].tag == "role"


def test_an_internal_entity_gives_elements_and_text_with_the_line_of_the_reference(read: Read) -> None:
    root = read('<!DOCTYPE S [<!ENTITY v "x<Valve/>y">]>\n<S>\n a&v;b</S>')
    assert root.text.split() == ["axyb"]
    assert root.children[0].place == Place("server.xml", 3)


def test_an_entity_in_an_attribute_is_replaced(read: Read) -> None:
    assert read('<!DOCTYPE S [<!ENTITY v "x">]><S a="&v;1"/>').get("a") == "x1"


def test_an_external_entity_is_read_from_a_local_file_with_its_own_lines(read: Read, tmp_path: Path) -> None:
    (tmp_path / "hosts.xml").write_text('<?xml version="1.0"?>\n<Host name="a"/>\n<Host name="&n;"/>')
    root = read('<!DOCTYPE S [\n<!ENTITY n "b">\n<!ENTITY h SYSTEM "hosts.xml">\n]>\n<S>&h;<Last/></S>')
    assert [(child.tag, str(child.place)) for child in root.children] == [
        ("Host", "hosts.xml:2"),
        ("Host", "hosts.xml:3"),
        ("Last", "server.xml:5"),
    ]
    assert root.children[1].get("name") == "b"


def test_a_file_url_is_a_local_file(read: Read, tmp_path: Path) -> None:
    (tmp_path / "a b.xml").write_text("<Host/>")
    url = (tmp_path / "a b.xml").as_uri()
    assert read(f'<!DOCTYPE S [<!ENTITY h SYSTEM "{url}">]><S>&h;</S>').children[0].tag == "Host"


@pytest.mark.parametrize("url", ["http://example.org/x.xml", "ftp://h/x", "//host/x.xml", "file://host/etc/x"])
def test_nothing_is_fetched(read: Read, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"server\.xml:2: entity &h; .*only local files are read"):
        read(f'<!DOCTYPE S [<!ENTITY h SYSTEM "{url}">]>\n<S>&h;</S>')


def test_a_missing_entity_file_is_an_error_unless_told_otherwise(read: Read) -> None:
    text = '<!DOCTYPE S [<!ENTITY h SYSTEM "file:///nowhere/x.xml">]>\n<S>&h;<a/></S>'
    with pytest.raises(ConfigurationError, match=r"server\.xml:2: cannot be read: No such file.*nowhere/x\.xml"):
        read(text)
    assert len(read(text, missing_entities_are_empty=True).children) == 1


def test_billion_laughs_are_refused_between_elements(read: Read) -> None:
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    with pytest.raises(ConfigurationError, match=f"limit {MAX_REFERENCES}|amplification"):
        read(f'<!DOCTYPE S [<!ENTITY e0 "ha">{entities}]><S>&e9;</S>')


def test_billion_laughs_are_refused_in_attributes(read: Read) -> None:
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    with pytest.raises(ConfigurationError):
        read(f'<!DOCTYPE S [<!ENTITY e0 "ha">{entities}]><S a="&e9;"/>')


def test_an_entity_that_contains_itself_is_refused(read: Read) -> None:
    with pytest.raises(ConfigurationError):
        read('<!DOCTYPE S [<!ENTITY a "&b;"><!ENTITY b "&a;">]><S>&a;</S>')


@pytest.mark.parametrize(
    ("text", "line"), [("<S>\n<a>\n</S>", 3), ("\nnonsense", 2), ('<S a="<"/>', 1), ("", 1), ("<S>&x;</S>", 1)]
)
def test_what_is_not_well_formed_gives_one_line_with_the_position(read: Read, text: str, line: int) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert caught.value.place == Place("server.xml", line)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_said_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_xml(tmp_path / "server.xml")


def test_the_declared_encoding_counts(read: Read) -> None:
    root = read('<?xml version="1.0" encoding="iso-8859-1"?>\n<S a="é"/>'.encode("iso-8859-1"))
    assert root.get("a") == "é"
    assert root.attributes["a"].place.line == 2


TEMPLATE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE Server [<!ENTITY e "x<a b='&f;'/>y"><!ENTITY f "1">]>
<Server port="8005"><!-- c --><Service name="&f;">&e;<![CDATA[ <x/> ]]></Service></Server>
"""


@given(st.integers(0, len(TEMPLATE) - 1), st.integers(0, 12), st.text(alphabet="<>&;\"'!-[]ax/ \0\u00e9", max_size=4))
def test_any_damage_gives_a_tree_or_one_line_with_the_position(at: int, length: int, put: str) -> None:
    damaged = TEMPLATE[:at] + put + TEMPLATE[at + length :]
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(damaged.encode())
        file.flush()
        caught = None
        try:
            root = read_xml(Path(file.name), "server.xml")
        except ConfigurationError as error:
            caught = error
    if caught is None:
        assert all(element.place.line >= 1 for element in root.walk())
    else:
        assert str(caught.place).startswith("server.xml:")
        assert "\n" not in str(caught)


def test_a_tag_stands_where_its_name_begins_and_each_attribute_on_its_own_line() -> None:
    (server,) = tag_lines('<Server\n  port="8005"\n\n  shutdown="A\nB" address="x"/>')
    assert server.line == 1
    assert server.attributes == {"port": 2, "shutdown": 4, "address": 5}


def test_comments_sections_instructions_and_the_doctype_are_no_tags() -> None:
    source = """<?xml version="1.0"?>
<!DOCTYPE a [
  <!ENTITY e "<b/>">
  <!-- ]> <c/> -->
]>
<!-- <d x="1"/> -->
<a><![CDATA[<e/>]]><?pi <f/> ?>
<g/></a>"""
    assert [tag.line for tag in tag_lines(source)] == [7, 8]


def test_a_greater_than_sign_in_a_value_does_not_end_the_tag() -> None:
    first, second = tag_lines('<a x="1 > 0"\n y="2"><b/></a>')
    assert first.attributes == {"x": 1, "y": 2}
    assert second.line == 2


names = st.sampled_from(["Server", "a:b", "Valve", "x-y"])
values = st.text(alphabet="ab >'\n/!-?", max_size=12)


@st.composite
def documents(draw: st.DrawFn, depth: int = 3) -> str:
    name = draw(names).replace(":", "_")
    attributes = draw(st.dictionaries(st.sampled_from(["p", "q", "r"]), values, max_size=3))
    written = "".join(f'{draw(st.sampled_from([" ", chr(10)]))}{key}="{value}"' for key, value in attributes.items())
    inside = st.one_of(st.sampled_from(["text\n", "<!-- <a/> -->", "<![CDATA[</a>]]>"]), documents(depth=depth - 1))
    content = "".join(draw(st.lists(inside, max_size=3))) if depth else ""
    return f"<{name}{written}>{content}</{name}>"


@given(documents())
def test_every_start_tag_of_a_document_is_found_with_its_attributes(source: str) -> None:
    root = etree.fromstring(source, etree.XMLParser(remove_comments=True))
    found = tag_lines(source)
    assert [set(tag.attributes) for tag in found] == [set(element.attrib) for element in root.iter()]


def test_the_bytes_of_files_that_were_read_make_the_same_tree_again(read: Read, tmp_path: Path) -> None:
    (tmp_path / "hosts.xml").write_text('<Host name="a"/>')
    known: dict[str, bytes] = {}
    text = '<!DOCTYPE Server [<!ENTITY hosts SYSTEM "hosts.xml">]><Server>&hosts;</Server>'
    first = read(text, known=known)
    assert sorted(Path(path).name for path in known) == ["hosts.xml", "server.xml"]
    (tmp_path / "hosts.xml").unlink()
    again = read("<Other/>", known=dict(known), missing_entities_are_empty=True)
    assert (again.tag, again.children[0].attributes["name"].value) == (first.tag, "a")
